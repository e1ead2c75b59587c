"""Whole calls on the three simulated vendors, on virtual time: a small world for tests.

Everything between the telephone and the vendors is the real thing: session, core, engines, voice
detection on recorded speech, the vendors' clients, the journal. Only the models of this machine are
left out: they would take real time, and hide what the vendors do not give.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from services.audio.models import ModelMissing
from services.audio.mulaw import SILENCE
from services.call import events as on
from services.call.conversation import Agent, Caller, Conversation
from services.call.effects import Effect, HangUp, StartReply
from services.call.events import Event
from services.call.timings import Timings
from services.carriers.twilio import TwilioCarrier
from services.engines import CallBrief
from services.engines.choice import Engines
from services.journal import Journal, JournalWriter
from services.receptionist.agent import load_agent
from services.records.latency import LatencyFold
from services.session import Session
from services.settings import load_settings
from tests import speech
from tests.desks import FakeDesk
from tests.phone import FakePhone
from tests.simulators.playback import Playback
from tests.simulators.vendors.base import Simulator
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.legible import text_of
from tests.simulators.vendors.openai import Answers, OpenAISimulator
from tests.test_session import START
from tests.virtual_time import VirtualLoop, run_virtual

AGENT_FILE = Path(__file__).parents[2] / "agents/receptionist.toml"
HEARS_GAP_MS = 400
"""The recorded sentences have shorter pauses, so each is one stretch to the recogniser."""


@cache
def recorded(prompt: str) -> list[bytes]:
    """A recorded prompt as frames."""
    return speech.line(prompt)[25:-50]  # without the silence around it


@contextmanager
def without_embedded_models() -> Iterator[None]:
    """As if the packages with this machine's own recogniser and voice were not installed."""
    missing = ModelMissing("left out of this test")
    with (
        patch("services.engines.ears.Moonshine", side_effect=missing),
        patch("services.engines.voices.HibariVoice", side_effect=missing),
    ):
        yield


def settings_for(
    deepgram: DeepgramSimulator,
    openai: OpenAISimulator,
    elevenlabs: ElevenLabsSimulator,
    **more: Any,
) -> dict[str, Any]:
    """Settings that lead to these simulators."""
    simulators = {"deepgram": deepgram, "openai": openai, "elevenlabs": elevenlabs}
    return {
        **{f"{name}_base_url": simulator.url for name, simulator in simulators.items()},
        **{f"{name}_api_key": simulator.key for name, simulator in simulators.items()},
        "faq_ahead": False,  # the model answers all
        **more,
    }


class Server:
    """What a server has for its calls: the engines, and a writer of journals."""

    def __init__(self, folder: Path, settings: dict[str, Any], timings: Timings) -> None:
        values = {"data_dir": folder, "agent_file": AGENT_FILE, **settings}
        self.timings = timings
        with without_embedded_models():
            self.engines = Engines(load_settings(_env_file=None, **values), load_agent(AGENT_FILE))
        self.writer = JournalWriter(folder / "calls")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        """As in ``main``: warm, until the block ends."""
        await self.engines.warm()
        warmth = asyncio.create_task(self.engines.run(), name="warmth")
        await asyncio.sleep(1)  # for the last of the standing lines
        try:
            yield self
        finally:
            warmth.cancel()
            with suppress(asyncio.CancelledError):
                await warmth
            await self.engines.close()
            self.writer.close()


class Call:
    """One call, from the caller's side; what it left is there after its end, too."""

    def __init__(self, server: Server, number: int = 1) -> None:
        self.phone = FakePhone()
        self.desk = FakeDesk()
        self.entries: list[tuple[float, Event, list[Effect]]] = []
        self.waits_ms: list[float] = []
        """From the end of the caller's voice to the first audio on its way, of each answer."""
        self._latency = LatencyFold()
        self._sent_ms = 0
        carrier = TwilioCarrier()
        carrier.parse(START)
        name = f"CA{number}"
        journal = Journal(name, server.engines.agent_name, server.timings, server.writer)
        journal.watch(self._see)
        self.journal_file = server.writer.folder / journal.name
        self.session = Session(
            name,
            self.phone,
            carrier,
            server.engines.open(CallBrief(name, "+15550100001"), self.desk),
            Conversation(server.timings, server.engines.briefing),
            journal,
        )
        self.began = self.phone.loop.time()
        started = on.CallStarted("+15550100001", "+15550100002")
        self.task = asyncio.create_task(self.session.run(started), name=name)

    def _see(self, now: float, event: Event, effects: list[Effect]) -> None:
        self.entries.append((now, event, effects))
        turn = self._latency.feed(now, event, effects)
        if turn and turn.first_frame is not None:
            self.waits_ms.append(turn.first_frame)

    # --- the caller -------------------------------------------------------------------------------

    async def say(self, prompt: str, *, burst: int = 1) -> None:
        """A recorded prompt; see tests/speech. ``burst``: so many frames come at once."""
        await self._send(recorded(prompt), burst)

    async def listen(self, ms: int, *, burst: int = 1) -> None:
        """Say nothing for so long."""
        await self._send([SILENCE] * (ms // 20), burst)

    async def _send(self, frames: Sequence[bytes], burst: int) -> None:
        """At real speed of the loop's clock."""
        for begin in range(0, len(frames), burst):
            some = frames[begin : begin + burst]
            await asyncio.sleep(0.02 * (len(some) - 1))  # nothing comes before it was spoken
            for frame in some:
                payload = base64.b64encode(frame).decode()
                media = {"track": "inbound", "timestamp": str(self._sent_ms), "payload": payload}
                self.phone.say({"event": "media", "streamSid": "MZ1", "media": media})
                self._sent_ms += 20
            await asyncio.sleep(0.02)

    async def no_frames(self, ms: int) -> None:
        """The carrier sends nothing at all, as some do while nobody speaks."""
        await asyncio.sleep(ms / 1000)
        self._sent_ms += ms

    async def until(
        self, reached: Callable[[], bool], *, within_ms: int = 60_000, burst: int = 1
    ) -> None:
        """Listen until then."""
        for _ in range(within_ms // 20 // burst):
            if reached() or self.task.done():
                break
            await self.listen(20 * burst, burst=burst)
        assert reached(), "it never came to that"

    async def agent_speaks(self) -> None:
        """Listen until an answer is audible."""
        await self.until(lambda: self.session.conversation.agent is Agent.SPEAKING)

    async def agent_is_done(self) -> None:
        """Listen until the agent has said all that it had to say, to 100 ms."""
        talk = self.session.conversation
        await self.until(lambda: bool(self.replies))
        await self.until(lambda: talk.agent is Agent.IDLE and talk.caller is Caller.QUIET, burst=5)

    async def ask(self, prompt: str) -> None:
        """Say something and hear the whole answer."""
        answers = len(self.replies)
        await self.say(prompt)
        await self.until(lambda: len(self.replies) > answers)
        await self.agent_is_done()

    async def hang_up(self) -> None:
        """End the call; returns when all of it is over."""
        self.phone.hang_up()
        await self.task

    # --- what happened ----------------------------------------------------------------------------

    @property
    def history(self) -> list[str]:
        return [turn.text for turn in self.session.conversation.history]

    @property
    def replies(self) -> list[StartReply]:
        """The replies that were begun."""
        return self.effects(StartReply)

    @property
    def hung_up(self) -> list[str]:
        """Why we hung up, if we did."""
        return [effect.reason for effect in self.effects(HangUp)]

    def effects(self, kind: type) -> list[Any]:
        return [one for _, _, effects in self.entries for one in effects if isinstance(one, kind)]

    def events(self, kind: type) -> list[Any]:
        return [event for _, event, _ in self.entries if isinstance(event, kind)]

    def steps(self, reply: int | None = None) -> list[str]:
        """What vendors did (for a reply), in order: "deepgram connected"."""
        return [
            f"{step.vendor} {step.step}"
            for step in self.events(on.VendorStep)
            if reply is None or step.reply == reply
        ]

    @property
    def failures(self) -> list[Any]:
        return self.events(on.VendorFailed)

    def playback(self) -> Playback:
        """What the caller heard, by arrival at the telephone."""
        playback = Playback()
        for at, body in self.phone.sent:
            if body["event"] == "media":
                playback.media(at * 1000, base64.b64decode(body["media"]["payload"]))
            elif body["event"] == "clear":
                playback.clear(at * 1000)
        return playback

    def said(self) -> list[str]:
        """The text of each stretch that was played without a hole."""
        return [text_of(bytes(run.audio)) for run in self.playback().runs]


class World:
    """The vendors, and a server on them."""

    def __init__(
        self,
        deepgram: DeepgramSimulator,
        openai: OpenAISimulator,
        elevenlabs: ElevenLabsSimulator,
        server: Server,
    ) -> None:
        self.deepgram, self.openai, self.elevenlabs = deepgram, openai, elevenlabs
        self.server = server
        self._calls = 0

    @property
    def vendors(self) -> tuple[Simulator, ...]:
        return self.deepgram, self.openai, self.elevenlabs

    @property
    def errors(self) -> list[str]:
        """What the vendors were asked that they should not be."""
        return [error for vendor in self.vendors for error in vendor.errors]

    @property
    def open_sockets(self) -> list[int]:
        return [vendor.open_sockets for vendor in self.vendors]

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Call]:
        """A call. After it no socket and no task of it may be left, and no vendor complains."""
        before = own_tasks()
        self._calls += 1
        call = Call(self.server, self._calls)
        try:
            yield call
        except BaseException:
            call.task.cancel()
            raise
        await call.hang_up()
        assert own_tasks() <= before, "the call left tasks behind"
        await asyncio.sleep(0.1)  # for the vendors to notice
        assert self.open_sockets == [0, 0, 0]
        assert {closed.detail["code"] for closed in self.elevenlabs.entries("closed")} <= {1000}
        assert not self.elevenlabs.sockets
        assert self.errors == []


def on_virtual_time(
    work: Callable[[Path], Coroutine[Any, Any, None]],
) -> Callable[[Path], None]:
    """A test that runs on virtual time; it is given an empty folder."""

    def test(tmp_path: Path) -> None:
        run_virtual(work(tmp_path))

    test.__name__ = work.__name__
    test.__doc__ = work.__doc__
    return test


def stall(seconds: float) -> None:
    """Keep the running virtual loop busy for so long: everything else has to wait."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._jumping.now += seconds


def own_tasks() -> set[asyncio.Task[Any]]:
    """All tasks but those of the simulators, and those that only keep connections warm."""
    return {task for task in asyncio.all_tasks() if not _is_of_others(task.get_coro())}


def _is_of_others(work: Any) -> bool:
    others = "aiohttp", "simulators", "services/vendors/clients.py"
    return any(part in work.cr_code.co_filename for part in others)


@asynccontextmanager
async def vendors(
    folder: Path,
    hears: Any,
    answers: Answers,
    timings: Timings | None = None,
    *,
    simulated: dict[str, dict[str, Any]] | None = None,
    **settings: Any,
) -> AsyncIterator[World]:
    """The world. ``hears``: what each utterance is taken for, in every call from the first on;
    ``simulated``: more for the simulators, by name."""
    more = {"deepgram": {}, "openai": {}, "elevenlabs": {}, **(simulated or {})}
    heard = {"hears": hears, "gap_ms": HEARS_GAP_MS, **more["deepgram"]}
    async with (
        DeepgramSimulator(**heard) as deepgram,
        OpenAISimulator(answers=answers, **more["openai"]) as openai,
        ElevenLabsSimulator(**more["elevenlabs"]) as elevenlabs,
    ):
        values = settings_for(deepgram, openai, elevenlabs, **settings)
        server = Server(folder, values, timings or Timings())
        async with server.running():
            yield World(deepgram, openai, elevenlabs, server)
    assert asyncio.all_tasks() == {asyncio.current_task()}
