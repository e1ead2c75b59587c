"""One leg of a call: a telephone's connection to the carrier, and the documents performed on it."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from tests.simulators import webhook
from tests.simulators.carrier import progress, verbs
from tests.simulators.carrier.documents import Document
from tests.simulators.carrier.ledger import Request
from tests.simulators.carrier.parties import Answers, Party, Words
from tests.simulators.carrier.progress import Callbacks, Detection
from tests.simulators.carrier.voices import Clips, render
from tests.simulators.carrier.web import Fetch

if TYPE_CHECKING:
    from tests.simulators.carrier.box import Carrier
    from tests.simulators.stream import MediaStream

T = TypeVar("T")

MAX_DOCUMENTS = 200
"""A call that asks for more is going round in circles."""

TERMINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class HangUp:
    """An order to end the leg; the text says whose."""

    why: str


Order = HangUp | Fetch | Document
Source = Fetch | Document


@dataclass(slots=True, eq=False)
class Leg:
    """A call as the network sees it. ``call_in`` gives the caller's; a ``<Dial>`` adds children.

    ``heard``: what the party was told without a stream; ``sounds``: what was played to it, as
    mu-law. ``streams``: its media streams, with what
    was heard there (``streams[0].playback``). ``failures``: where scripts went wrong.
    """

    carrier: Carrier
    sid: str
    from_: str
    to: str
    direction: str
    party: Party | None
    fallback: str = ""
    parent: Leg | None = None
    callbacks: Callbacks = field(default_factory=Callbacks)
    status: str = "queued"
    answered_s: float | None = None
    ended_s: float | None = None
    ended_by: str = ""
    heard: list[str] = field(default_factory=list)
    sounds: list[bytes] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    children: list[Leg] = field(default_factory=list)
    streams: list[MediaStream] = field(default_factory=list)
    farewell: Callable[[], Awaitable[Any]] | None = None
    final_status: str = ""
    clips: Clips = field(default_factory=dict)
    _gathers: int = 0
    _records: int = 0
    _sequence: int = 0
    _orders: asyncio.Queue[Order] = field(default_factory=asyncio.Queue)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _told: list[asyncio.Task[None]] = field(default_factory=list)
    _timer: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.carrier.calls[self.sid] = self

    # --- for tests ----------------------------------------------------------------------------

    async def over(self, timeout_s: float = 120.0) -> None:
        """Until the call is over and everyone was told. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._ended.wait()
            await asyncio.gather(*self._told, *(child.over() for child in self.children))

    def hang_up(self, why: str = "the party hangs up") -> None:
        """Put the receiver down, from outside of all scripts. Nothing if the call is over."""
        if not self.is_over:
            self._orders.put_nowait(HangUp(why))

    def redirect(self, source: Source) -> None:
        """Have it go on with another document."""
        self._orders.put_nowait(source)

    @property
    def is_over(self) -> bool:
        """Whether it has a final status."""
        return self.status in TERMINAL

    @property
    def duration_s(self) -> float:
        """How long it was connected."""
        if self.answered_s is None:
            return 0.0
        return (self.ended_s or self.carrier.now_s()) - self.answered_s

    @property
    def requests(self) -> list[Request]:
        """The requests of the server that were about this leg."""
        return [each for each in self.carrier.requests if each.form.get("CallSid") == self.sid]

    # --- its life -----------------------------------------------------------------------------

    async def come_in(self, url: str) -> None:
        """A call to one of the account's numbers."""
        self.status = "ringing"
        self.clips = await render(self.party, self.carrier.speak)
        self._start_timer()
        self.carrier.note(self.sid, f"a call from {self.from_} to {self.to}")
        try:
            finished = await self.drive(Fetch("voice", url))
            unanswered = self.answered_s is None and not finished and not self.final_status
            await self.end("no-answer" if unanswered and self.ended_by else "completed")
        finally:
            await self.end("failed")

    async def go_out(self, first: Source, ring_s: float, detection: Detection | None) -> None:
        """A call that was asked for by REST."""
        self.clips = await render(self.party, self.carrier.speak)
        try:
            outcome = await self.ringing(ring_s)
            if outcome:
                await self.end(outcome)
                return
            assert self.party is not None
            if detection is not None and detection.callback:
                self.later(progress.detect(self, detection, self.party), "detection")
            elif detection is not None:
                await self.carrier.sleep(self.party.verdict_s)
                if isinstance(first, Fetch):
                    first.form["AnsweredBy"] = detection.verdict(self.party)
            await self.drive(first)
            await self.end("completed")
        finally:
            await self.end("failed")

    async def ringing(self, ring_s: float) -> str:
        """Ring the telephone; empty once it was picked up, else how it ended."""
        outcome = await self.interruptible(self._ring(ring_s))
        return outcome if isinstance(outcome, str) else "canceled"

    async def _ring(self, ring_s: float) -> str:
        party = self.party
        self.happen("initiated", "initiated")
        if party is None or party.answers is Answers.UNREACHABLE:
            await self.carrier.sleep(1)
            return "failed"
        if party.answers is Answers.BUSY:
            await self.carrier.sleep(1)
            return "busy"
        self.happen("ringing", "ringing")
        if party.answers is Answers.RINGS_ON or party.rings_s >= ring_s:
            await self.carrier.sleep(ring_s)
            return "no-answer"
        await self.carrier.sleep(party.rings_s)
        if party.answers is Answers.REFUSES:
            return "busy"
        self.pick_up()
        return ""

    def pick_up(self) -> None:
        """From now on it is connected, and costs money."""
        if self.answered_s is not None:
            return
        self.answered_s = self.carrier.now_s()
        if self.direction != "inbound":
            self._start_timer()
        self.happen("answered", "in-progress")

    async def end(self, status: str) -> None:
        """It is over. Nothing if it was already."""
        if self.is_over:
            return
        self.status = self.final_status or status
        self.ended_s = self.carrier.now_s()
        if self._timer is not None:
            self._timer.cancel()
        farewell, self.farewell = self.farewell, None
        if farewell is not None:
            await farewell()
        self.happen("completed", self.status)
        self.carrier.note(self.sid, f"over: {self.status} {self.ended_by}".rstrip())
        self._ended.set()

    # --- documents ----------------------------------------------------------------------------

    async def drive(self, source: Source) -> bool:
        """Perform documents, and what REST orders meanwhile. False if the leg was hung up; True if
        there was nothing left to do."""
        while True:
            outcome = await self.interruptible(self._perform(source))
            if isinstance(outcome, HangUp):
                self.ended_by = outcome.why
                return False
            if isinstance(outcome, bool):
                return outcome
            self.farewell = None
            source = outcome

    async def _perform(self, source: Source) -> bool:
        for _ in range(MAX_DOCUMENTS):
            document = source if isinstance(source, Document) else await self._fetch(source)
            for error in document.errors:
                self.carrier.error(self.sid, error)
            if document.is_lost:
                self.heard.append("say: an application error has occurred")
                return False
            outcome = await verbs.perform(self, document)
            if isinstance(outcome, bool):
                return outcome
            source = outcome
        self.carrier.error(self.sid, f"the call asked for {MAX_DOCUMENTS} documents")
        return False

    async def _fetch(self, fetch: Fetch) -> Document:
        document = await self.carrier.web.document(self.sid, fetch, self.form())
        if not document.is_lost or not self.fallback:
            return document
        for error in document.errors:
            self.carrier.error(self.sid, error)
        code = document.errors[0].partition(":")[0]
        extra = {"ErrorCode": code, "ErrorUrl": fetch.url}
        instead = Fetch("fallback", self.fallback, "POST", extra)
        return await self.carrier.web.document(self.sid, instead, self.form())

    async def interruptible(self, work: Coroutine[Any, Any, T]) -> T | Order:
        """Do something until it is done or there is an order."""
        task = asyncio.create_task(work, name=f"leg {self.sid}")
        order = asyncio.create_task(self._orders.get(), name=f"orders {self.sid}")
        try:
            await asyncio.wait({task, order}, return_when=asyncio.FIRST_COMPLETED)
            if not order.done():
                return task.result()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return order.result()
        finally:
            task.cancel()
            order.cancel()
            await asyncio.gather(task, order, return_exceptions=True)

    async def party_hangs_up(self, why: str = "the party hangs up") -> None:
        """The party ends the call in the middle of a verb; never returns."""
        self.hang_up(why)
        await asyncio.Event().wait()

    # --- what the party brings ----------------------------------------------------------------

    def next_keys(self) -> str:
        """What the party presses at this ``<Gather>``."""
        self._gathers += 1
        keys = self.party.keys if self.party else ()
        return keys[self._gathers - 1] if self._gathers <= len(keys) else ""

    def next_words(self) -> Words:
        """What the party says into this ``<Record>``."""
        self._records += 1
        says = self.party.says if self.party else ()
        words = says[self._records - 1] if self._records <= len(says) else ""
        return words if isinstance(words, Words) else Words(words)

    def _start_timer(self) -> None:
        if self.party is not None and self.party.hangs_up_s < math.inf:
            self._timer = asyncio.create_task(self._lose_patience(self.party.hangs_up_s))

    async def _lose_patience(self, seconds: float) -> None:
        await self.carrier.sleep(seconds)
        self.hang_up()

    # --- telling the server -------------------------------------------------------------------

    def form(self) -> dict[str, str]:
        """The fields of every request that is about this leg."""
        form = webhook.form(self.carrier.account_sid, self.sid, self.from_, self.to)
        form |= {"CallStatus": self.status, "Direction": self.direction}
        if self.direction != "inbound":
            del form["CallToken"]
        if self.parent is not None:
            form["ParentCallSid"] = self.parent.sid
        return form

    def happen(self, event: str, status: str) -> None:
        """The leg has got further; those who asked for it are told."""
        self.status = status
        self.carrier.note(self.sid, f"{event}: {self.from_} -> {self.to} ({status})")
        progress.tell(self, event, self._sequence)
        if self.direction != "inbound":
            self._sequence += 1

    def later(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Do something beside the call; it is not over before that is done."""
        self._told.append(self.carrier.start(work, f"{name} {self.sid}"))
