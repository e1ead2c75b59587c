"""Several models behind one brain: a hedge against silence, and others when one fails.

A model that says nothing for a while gets company: the first to give anything answers, the others
are cancelled. One that fails is followed by the next at once. If an answer breaks off, another
model goes on after the last word. If no model has anything to say, the last resort answers; it
needs no network.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from contextlib import aclosing

from services.call.effects import Turn
from services.llm import Brain, EndCall, UseTool
from services.llm.race import Items, Link, Model, Plan, Race, Racer
from services.llm.seam import Seam, WholeWords
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from services.vendors import Reports, VendorError

HEDGE_AFTER_MS = 1200
_GO_ON_WITHIN_S = 1.5
_GO_ON_HEDGE_AFTER_S = 0.6
"""After words have been said, a silence is worse than an apology."""
LAST_RESORT = "script"
"""The last resort's name in the journal."""


class BrainChain:
    """The brain of one call, made of models in the order of preference and a last resort.

    ``hedge_on_itself``: where there is no second model, a second request to the same one is the
    hedge. Reports each failure itself; a VendorError that it raises has been reported.
    """

    def __init__(
        self,
        links: Sequence[Link],
        last_resort: Brain,
        reports: Reports | None = None,
        *,
        hedge_after_ms: int = HEDGE_AFTER_MS,
        hedge_on_itself: bool = True,
    ) -> None:
        self._links = links
        self._last_resort = last_resort
        self._reports = reports or Reports()
        self._hedge_after_s = hedge_after_ms / 1000
        self._hedge_on_itself = hedge_on_itself
        self._has_model_spoken = False

    def prepare(self, turns: Sequence[Turn]) -> None:
        """The first model that would be asked prepares itself."""
        if link := next((link for link in self._links if not link.breaker.is_open), None):
            link.brain.prepare(turns)

    async def respond(self, reply: int, turns: Sequence[Turn]) -> Items:
        """Answer the last caller turn. See ``Brain``."""
        plan, talk = Plan(list(self._links), self._reports), _Talk()

        def ask(model: Model) -> Items:
            if talk.said:
                return model.resume(reply, turns, talk.said)
            return model.respond(reply, turns)

        async with Race(plan, self._hedge_after_s, hedge_on_itself=self._hedge_on_itself) as race:
            give_up_at, said = math.inf, ""
            while racer := await race.winner(
                ask, may_be_empty=bool(talk.said), give_up_at=give_up_at
            ):
                self._has_model_spoken = True
                try:
                    told = _told(racer, plan)
                    async with aclosing(told), aclosing(talk.passed_on(told)) as items:
                        async for item in items:
                            yield item
                    return
                except VendorError:
                    if text := talk.broken_off():
                        yield text
                    if talk.said != said:
                        said = talk.said
                        give_up_at = asyncio.get_running_loop().time() + _GO_ON_WITHIN_S
                        race.hurry(_GO_ON_HEDGE_AFTER_S)
        if talk.said and plan.error:
            raise plan.error
        self._reports.step(LAST_RESORT, "answer", reply)
        last = self._last_resort.respond(reply, turns)
        async with aclosing(last), aclosing(talk.passed_on(last)) as items:
            async for item in items:
                yield item

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        """What the last resort says, if it was the one who led the whole call; else nothing:
        it makes no sense of a talk that was not its own."""
        return None if self._has_model_spoken else self._last_resort.unfinished(turns)


async def _told(racer: Racer, plan: Plan) -> Items:
    """All that a winner gives; how it ends is told. An interrupted one has worked."""
    has_failed = False
    try:
        if (first := racer.first.result()) is not None:
            yield first
        async for item in racer.items:  # the race closes them
            yield item
    except VendorError as error:
        has_failed = True
        plan.failed(racer.link, error)
        raise
    finally:
        if not has_failed:
            racer.link.breaker.succeeded()


class _Talk:
    """What was said and done so far in one reply, whoever said it."""

    def __init__(self) -> None:
        self.said = ""
        self._done: dict[Tool, ToolResult] = {}
        self._words = WholeWords()

    async def passed_on(self, items: Items) -> Items:
        """An answer, or the rest of one: in whole words, without repetitions, and with nothing
        done again that was done before the answer broke."""
        seam, self._words = Seam(self.said), WholeWords()
        done_before, end = dict(self._done), None
        async for item in items:
            if isinstance(item, str):
                if text := self._words.feed(seam.feed(item)):
                    self.said += text
                    yield text
            elif isinstance(item, EndCall):
                end = item
            elif not isinstance(item, UseTool):
                yield item
            elif item.request.tool in done_before:
                item.result = done_before[item.request.tool]
            else:
                yield item
                if item.result and item.request.tool.changes_something:
                    self._done[item.request.tool] = item.result
        if text := self._words.feed(seam.flush()) + self._words.flush():
            self.said += text
            yield text
        if end:
            yield end

    def broken_off(self) -> str:
        """The last word of an answer that broke off, if it can be said."""
        text = self._words.broken_off()
        self.said += text
        return text
