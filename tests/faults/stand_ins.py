"""Who stands in for whom in the fault table: the embedded engines, the model, the agent."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from services.audio.mulaw import encode_samples
from services.call.effects import Turn
from services.receptionist.agent import Agent, load_agent
from services.receptionist.script.dialogue import Dialogue
from services.stt.turn_audio import Piece
from services.tts import Say, SpokenAudio
from services.tts.speakable import speakable
from tests.faults.caller import hears
from tests.faults.side_by_side import call_number
from tests.simulators.vendors.base import Fault, Faults
from tests.simulators.vendors.legible import spell
from tests.simulators.vendors.openai import OpenAISimulator, Reply, ToolCall
from tests.speech import TEXTS

AGENT_FILE = Path(__file__).parents[2] / "agents/receptionist.toml"
CALLER = "+15550001"
GREETING = "Hello, this is Ava. How can I help?"
ANSWERS = {
    TEXTS["please-try-call-later"]: "Of course, we will call you back soon. Maria knows about it.",
    TEXTS["vm-msgsaved"]: "That is good to hear, thank you very much. Anything else from you?",
    TEXTS["hours"]: "We open early on all weekdays. Friday is a short day.",
    TEXTS["location"]: "You find us next to the library. Look for a green door.",
}
"""What the model says to what the caller says."""

NO_FINISH = "no finish_reason"
"""The reason of a fault that ends a stream of OpenAI's in good order, but in its middle."""

_EMBEDDED_S = 0.1


class StandInVoice:
    """In place of Hibari: legible, and it notes what it spoke."""

    name = "hibari"

    def __init__(self) -> None:
        self.spoken: list[tuple[int, float]] = []
        """In which call, and when."""

    async def warm(self) -> None: ...

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        async for phrase in phrases:
            audio = await self.render(phrase)
            self.spoken.append((call_number.get(), asyncio.get_running_loop().time()))
            say(SpokenAudio(audio, phrase))

    async def render(self, text: str) -> bytes:
        await asyncio.sleep(_EMBEDDED_S)
        return spell(speakable(text))


class StandInWords:
    """In place of Moonshine: hears every word that is in the audio."""

    name = "moonshine"
    idle = True

    async def words(self, pieces: Sequence[Piece]) -> str:
        await asyncio.sleep(_EMBEDDED_S)
        return hears(b"".join(piece.audio for piece in pieces))


def model(messages: list[dict[str, Any]]) -> Reply:
    """The language model: answers what was asked, and goes on where an answer broke off. It is not
    good at that, and repeats the last two words."""
    said = ""
    if messages[-1]["content"].startswith("(Technical note"):
        said, messages = messages[-2]["content"], messages[:-2]
    asked = [message["content"] for message in messages if message["role"] == "user"][-1]
    answers = [answer for question, answer in ANSWERS.items() if asked.endswith(question)]
    if not answers:
        return "I do not know that."
    assert answers[0].startswith(said.rstrip()), f"no such answer: {said}"
    rest = answers[0][len(said) :]
    return f"{' '.join(said.split()[-2:])} {rest.lstrip()}" if said and rest else rest or "."


def openai_here() -> OpenAISimulator:
    """OpenAI, whose streams may also end too early."""
    openai = OpenAISimulator(answers=model, transcripts=_transcript)
    strike = openai.strike

    async def strike_or_end(link: int, fault: Fault, hit: Any) -> None:
        await (hit.__self__.end() if fault.reason == NO_FINISH else strike(link, fault, hit))

    openai.strike = strike_or_end  # type: ignore[method-assign]
    return openai


def _transcript(file: bytes) -> str:
    """The words in a WAV file of linear samples."""
    samples = np.frombuffer(file[44:], dtype="<i2").astype(np.float32)
    return hears(encode_samples(samples / 32768))


def clumsy(messages: list[dict[str, Any]]) -> Reply:
    """A model whose tool calls are never JSON."""
    return ToolCall("take_message", '{"name": "Anna", "mess')


class CountedFaults(Faults):
    """Also knows how many requests and sockets have met one."""

    __slots__ = ("met",)

    def __init__(self) -> None:
        super().__init__()
        self.met = 0

    def take(self, endpoint: str) -> Fault | None:
        fault = super().take(endpoint)
        self.met += fault is not None
        return fault


@cache
def agent_of(has_socket_voice: bool) -> Agent:
    """The receptionist."""
    agent = load_agent(AGENT_FILE)
    engines = dataclasses.replace(agent.engines, use_persistent_tts=has_socket_voice)
    lines = dataclasses.replace(agent.lines, greeting=GREETING)
    return dataclasses.replace(agent, engines=engines, lines=lines)


def script(turns: Sequence[Turn]) -> str:
    """What the script answers to the last of these turns."""
    return _dialogue().fold(turns).reply.text


@cache
def _dialogue() -> Dialogue:
    agent = agent_of(True)
    zone = agent.business.timezone
    return Dialogue(agent, lambda: datetime.now(zone), CALLER)
