"""A real call with all that may happen to a turn replays to the very same effects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.call.effects import CancelReply, ClearPlayback, CommitReply, StartReply
from services.call.timings import Timings
from services.journal import JournalWriter
from services.llm import BrainEvent
from services.replay import replay
from services.tts import Say, SpokenAudio, Voice
from tests.phone import FakeVoice, sound
from tests.test_session import call
from tests.virtual_time import run_virtual

ANSWERS: list[list[BrainEvent | Exception]] = [
    ["This is for one. "],
    ["This is the beginning of an answer, which goes on and on. ", "And then on."],
    ["On Sunday we are closed. ", "On all other days we are open from nine to five, and " * 2],
]
WORDS = ["A table, please.", "For two, I mean.", "no, on Sunday", "", "mhm"]


class PausingVoice:
    """Speaks as people do, with a pause after each word: where the words are is to be heard."""

    async def run(self) -> None: ...

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        async for phrase in phrases:
            audio = b"".join(sound(word) + b"\xff" * 800 for word in phrase.split())
            say(SpokenAudio(audio, phrase))


async def held_call(folder: Path, voice: Voice) -> tuple[list[str], list[type]]:
    """Its journal, and the kinds of its effects."""
    writer = JournalWriter(folder)
    async with call(WORDS, ANSWERS, Timings(), writer=writer) as held:
        held.session._engine._voice = voice  # type: ignore[attr-defined]
        phone = held.phone
        await phone.listen(1000)
        await phone.speak(600)
        await phone.listen(500)  # an eager reply is begun
        await phone.speak(600)  # and dropped: the caller goes on
        await phone.listen(3500)
        await phone.speak(700)  # an interruption
        await phone.listen(2500)
        await phone.speak(200)  # a cough: the agent pauses and speaks on
        await phone.listen(2500)
        await phone.speak(300)  # a backchannel
        await phone.listen(6000)
        assert held.history[-1] == "".join(map(str, ANSWERS[-1])).strip()
    writer.close()
    kinds = [type(effect) for _, _, effects in held.entries for effect in effects]
    return (folder / held.session.journal.name).read_text().splitlines(), kinds


@pytest.mark.parametrize("voice", [FakeVoice(), PausingVoice()], ids=lambda it: type(it).__name__)
def test_a_call_with_an_interruption_and_an_eager_reply_replays_to_the_same(
    voice: Voice, tmp_path: Path
) -> None:
    lines, kinds = run_virtual(held_call(tmp_path, voice))
    for kind, least in ((ClearPlayback, 2), (CancelReply, 2), (CommitReply, 1), (StartReply, 4)):
        assert kinds.count(kind) >= least, kind
    count, differences = replay(lines)
    assert count > 50
    assert differences == []
