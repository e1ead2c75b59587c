"""The fleet: the engines of all agents, over what they share; new ones when a file changes.

A call keeps the engines with which it began. A file that was changed gets new ones beside the old:
new calls go to them as soon as their first lines lie ready, or a moment later; the old ones are
closed when nobody holds them any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.call.briefing import Briefing
from services.engines import CallBrief, Engine
from services.engines.choice import Engines
from services.engines.shared import Shared
from services.engines.wanted import EngineSettings, NotConfigured
from services.receptionist.agent import Agent
from services.receptionist.agents import Agents, answering
from services.receptionist.tools import Desk
from services.stt.words import Words

log = logging.getLogger(__name__)

LOOK_EVERY_S = 2.0
READY_WITHIN_S = 0.7
"""How long a changed agent's first lines are waited for; then it answers without them."""
REMEMBERED_S = 120.0
"""How long an agent whose file is gone can still be called: some of its calls are announced."""


@dataclass(slots=True, eq=False)
class _Post:
    """An agent with its engines. ``left_at``: when others took its place, on the loop's clock."""

    agent_id: str
    agent: Agent
    engines: Engines
    tending: asyncio.Task[None] | None = None
    left_at: float = 0.0

    async def tend(self) -> None:
        """Until cancelled."""
        await self.engines.warm()
        await self.engines.run()


class Fleet:
    """Opens an engine per call, for any agent."""

    def __init__(
        self, settings: EngineSettings, agents: Agents, *, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        """Raises NotConfigured if an agent asks for an engine whose key is not there."""
        self._settings = settings
        self._files = agents
        self._look_every_s = look_every_s
        self._shared = Shared(settings.speech_workers)
        self._posts: dict[str, _Post] = {}
        self._left: list[_Post] = []
        self._unfit: dict[str, str] = {}
        """Agent id -> why its file as it is now cannot be used."""
        for agent_id, agent in agents.current.items():
            try:
                self._posts[agent_id] = self._post(agent_id, agent)
            except NotConfigured as error:
                whose = f"{agent_id}: " if len(agents.current) > 1 else ""
                raise NotConfigured(f"{whose}{error}") from None

    def _post(self, agent_id: str, agent: Agent) -> _Post:
        return _Post(agent_id, agent, Engines(self._settings, agent, self._shared))

    # --- calls ------------------------------------------------------------------------------------

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The agents that take new calls, by id."""
        return {agent_id: post.agent for agent_id, post in self._posts.items()}

    def for_number(self, called: str) -> tuple[str, Agent]:
        """The agent that answers a number, and its id; there is always one."""
        agent_id = answering(self.agents, called)
        return agent_id, self._posts[agent_id].agent

    def agent(self, agent_id: str) -> Agent:
        """The agent with this id, or the one for any number if there is none (any more)."""
        return self._at(agent_id).agent

    def briefing(self, agent_id: str) -> Briefing:
        """What the core is told of this agent."""
        return self._at(agent_id).engines.briefing

    def open(self, agent_id: str, brief: CallBrief, desk: Desk) -> Engine:
        """The engine of one call. A file that changes during the call does not change it."""
        return self._at(agent_id).engines.open(brief, desk)

    def open_recorded(self, agent_id: str, brief: CallBrief, desk: Desk) -> tuple[Engine, Words]:
        """The engine of a call that is recorded turn by turn, and what hears the recordings."""
        return self._at(agent_id).engines.open_recorded(brief, desk)

    def _at(self, agent_id: str) -> _Post:
        if agent_id in self._posts:
            return self._posts[agent_id]
        gone = (post for post in reversed(self._left) if post.agent_id == agent_id)
        return next(gone, None) or self._posts[self.for_number("")[0]]

    # --- its life ---------------------------------------------------------------------------------

    async def warm(self) -> None:
        """Have ready what first calls would wait for; raises nothing for what is not."""
        async with asyncio.TaskGroup() as tasks:
            for post in self._posts.values():
                tasks.create_task(post.engines.warm(), name=f"warm {post.agent_id}")

    async def run(self) -> None:
        """Keep it warm and look for changed files, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._shared.warmth.run(), name="warmth")
            for post in self._posts.values():
                post.tending = tasks.create_task(post.engines.run(), name=f"run {post.agent_id}")
            while True:
                await asyncio.sleep(self._look_every_s)
                await self._look(tasks)

    async def _look(self, tasks: asyncio.TaskGroup) -> None:
        """Whatever goes wrong here, calls go on."""
        try:
            changed = await asyncio.to_thread(self._files.refresh)
            current = self._files.current
            async with asyncio.TaskGroup() as renewals:
                for agent_id in sorted(changed & current.keys()):
                    renewals.create_task(self._renew(agent_id, tasks), name=f"renew {agent_id}")
            for agent_id in [known for known in self._posts if known not in current]:
                if len(self._posts) > 1:  # there is always one
                    log.info("agent %s: takes no more calls, its file is gone", agent_id)
                    self._leave(agent_id)
            await self._close_unused()
        except Exception:
            log.exception("looking for changed agents failed")

    async def _renew(self, agent_id: str, tasks: asyncio.TaskGroup) -> None:
        """Have new calls answered by the agent as its file is now."""
        agent = self._files.current[agent_id]
        self._unfit.pop(agent_id, None)
        try:
            post = await asyncio.to_thread(self._post, agent_id, agent)
        except Exception as error:
            why = str(error) if isinstance(error, NotConfigured) else type(error).__name__
            self._unfit[agent_id] = f"{agent_id}: {why}; it goes on as it was"
            log.warning("agent %s: its file as it is now cannot be used: %s", agent_id, why)
            return
        post.tending = tasks.create_task(post.tend(), name=f"run {agent_id}")
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_WITHIN_S):
                await post.engines.lines_tried.wait()
        self._leave(agent_id)
        self._posts = dict(sorted({**self._posts, agent_id: post}.items()))
        log.info("agent %s: answers as its file is now", agent_id)

    def _leave(self, agent_id: str) -> None:
        if post := self._posts.pop(agent_id, None):
            post.left_at = asyncio.get_running_loop().time()
            self._left.append(post)
            if post.tending:
                post.tending.cancel()

    async def _close_unused(self) -> None:
        long_ago = asyncio.get_running_loop().time() - REMEMBERED_S
        for post in list(self._left):
            if post.left_at <= long_ago and not post.engines.in_use:
                self._left.remove(post)
                await post.engines.close()

    async def close(self) -> None:
        """Close connections, stop the worker threads."""
        for post in (*self._posts.values(), *self._left):
            await post.engines.close()
        await self._shared.close()

    # --- for people -------------------------------------------------------------------------------

    @property
    def report(self) -> Sequence[tuple[str, str]]:
        """Part -> what runs and why, for people; a part that differs has a line for each agent."""
        return list(self._parts())

    def _parts(self) -> Iterator[tuple[str, str]]:
        reports = {agent_id: post.engines.report for agent_id, post in self._posts.items()}
        for row in zip(*reports.values(), strict=True):
            if len({choice for _, choice in row}) == 1:
                yield row[0]
                continue
            for place, (agent_id, (part, choice)) in enumerate(zip(reports, row, strict=True)):
                yield ("" if place else part), f"{agent_id}: {choice}"

    @property
    def problems(self) -> Sequence[str]:
        """What is wrong with files and vendors, and how to mend it, for people."""
        told: dict[str, list[str]] = {}
        for agent_id, post in self._posts.items():
            for problem in post.engines.problems:
                told.setdefault(problem, []).append(agent_id)
        everybody = len(self._posts)
        vendors = (
            problem if len(whose) == everybody else f"{', '.join(whose)}: {problem}"
            for problem, whose in told.items()
        )
        return [*self.agent_problems, *vendors]

    @property
    def agent_problems(self) -> Sequence[str]:
        """The part of it that is wrong with agents' files; whoever ran before goes on."""
        return [*self._files.problems.values(), *self._unfit.values()]

    @property
    def file_problems(self) -> Mapping[str, Sequence[str]]:
        """Agent id, or the name of a file that is none, -> what is wrong with the file as it is
        now, a line each. Files are named without their folder."""
        told: dict[str, list[str]] = {}
        for path, text in self._files.problems.items():
            told[path.stem] = text.replace(f"{path.parent}{os.sep}", "").splitlines()
        for agent_id, text in self._unfit.items():
            told.setdefault(agent_id, []).append(text)
        return told

    @property
    def failures(self) -> Mapping[tuple[str, str], int]:
        """(vendor, code) -> how often it has failed in any call."""
        return self._shared.failures
