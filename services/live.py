"""The calls that are live: who can be typed to, and what the talk page sees of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager

from services.call.effects import CommitTurn, Effect, HangUp, ReportHeard
from services.call.events import (
    AudioProduced,
    CallerHungUp,
    CallerTyped,
    Event,
    TranscriptFinal,
    TranscriptInterim,
)
from services.latency import LatencyFold
from services.session import Session

Sight = Mapping[str, object]
"""What the talk page is shown, ready for JSON: a state, a caption, a latency or the end."""

START_WITHIN_S = 10.0
"""How long a watcher waits for a call that was announced."""
_BACKLOG = 500
"""Sights that a watcher may be behind; one that is slower than that is let go."""


class View:
    """A fold over one call's journal: entries in, sights out."""

    def __init__(self, session: Session) -> None:
        self._conversation = session.conversation
        self._latency = LatencyFold()
        self._state: Sight = {}
        self._caller_caption = 1
        self._said: dict[int, str] = {}

    def see(self, now: float, event: Event, effects: Sequence[Effect]) -> Iterator[Sight]:
        """What this entry changes on the page."""
        state = {
            "type": "state",
            "caller": self._conversation.caller.value,
            "agent": self._conversation.agent.value,
        }
        if state != self._state:
            self._state = state
            yield state
        yield from self._captions(event, effects)
        if figures := self._latency.feed(now, event, effects):
            yield {"type": "latency", "ms": figures.as_dict()}
        for effect in effects:
            if isinstance(effect, HangUp):
                yield {"type": "ended", "reason": effect.reason}
        if isinstance(event, CallerHungUp):
            yield {"type": "ended", "reason": "hangup"}

    def _captions(self, event: Event, effects: Sequence[Effect]) -> Iterator[Sight]:
        match event:
            case TranscriptInterim(text=text) if text:
                yield _caption("caller", self._caller_caption, text, final=False)
            case TranscriptFinal() if self._conversation.words_so_far:
                text = self._conversation.words_so_far
                yield _caption("caller", self._caller_caption, text, final=False)
            case AudioProduced(reply=reply, text=text) if text:
                self._said[reply] = f"{self._said.get(reply, '')} {text}".strip()
                yield _caption("agent", reply, self._said[reply], final=False)
        for effect in effects:
            match effect:
                case CommitTurn(text=text):
                    yield _caption("caller", self._caller_caption, text, final=True)
                    self._caller_caption += 1
                case ReportHeard(reply=reply, text=text):
                    yield _caption("agent", reply, text, final=True)


def _caption(who: str, number: int, text: str, *, final: bool) -> Sight:
    return {"type": "caption", "who": who, "id": number, "text": text, "final": final}


class LiveCalls:
    """The register of live calls, by the carrier's call id."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._watchers: dict[str, set[asyncio.Queue[Sight]]] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    @contextmanager
    def enter(self, session: Session) -> Iterator[None]:
        """Register a call while it lives. A second stream of the same call ends the first."""
        if earlier := self._sessions.get(session.call_id):
            earlier.emit(CallerHungUp("superseded"))
        self._sessions[session.call_id] = session
        view, call_id = View(session), session.call_id

        def show(now: float, event: Event, effects: list[Effect]) -> None:
            sights = list(view.see(now, event, effects))  # a fold: it must miss nothing
            watchers = self._watchers.get(session.call_id, set())
            for watcher in tuple(watchers) if self._sessions.get(call_id) is session else ():
                for sight in sights:
                    _offer(watcher, sight, watchers)

        session.journal.watch(show)
        try:
            yield
        finally:
            if self._sessions.get(session.call_id) is session:
                del self._sessions[session.call_id]
                for watcher in self._watchers.get(session.call_id, set()):
                    _offer(watcher, {"type": "ended", "reason": "closed"}, set())

    def end_all(self, reason: str) -> None:
        """End all calls, as if their callers had hung up."""
        for session in list(self._sessions.values()):
            session.emit(CallerHungUp(reason))

    def type_text(self, call_id: str, text: str) -> bool:
        """A typed turn for a live call; False if there is no such call."""
        session = self._sessions.get(call_id)
        if session is None:
            return False
        session.emit(CallerTyped(text))
        return True

    async def watch(self, call_id: str) -> AsyncIterator[Sight]:
        """The sights of a call until it ends; they may be asked for just before it starts."""
        queue: asyncio.Queue[Sight] = asyncio.Queue(_BACKLOG)
        self._watchers.setdefault(call_id, set()).add(queue)
        try:
            patience = None if call_id in self._sessions else START_WITHIN_S
            sight = await asyncio.wait_for(queue.get(), patience)
            while sight["type"] != "ended":
                yield sight
                sight = await queue.get()
            yield sight
        except TimeoutError:
            yield {"type": "ended", "reason": "not_started"}
        finally:
            watchers = self._watchers.get(call_id, set())
            watchers.discard(queue)
            if not watchers:
                self._watchers.pop(call_id, None)


def _offer(
    watcher: asyncio.Queue[Sight], sight: Sight, watchers: set[asyncio.Queue[Sight]]
) -> None:
    """Show a sight; a watcher that is too far behind is told that it sees no more."""
    try:
        watcher.put_nowait(sight)
    except asyncio.QueueFull:
        watchers.discard(watcher)
        watcher.get_nowait()
        watcher.put_nowait({"type": "ended", "reason": "too_slow"})
