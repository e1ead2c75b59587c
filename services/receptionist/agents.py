"""All agents of the server: the files of a folder, looked at again while calls go on.

A file that cannot be used leaves what ran before as it was. Nothing here waits for anything but the
disk; whoever must not block calls ``refresh`` in a thread.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from services.receptionist.agent import Agent, AgentFileError, read_agent
from services.receptionist.agent.checks import doubts, left_open
from services.receptionist.agent.file import AgentFile, contents, decoded

log = logging.getLogger(__name__)

GONE_AFTER_LOOKS = 2
"""An editor may put a new file in the place of the old one: for a moment there is none."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_FOR_ONE = "GREETING and BUSINESS_NAME are for one agent"


@dataclass(slots=True)
class _File:
    """A file as it was last seen. ``agent`` is None if it cannot be used; ``problem`` says why."""

    path: Path
    stamp: tuple[int, ...] = ()
    digest: bytes = b""
    text: AgentFile[Agent] | None = None
    agent: Agent | None = None
    problem: str = ""
    misses: int = 0

    def complain(self, key: str, text: str) -> str:
        """A complaint about a key, with its place."""
        return (self.text or AgentFile(str(self.path), "")).told([((key,), text)])


class Agents:
    """The agents by id, which is the file's name without its suffix."""

    def __init__(
        self, place: Path, *, greeting: str = "", business_name: str = "", owner_phone: str = ""
    ) -> None:
        """``place``: a folder of ``*.toml``, or one file. ``greeting`` and ``business_name`` are
        for one agent only; ``owner_phone`` is for each file that names none.

        Raises AgentFileError, with all that is wrong, if no agent can be used."""
        self._place = place
        self._is_folder = place.is_dir()
        self._overrides = {"greeting": greeting, "business_name": business_name}
        self._owner_phone = owner_phone
        self._files: dict[str, _File] = {}
        self._current: Mapping[str, Agent] = {}
        self._problems: Mapping[Path, str] = {}
        self._misnamed: dict[Path, str] = {}
        self._look_again()
        if not self._current:
            nothing = f"{place}: holds no agent; expected a file like receptionist.toml"
            raise AgentFileError("\n".join(self._problems.values()) or nothing)
        several = sum(file.agent is not None for file in self._files.values()) > 1
        if several and any(self._overrides.values()):
            raise AgentFileError(
                f"{_FOR_ONE}, and {place} holds several; write them into the files"
            )

    @property
    def current(self) -> Mapping[str, Agent]:
        """The agents that answer now."""
        return self._current

    @property
    def problems(self) -> Mapping[Path, str]:
        """What is wrong with a file, as it is now; an agent that ran before goes on as it was."""
        return self._problems

    def for_number(self, called: str) -> tuple[str, Agent]:
        """The agent that answers a number: the one that serves it, or else the one without numbers,
        or else the first by name."""
        agent_id = answering(self._current, called)
        return agent_id, self._current[agent_id]

    def refresh(self) -> set[str]:
        """Look at the files again; the ids of the agents that changed, came or went. May block."""
        before, told = self._current, self._problems
        self._look_again()
        for path, text in self._problems.items():
            if told.get(path) != text:
                log.warning("%s", text)
        for path in told:
            if path not in self._problems:
                log.info("%s: can be used again", path)
        ids = {*before, *self._current}
        return {name for name in ids if before.get(name) is not self._current.get(name)}

    # --- the files --------------------------------------------------------------------------------

    def _look_again(self) -> None:
        problems: dict[Path, str] = {}
        try:
            self._look_at_all()
        except OSError as error:
            problems[self._place] = f"{self._place}: cannot be read: {error.strerror}"
        before, current = self._current, self._settled(problems)
        if before and not current:
            current = dict(before)
            problems.setdefault(self._place, f"{self._place}: holds no agent any more")
        self._current, self._problems = MappingProxyType(current), MappingProxyType(problems)

    def _look_at_all(self) -> None:
        """Raises OSError if the folder cannot be read."""
        paths = self._paths()
        self._misnamed = {
            path: f"{path}: its name is the agent's id; expected letters, digits, - and _ only"
            for path in paths
            if not _ID.fullmatch(path.stem)
        }
        present = {path.stem: path for path in paths if path not in self._misnamed}
        for agent_id in [known for known in self._files if known not in present]:
            self._files[agent_id].misses += 1
            if self._files[agent_id].misses >= GONE_AFTER_LOOKS:
                del self._files[agent_id]
        for agent_id, path in present.items():
            self._look(self._files.setdefault(agent_id, _File(path)))

    def _paths(self) -> list[Path]:
        if not self._is_folder:
            return [self._place]
        toml = (path for path in self._place.iterdir() if path.suffix == ".toml")
        return sorted(path for path in toml if not path.name.startswith("."))

    def _look(self, file: _File) -> None:
        """Read the file again if it is another than before."""
        file.misses = 0
        stamp = _stamp(file.path)
        if stamp == file.stamp and stamp:
            return
        try:
            data = contents(file.path)
        except AgentFileError as error:
            file.stamp, file.digest = (), b""
            file.agent, file.problem = None, str(error)
            return
        if file.stamp and stamp != _stamp(file.path):
            return  # it is being written; next time
        file.stamp, digest = stamp, hashlib.sha256(data).digest()
        if digest != file.digest:
            file.digest = digest
            self._read(file, data)

    def _read(self, file: _File, data: bytes) -> None:
        try:
            file.text = AgentFile(str(file.path), decoded(file.path, data))
            file.agent, file.problem = self._with_settings(file.text, read_agent(file.text)), ""
        except AgentFileError as error:
            file.agent, file.problem = None, str(error)
            return
        if doubt := file.text.told(doubts(file.agent)):
            log.warning("%s", doubt)

    def _with_settings(self, text: AgentFile[Agent], agent: Agent) -> Agent:
        """Raises AgentFileError for what does not fit to the settings."""
        agent = agent.with_overrides(**self._overrides, owner_phone=self._owner_phone)
        text.refuse(left_open(agent))
        return agent

    # --- which of them answer ---------------------------------------------------------------------

    def _settled(self, problems: dict[Path, str]) -> dict[str, Agent]:
        """The agents that can answer together; what keeps others from it goes into ``problems``."""
        problems.update(self._misnamed)
        running, wanted = self._current, dict[str, Agent]()
        for agent_id, file in sorted(self._files.items()):
            if file.problem:
                problems[file.path] = file.problem
            now = running.get(agent_id)
            chosen = now if file.agent is None or file.agent == now else file.agent
            if chosen:
                wanted[agent_id] = chosen
        while conflict := self._conflict(wanted):
            *both, key, text = conflict
            # agents that run have no conflict among themselves, so one of the two is new
            loser = [name for name in both if wanted[name] is not running.get(name)][-1]
            file, other = self._files[loser], self._files[both[both[0] == loser]]
            problems[file.path] = file.complain(key, text.format(other=other.path))
            del wanted[loser]
            if loser in running:
                wanted[loser] = running[loser]
        return dict(sorted(wanted.items()))

    def _conflict(self, agents: Mapping[str, Agent]) -> tuple[str, str, str, str] | None:
        """The first two agents that cannot answer side by side, the key, and what to say of it."""
        if len(agents) > 1 and any(self._overrides.values()):
            one, other = sorted(agents)[:2]
            return one, other, "name", f"{_FOR_ONE}, which is {{other}}; write them into the files"
        owners: dict[str, str] = {}
        for agent_id, agent in sorted(agents.items()):
            for number in agent.numbers or ("",):
                owner = owners.setdefault(number, agent_id)
                if owner != agent_id:
                    return owner, agent_id, "numbers", _claimed_twice(number)
        return None


def answering(agents: Mapping[str, Agent], called: str) -> str:
    """The id of the agent that answers a number; see ``Agents.for_number``. There must be one."""
    number = re.sub(r"[\s().-]", "", called)
    serving = (agent_id for agent_id, agent in agents.items() if number in agent.numbers)
    for_all = (agent_id for agent_id, agent in sorted(agents.items()) if not agent.numbers)
    return next(serving, None) or next(for_all, None) or min(agents)


def validate_text(name: str, source: str) -> list[str]:
    """What is wrong with the text of an agent file; empty if nothing is. ``name`` stands for the
    file in the messages. Takes some ms."""
    text: AgentFile[Agent] = AgentFile(name, source.removeprefix("\ufeff"))
    try:
        read_agent(text)
    except AgentFileError as error:
        return str(error).split("\n")
    return []


def _stamp(path: Path) -> tuple[int, ...]:
    """What changes when a file does; nothing if there is none."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino


def _claimed_twice(number: str) -> str:
    """``number``: empty for all that nobody else answers."""
    if number:
        return f"{number} is answered by {{other}}, too; leave it in one of the two files"
    return (
        "is missing here and in {other}, but only one agent can answer all other numbers; "
        'write numbers = ["+1..."] at the top of one of the two'
    )
