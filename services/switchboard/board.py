"""The switchboard: where a call stands between two webhooks, and what the carrier hears next.

A streamed call's TwiML is a stream and then "ask ``after``": once our socket has closed the carrier
asks what is next, and a transfer needs no request of ours. Where a call stands is in the store, so
it goes on after the server was started anew; what the store cannot say costs no caller the call.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from datetime import datetime
from typing import Any, Protocol

from services.call.effects import Purpose, Turn
from services.call.events import Event
from services.carriers import twiml
from services.receptionist.agent import Agent, Path_
from services.receptionist.books import NewEscalation
from services.store import CallState, Direction, NewCall, StoredCall
from services.switchboard.call_book import GUESSED_END, CallBook, announce, is_over
from services.switchboard.connecting import ALL_LINES_BUSY, connect, webhook
from services.switchboard.open_streams import OpenStreams
from services.switchboard.routing import Record, Reject, RingFirst, Stream, path, route, shown
from services.switchboard.tokens import Announced, Tokens
from services.switchboard.transfers import Dialled, TransferDesk, is_open

log = logging.getLogger(__name__)

NO_STREAM = "I'm sorry, we have a technical problem. Please call again in a few minutes."
_REMEMBERED = 1000
WITHDRAW_AFTER_S = 20.0
"""A socket may close though the caller is there: the carrier asks what is next within seconds."""

OUTBOUND_PREFIX = "OUT"
"""How our ids of calls that go out begin; those of calls that come in are the carrier's: ``CA``."""

RecordTwiml = Callable[[str, Announced], Awaitable[str]]
"""``record_twiml(base, call)``: TwiML that holds a call turn by turn, from its opening line on."""


class Directory(Protocol):
    """The agents; see ``services.fleet``."""

    @property
    def agents(self) -> Mapping[str, Agent]: ...
    def for_number(self, called: str) -> tuple[str, Agent]: ...
    def agent(self, agent_id: str) -> Agent: ...


class LiveSession(Protocol):
    """A call that has a stream; see ``services.session``."""

    def emit(self, event: Event) -> None: ...


class Live(Protocol):
    """The calls that have a stream; see ``services.live``."""

    def session(self, call_id: str) -> LiveSession | None: ...


class Switchboard:
    """Answers the webhooks of calls with TwiML. Implements ``Escalations`` of
    ``services.receptionist.books`` and ``Line`` of ``services.calls``.

    ``base`` is the address under which the carrier reached us. Set ``full``, ``turns_of`` (what was
    said in a live call), ``record_twiml``, ``let_go`` (told before a recorded call goes on) and
    ``outbound_began`` once there is something to set them to; without ``record_twiml`` there is no
    recording path.
    """

    def __init__(
        self, book: CallBook, agents: Directory, tokens: Tokens, now: Callable[[], datetime]
    ) -> None:
        """``now`` gives an aware time."""
        self.book = book
        self.agents = agents
        self.transfers = TransferDesk(book, agents, self.come_back)
        self.streams = OpenStreams()
        self.full: Callable[[], bool] = lambda: False
        self.turns_of: Callable[[str], tuple[Turn, ...]] = lambda call_id: ()
        self.record_twiml: RecordTwiml | None = None
        self.let_go: Callable[[str], None] = lambda call_id: None
        self.outbound_began: Callable[[str], Coroutine[Any, Any, None]] | None = None
        self._tokens = tokens
        self._now = now
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._mended: dict[str, None] = {}

    # --- a call comes in --------------------------------------------------------------------------

    async def incoming(self, base: str, sid: str, caller: str, called: str) -> str:
        """A call has come in. Asked again for the same call, the same."""
        agent_id, agent = self.agents.for_number(called)
        known = await self.book.get(sid)
        way = route(agent, caller, called, known.started_at if known else self._now(), sid)
        refusal = await self._refused(sid, agent_id, caller, called, known, isinstance(way, Reject))
        if refusal or isinstance(way, Reject):
            return refusal or twiml.reject("busy")
        final = way.otherwise if isinstance(way, RingFirst) else way
        if known is None:
            await self.book.start(_new(sid, agent_id, caller, called, self._path(final)))
        if isinstance(way, RingFirst):
            action = webhook(base, "rang", sid)
            return twiml.ring(way.numbers, way.secs, action, caller_id=shown(caller, called))
        return await self._take(base, Announced(sid, caller, called, agent=agent_id), final)

    async def admit(self, sid: str, caller: str, called: str) -> Announced | str:
        """A call has come in that is to be recorded, whatever the rules say: it is on record now;
        or the TwiML that refuses it."""
        agent_id, agent = self.agents.for_number(called)
        known = await self.book.get(sid)
        way = route(agent, caller, called, self._now(), sid)
        refusal = await self._refused(sid, agent_id, caller, called, known, isinstance(way, Reject))
        if refusal:
            return refusal
        if known is None:
            await self.book.start(_new(sid, agent_id, caller, called, "record"))
        return Announced(sid, caller, called, agent=agent_id)

    async def readmit(self, call_id: str) -> Announced | str | None:
        """A recorded call of which this process does not know: the server was started anew. TwiML
        for one that is over, None for one that is not on record."""
        call = await self.book.get(call_id)
        if call is None:
            return None
        if is_over(call) or call.path != "record":
            return twiml.hang_up()
        return await self._returning(call, Purpose.APOLOGY)

    async def _refused(
        self,
        sid: str,
        agent_id: str,
        caller: str,
        called: str,
        known: StoredCall | None,
        is_blocked: bool,
    ) -> str:
        """TwiML for a call that is not taken; empty for one that is."""
        if is_blocked:
            document, outcome = twiml.reject("busy"), "blocked"
        elif (known is None and self.full()) or (known and known.outcome == "busy"):
            document, outcome = twiml.refuse(ALL_LINES_BUSY), "busy"
            log.warning("call %s: refused, all lines busy", sid)
        else:  # a webhook that comes when its call is over begins nothing
            return twiml.hang_up() if known and is_over(known) else ""
        if known is None:
            await self.book.start(_new(sid, agent_id, caller, called, "stream"))
            await self.book.finish(sid, f"refused: {outcome}", outcome)
        return document

    def _path(self, way: Stream | Record) -> Path_:
        return "record" if isinstance(way, Record) and self.record_twiml else "stream"

    async def rang(self, base: str, call_id: str, dialled: Dialled) -> str:
        """The staff's telephones have rung: somebody took it, or the agent does."""
        call = await self.book.get(call_id)
        if call is None:
            return twiml.hang_up()
        if dialled.took:
            await self.book.finish(call_id, "staff: answered", "transferred")
            return twiml.hang_up()
        if dialled.caller_gone or is_over(call):
            await self.book.finish(call_id, "caller: hangup", "abandoned")
            return twiml.hang_up()
        if self.full():
            await self.book.finish(call_id, "refused: busy", "busy")
            return twiml.refuse(ALL_LINES_BUSY)
        agent = self.agents.agent(call.agent)
        way = path(agent, call.caller, call.called, call.started_at, call_id)
        return await self._take(base, announce(call), way)

    async def _take(self, base: str, call: Announced, way: Stream | Record) -> str:
        if isinstance(way, Record) and self.record_twiml:
            return await self.record_twiml(base, call)
        return connect(self._tokens, base, call)

    # --- a stream begins and ends -----------------------------------------------------------------

    def stream_began(self, call_id: str) -> None:
        """A call's stream is up: ``Calls`` tells it as soon as the call has started."""
        self.streams.began(call_id)
        answered = self.book.update(call_id, answered_at=self._now())
        self._spawn(answered, f"{call_id}/answered")
        if self.outbound_began and call_id.startswith(OUTBOUND_PREFIX):
            self._spawn(self.outbound_began(call_id), f"{call_id}/began")

    def stream_ended(self, call_id: str, reason: str) -> None:
        """A call's stream is about to close, or has closed; ``Calls`` tells it as soon as that is
        decided, before the socket is closed, and may tell it twice. The recording path tells it of
        its calls, too.

        ``reason`` is ``agent: <HangUp.reason>``, ``caller: <CallerHungUp.reason>`` or ``crash``.
        """
        self.streams.ended(call_id, reason, self.turns_of(call_id))
        if reason == "caller: stop":
            self._spawn(self.transfers.withdraw(call_id), f"{call_id}/withdraw")
        elif reason.startswith("caller: ") and call_id not in self._timers:
            loop = asyncio.get_running_loop()
            self._timers[call_id] = loop.call_later(WITHDRAW_AFTER_S, self._withdraw, call_id)

    def _withdraw(self, call_id: str) -> None:
        del self._timers[call_id]
        self._spawn(self.transfers.withdraw(call_id), f"{call_id}/withdraw")

    async def after(self, base: str, call_id: str) -> str:
        """The stream is over, or never came up, and the call lives: what is next?"""
        call = await self.book.get(call_id)
        if call is None:
            return twiml.hang_up()
        self.let_go(call_id)
        reason = await self.streams.reason(call_id)
        wish = await self.book.wish(call_id)
        if wish is not None and is_open(wish):
            if not reason.startswith("agent: ") or reason == "agent: transfer":
                return await self.transfers.dial(base, call, wish)
            await self.transfers.withdraw(call_id)
        was_held = self.streams.was_held(call_id)
        if reason == "crash" or (not was_held and _is_guessed(call)):
            return await self._again(base, call)
        if was_held and not reason and call.path == "record" and self.record_twiml:
            return await self.record_twiml(base, announce(call))  # asked twice: the same again
        if was_held or call.state in (CallState.LIVE, CallState.ENDED):
            return twiml.hang_up()
        return await self._without_stream(base, call)

    async def _again(self, base: str, call: StoredCall) -> str:
        """The stream, or the whole server, broke down while the caller was speaking with it: go on
        in another one, once."""
        if call.id in self._mended:
            return twiml.refuse(NO_STREAM)
        self._mended[call.id] = None
        if len(self._mended) > _REMEMBERED:
            del self._mended[next(iter(self._mended))]
        log.warning("call %s: its stream broke down; it goes on in another one", call.id)
        return await self.come_back(base, call, Purpose.APOLOGY)

    async def _without_stream(self, base: str, call: StoredCall) -> str:
        """The carrier could not open the stream: the caller is not left with nothing."""
        if self.full():  # then it was us who closed it
            await self.book.finish(call.id, "refused: busy", "busy")
            return twiml.refuse(ALL_LINES_BUSY)
        log.warning("call %s: the media stream did not come up", call.id)
        error = call.error or "the media stream did not come up"
        if self.record_twiml is None:
            await self.book.finish(call.id, "stream failed", "failed", error)
            return twiml.refuse(NO_STREAM)
        await self.book.update(call.id, path="record")
        now = await self.book.get(call.id)
        if now is None or not now.error:  # the carrier may just have told why
            await self.book.update(call.id, error=error)
        if call.direction is Direction.OUTBOUND:
            return await self.record_twiml(base, announce(call, Purpose.OUTBOUND))
        if call.state is CallState.TRANSFERRED:
            return await self.record_twiml(base, await self._returning(call, Purpose.NOBODY_THERE))
        return await self.record_twiml(base, announce(call))

    # --- transfers --------------------------------------------------------------------------------

    async def ask(self, wish: NewEscalation) -> None:
        """Put the caller through as soon as the reply in progress was said. One at a time: a second
        wish of a call takes the place of the first while that was not carried out. Raises
        StoreError."""
        await self.book.ask(wish)

    async def transferred(self, base: str, call_id: str, dialled: Dialled) -> str:
        """A ``<Dial>`` to a person is over."""
        call = await self.book.get(call_id)
        return await self.transfers.transferred(base, call, dialled) if call else twiml.hang_up()

    async def whisper(self, base: str, call_id: str) -> str:
        """A person has picked up, and hears who is on the line."""
        call = await self.book.get(call_id)
        return await self.transfers.whisper(base, call) if call else twiml.hang_up()

    async def accept(self, call_id: str, digits: str) -> str:
        """The person has pressed a key."""
        call = await self.book.get(call_id)
        return await self.transfers.accept(call, digits) if call else twiml.hang_up()

    async def come_back(
        self, base: str, call: StoredCall, opening: Purpose = Purpose.NOBODY_THERE
    ) -> str:
        """Bring a caller back to the agent, who begins with ``opening``."""
        if is_over(call):
            return twiml.hang_up()
        if self.full():
            await self.book.finish(call.id, "refused: busy", "busy")
            return twiml.refuse(ALL_LINES_BUSY)
        self.streams.next_is_due(call.id)
        # Should the stream not come up, `after` knows by this state that none was held.
        await self.book.update(call.id, state=CallState.TRANSFERRED)
        returning = await self._returning(call, opening)
        if call.path == "record" and self.record_twiml:
            return await self.record_twiml(base, returning)
        return connect(self._tokens, base, returning)

    async def _returning(self, call: StoredCall, opening: Purpose) -> Announced:
        # What is on record may lack the words, or the last of them.
        earlier = self.streams.turns(call.id) or await self.book.turns(call.id)
        return announce(call, opening, earlier)

    # --- tasks ------------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up what waits. The next start settles it."""
        for timer in self._timers.values():
            timer.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _new(sid: str, agent_id: str, caller: str, called: str, path: Path_) -> NewCall:
    return NewCall(
        sid, agent_id, path=path, caller=caller, called=called, sid=sid, state=CallState.RINGING
    )


def _is_guessed(call: StoredCall) -> bool:
    """Whether a start of the server has given the call up; the caller may be there still."""
    return call.state is CallState.ENDED and call.end_reason == GUESSED_END
