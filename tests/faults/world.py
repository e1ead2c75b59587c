"""A world for one cell of the fault table: the three vendors, the real engines, and calls.

Everything runs on virtual time. The embedded engines are replaced by legible stand-ins, or left
out: what was heard can then be read, whoever spoke.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from aiohttp import web

from services.audio.models import ModelMissing
from services.audio.silero import Silero
from services.engines.choice import Engines
from services.settings import load_settings
from tests.faults.caller import Saying, hears
from tests.faults.stand_ins import CountedFaults, StandInVoice, StandInWords, agent_of, openai_here
from tests.simulators.vendors.base import Simulator
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.openai import OpenAISimulator
from tests.vendors.calls import settings_for

_LINES_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class Kind:
    """What kind of world: who hears, who speaks, whether ElevenLabs does so over a socket, whether
    there is a last resort, and whether a recogniser gives words before a stretch of speech is
    over."""

    stt: str = "deepgram"
    tts: str = "elevenlabs"
    has_socket_voice: bool = True
    has_embedded: bool = True
    has_interims: bool = False


@dataclass(eq=False, slots=True)
class World:
    """The vendors and the engines."""

    kind: Kind
    deepgram: DeepgramSimulator
    openai: OpenAISimulator
    elevenlabs: ElevenLabsSimulator
    saying: Saying
    hibari: StandInVoice
    engines: Engines
    running: asyncio.Task[None] | None = None
    """What keeps the engines warm."""

    @property
    def simulators(self) -> tuple[Simulator, Simulator, Simulator]:
        return self.deepgram, self.openai, self.elevenlabs

    @property
    def met(self) -> int:
        """How many requests and sockets have met a fault."""
        return sum(simulator.faults.met for simulator in self.simulators)  # type: ignore[attr-defined]

    def cut(self, simulator: Simulator) -> None:
        """Every connection to the vendor is cut now."""
        for connection in _server(simulator).connections:
            if connection.transport is not None:
                connection.transport.abort()

    async def shut(self, simulator: Simulator) -> None:
        """Nobody listens at the vendor's any more; its connections are cut."""
        assert simulator._runner is not None
        for site in list(simulator._runner.sites):
            await site.stop()
        self.cut(simulator)

    async def open_again(self, simulator: Simulator) -> None:
        """Somebody listens there again."""
        assert simulator._runner is not None
        await web.TCPSite(simulator._runner, "127.0.0.1", simulator._port).start()

    async def rest(self) -> None:
        """Nothing is kept warm any more."""
        if self.running:
            self.running.cancel()
            await asyncio.gather(self.running, return_exceptions=True)

    def left_open(self) -> list[str]:
        """What is still open at a vendor."""
        left = [
            f"{simulator.open_sockets} sockets at {type(simulator).__name__}"
            for simulator in self.simulators
            if simulator.open_sockets
        ]
        left += [f"contexts {socket._contexts}" for socket in self.elevenlabs.sockets]
        for simulator in self.simulators:
            name = type(simulator).__name__
            left += [
                f"a request at {name}"
                for one in _server(simulator).connections
                if one._current_request
            ]
        return left

    @property
    def errors(self) -> list[str]:
        """What the simulators found wrong with their clients."""
        return [error for simulator in self.simulators for error in simulator.errors]


def _server(simulator: Simulator) -> web.Server[Any]:
    assert simulator._runner is not None
    assert simulator._runner.server is not None
    return simulator._runner.server


@asynccontextmanager
async def world(
    kind: Kind, folder: Path, before: Callable[[World], Coroutine[Any, Any, None]]
) -> AsyncIterator[World]:
    """A world whose standing lines are rendered; ``before`` strikes before they are."""
    saying = Saying()
    deepgram = DeepgramSimulator(
        hears=saying if kind.has_interims else hears, one_call=kind.has_interims, gap_ms=400
    )
    async with deepgram, ElevenLabsSimulator() as eleven, openai_here() as openai:
        for simulator in (deepgram, openai, eleven):
            simulator.faults = CountedFaults()
        hibari = StandInVoice()
        engines = _engines(kind, folder, deepgram, openai, eleven, hibari)
        here = World(kind, deepgram, openai, eleven, saying, hibari, engines)
        await before(here)
        await engines.warm()
        here.running = asyncio.create_task(engines.run(), name="engines")
        try:
            await asyncio.sleep(_LINES_WITHIN_S)
            yield here
        finally:
            await here.rest()
            await engines.close()


def _engines(
    kind: Kind,
    folder: Path,
    deepgram: DeepgramSimulator,
    openai: OpenAISimulator,
    elevenlabs: ElevenLabsSimulator,
    hibari: StandInVoice,
) -> Engines:
    """The real ones, but for the models of this machine."""
    values = settings_for(
        deepgram,
        openai,
        elevenlabs,
        stt=kind.stt,
        llm="openai",
        tts=kind.tts,
        openai_speech_model="gpt-4o-mini-tts" if kind.tts == "openai" else "",
        faq_ahead=True,
        data_dir=folder,
    )

    def moonshine(folder: str) -> None:
        if not kind.has_embedded:
            raise ModelMissing("no Moonshine here")

    embedded = (hibari, "") if kind.has_embedded else (None, "no Hibari here")
    with ExitStack() as patches:
        for place, stand_in in {
            "services.engines.ears.Moonshine": moonshine,
            "services.engines.ears.EmbeddedWords": lambda *_: StandInWords(),
            "services.engines.voices._embedded": lambda _: embedded,
            "services.engines.choice.Silero": _silero,
            "ssl.create_default_context": _tls,
        }.items():
            patches.enter_context(mock.patch(place, stand_in))
        return Engines(load_settings(_env_file=None, **values), agent_of(kind.has_socket_voice))


_silero = cache(Silero)
_new_tls = ssl.create_default_context


@cache
def _tls(*_: Any, **__: Any) -> ssl.SSLContext:
    """One for all worlds: it is not used, and takes 40 ms each time."""
    return _new_tls()
