"""The calls that are live: who can be typed to, and what the talk page sees of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from services.call.effects import CommitTurn, Effect, HangUp, ReportHeard, Turn
from services.call.events import (
    AudioProduced,
    CallerHungUp,
    CallerTyped,
    Event,
    TranscriptFinal,
    TranscriptInterim,
)
from services.records.latency import TurnLatency
from services.session import Session

Sight = Mapping[str, object]
"""What the talk page is shown, ready for JSON: a state, a caption, a latency or the end."""

Show = Callable[[float, Event, Sequence[Effect], TurnLatency | None], None]
"""``show(now, event, effects, turn)``: an entry of a call's journal; ``turn`` is the latency of a
turn that it completed."""

START_WITHIN_S = 10.0
"""How long a watcher waits for a call that was announced."""
_BACKLOG = 500
"""Sights that a watcher may be behind; one that is slower than that is let go."""


class View:
    """A fold over one call's journal: entries in, sights out."""

    def __init__(self, session: Session) -> None:
        self._conversation = session.conversation
        self._states: tuple[object, object] = (None, None)
        self._caller_caption = 1
        self._said: dict[int, str] = {}

    def see(
        self, event: Event, effects: Sequence[Effect], turn: TurnLatency | None
    ) -> Iterator[Sight]:
        """What this entry changes on the page; ``turn`` is the latency of a turn that is whole with
        it."""
        caller, agent = states = self._conversation.caller, self._conversation.agent
        if states != self._states:
            self._states = states
            yield {"type": "state", "caller": caller.value, "agent": agent.value}
        yield from self._captions(event, effects)
        if turn:
            yield {"type": "latency", "ms": turn.as_dict()}
        for effect in effects:
            if isinstance(effect, HangUp):
                yield {"type": "ended", "reason": effect.reason}
        if isinstance(event, CallerHungUp):
            yield {"type": "ended", "reason": "hangup"}

    def follow(self, event: Event, effects: Sequence[Effect]) -> None:
        """Take in an entry that nobody sees: whoever comes to watch finds captions whole."""
        if type(event) is AudioProduced and event.text:
            self._said[event.reply] = f"{self._said.get(event.reply, '')} {event.text}".strip()
        for effect in effects:
            if type(effect) is CommitTurn:
                self._caller_caption += 1

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

    def session(self, call_id: str) -> Session | None:
        """The session of a live call."""
        return self._sessions.get(call_id)

    def state(self, call_id: str) -> tuple[str, str] | None:
        """What caller and agent are doing in a live call."""
        if session := self._sessions.get(call_id):
            return session.conversation.caller.value, session.conversation.agent.value
        return None

    def turns(self, call_id: str) -> tuple[Turn, ...]:
        """What was said so far in a live call."""
        session = self._sessions.get(call_id)
        return tuple(session.conversation.history) if session else ()

    @contextmanager
    def enter(self, session: Session) -> Iterator[Show]:
        """Register a call while it lives; gives what wants to be shown every entry of its journal.
        A second stream of the same call ends the first."""
        if earlier := self._sessions.get(session.call_id):
            earlier.emit(CallerHungUp("superseded"))
        self._sessions[session.call_id] = session
        view, call_id = View(session), session.call_id

        def show(
            now: float, event: Event, effects: Sequence[Effect], turn: TurnLatency | None
        ) -> None:
            watchers = self._watchers.get(call_id)
            if not watchers:
                view.follow(event, effects)
                return
            sights = list(view.see(event, effects, turn))
            for watcher in tuple(watchers) if self._sessions.get(call_id) is session else ():
                for sight in sights:
                    _offer(watcher, sight, watchers)

        try:
            yield show
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
