"""The carrier: its numbers, telephones and calls, and what is on record of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

from tests.simulators import twilio_wire as wire
from tests.simulators.carrier import rest
from tests.simulators.carrier.ledger import Note, Request, Text, of
from tests.simulators.carrier.legs import Leg
from tests.simulators.carrier.parties import Party, Trouble
from tests.simulators.carrier.recordings import Recordings
from tests.simulators.carrier.web import Web
from tests.simulators.phone import Speak

ACCOUNT_SID = "AC" + "0" * 31 + "1"
OVER_WITHIN_S = 120.0


class Carrier:
    """One account of Twilio's, and the network behind it. See the package."""

    def __init__(
        self,
        url: str = "",
        *,
        public_url: str = "",
        auth_token: str = "an-auth-token",
        account_sid: str = ACCOUNT_SID,
        voice: str = "/voice-stream",
        fallback: str = "",
        status_callback: str = "",
        numbers: Mapping[str, str] | None = None,
        speak: Speak | None = None,
        trouble: Trouble | None = None,
        speed: float = 1.0,
        rest_port: int = 0,
    ) -> None:
        """``url``: where the server listens; ``public_url``: what it calls itself.

        ``voice``, ``fallback``, ``status_callback``: paths or URLs of the account's numbers;
        ``numbers`` gives single ones another voice URL, and if it is given no other number may call
        or write. ``speak`` voices what parties say: text to mu-law 8 kHz.
        """
        self.auth_token = auth_token
        self.account_sid = account_sid
        self.numbers = dict(numbers or {})
        self.speak = speak
        self.trouble = trouble or Trouble()
        self.speed = speed
        self.requests: list[Request] = []
        self.rest: list[Request] = []
        self.texts: list[Text] = []
        self.errors: list[str] = []
        self.notes: list[Note] = []
        self.calls: dict[str, Leg] = {}
        self.on_note: Callable[[Note], None] | None = None
        self.rest_url = ""
        self.serves(
            url,
            public_url=public_url,
            voice=voice,
            fallback=fallback,
            status_callback=status_callback,
        )
        self.recordings = Recordings(self)
        self.web = Web(self)
        self._telephones: dict[str, Party] = {}
        self._rest = rest.Server(self, rest_port)
        self._tasks: set[asyncio.Task[None]] = set()
        self._began = 0.0
        self._epoch = datetime.now(UTC)

    def serves(
        self,
        url: str,
        *,
        public_url: str = "",
        voice: str = "/voice-stream",
        fallback: str = "",
        status_callback: str = "",
    ) -> None:
        """Say where the server is, once that is known."""
        self.url = url.rstrip("/")
        self.public_url = (public_url or url).rstrip("/")
        self.voice = voice
        self.fallback = fallback
        self.status_callback = status_callback

    def telephone(self, number: str, party: Party) -> None:
        """Who answers a number from now on."""
        self._telephones[number] = party

    def party(self, number: str) -> Party | None:
        """Who answers a number; None: nobody has it."""
        return self._telephones.get(number)

    async def call_in(
        self, from_: str, to: str, party: Party | None = None, *, sid: str = ""
    ) -> Leg:
        """Somebody calls one of the account's numbers. Returns at once; see ``Leg.over``."""
        leg = Leg(
            self,
            sid=sid or wire.new_sid("CA"),
            from_=from_,
            to=to,
            direction="inbound",
            party=party or Party(),
            fallback=self.absolute(self.fallback),
        )
        leg.callbacks.url = self.absolute(self.status_callback)
        leg.callbacks.events = ("completed",)
        self.start(leg.come_in(self.absolute(self.numbers.get(to) or self.voice)), f"in {leg.sid}")
        return leg

    async def over(self, timeout_s: float = OVER_WITHIN_S) -> None:
        """Until every call is over and every callback was made. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while self._tasks:
                await asyncio.wait(self._tasks)

    def of(self, *kinds: str) -> list[Request]:
        """The requests of these kinds that were made of the server."""
        return list(of(self.requests, *kinds))

    # --- for its parts ------------------------------------------------------------------------

    def absolute(self, url: str) -> str:
        """A path of ours as the URL that Twilio was given; empty stays empty."""
        return urljoin(self.public_url + "/", url) if url else ""

    def now_s(self) -> float:
        """Seconds of the network since the beginning."""
        return (asyncio.get_running_loop().time() - self._began) * self.speed

    async def sleep(self, seconds: float) -> None:
        """Let time pass in the network."""
        await asyncio.sleep(max(0.0, seconds) / self.speed)

    def wall(self) -> datetime:
        """The date and time in the network."""
        return datetime.fromtimestamp(self._epoch.timestamp() + self.now_s(), UTC)

    def note(self, call_sid: str, text: str) -> None:
        """Put a line into the log."""
        note = Note(self.now_s(), call_sid, text)
        self.notes.append(note)
        if self.on_note is not None:
            self.on_note(note)

    def error(self, call_sid: str, text: str) -> None:
        """Put something that Twilio would complain of on record."""
        self.errors.append(text)
        self.note(call_sid, f"ERROR {text}")

    def start(self, work: object, name: str) -> asyncio.Task[None]:
        """Do something beside everything else; ``over`` waits for it."""
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.errors.append(f"the simulator failed in {task.get_name()}: {task.exception()!r}")

    async def __aenter__(self) -> Self:
        self._began = asyncio.get_running_loop().time()
        self.rest_url = await self._rest.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for leg in list(self.calls.values()):
            leg.hang_up("the carrier is switched off")
        try:
            await self.over(10)
        except TimeoutError:
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.web.close()
        await self._rest.stop()
