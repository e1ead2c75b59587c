"""The embedded voice: what a caller would hear of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import numpy as np
import pytest

from services.audio.mulaw import RATE_HZ, SILENCE, decode_samples
from services.audio.resample import resample
from services.audio.workers import Workers
from services.stt.moonshine import Moonshine
from services.tts import SpokenAudio
from services.tts.hibari import HibariVoice, _limit, _sentences, _without_boom

GREETING = "Thank you for calling. How can I help you?"
LONG = (
    "We are open Monday to Friday from 9 a.m. to 5 p.m. and on Saturdays until noon. Dr. Lee is in "
    "on Mondays. You can also call (555) 867-5309!  Is there anything else?"
)


@pytest.fixture
async def voice() -> AsyncIterator[HibariVoice]:
    workers = Workers(2)
    voice = HibariVoice(workers)
    await voice.warm()
    yield voice
    workers.close()


async def spoken(voice: HibariVoice, phrase: str) -> list[SpokenAudio]:
    async def phrases() -> AsyncIterator[str]:
        yield phrase

    said: list[SpokenAudio] = []
    await voice.speak(1, phrases(), said.append)
    return said


async def test_a_phrase_is_spoken_loud_enough_and_at_once(voice: HibariVoice) -> None:
    [part] = await spoken(voice, GREETING)
    assert part.text == GREETING
    samples = decode_samples(part.audio)
    audible = np.flatnonzero(np.abs(samples) > 0.01)
    assert audible[0] <= 0.04 * RATE_HZ
    assert 0.2 * RATE_HZ <= len(samples) - audible[-1] <= 0.35 * RATE_HZ
    body = samples[audible[0] : audible[-1]]
    assert -25 <= 20 * np.log10(np.sqrt(np.mean(body**2))) <= -18
    assert np.abs(samples).max() < 1


async def test_the_same_text_sounds_the_same_in_every_process(voice: HibariVoice) -> None:
    workers = Workers(1)
    other = HibariVoice(workers)
    assert await other.render(GREETING) == await voice.render(GREETING)
    workers.close()


async def test_a_long_phrase_comes_sentence_by_sentence(voice: HibariVoice) -> None:
    parts = await spoken(voice, LONG)
    assert "".join(part.text for part in parts) == LONG
    assert len(parts) == 4
    assert all(part.audio for part in parts)


async def test_a_caller_understands_it(voice: HibariVoice) -> None:
    audio = await voice.render("Our number is (555) 867-5309. Please call again tomorrow.")
    text = Moonshine().transcribe(resample(decode_samples(audio), RATE_HZ, 16_000)).text
    assert "555-867-5309" in text or "five, five, five, eight, six, seven" in text.lower()
    assert "call again tomorrow" in text.lower()


@pytest.mark.parametrize("phrase", ["", " ", "👍", "***", "..."])
async def test_what_cannot_be_said_is_a_moment_of_silence(voice: HibariVoice, phrase: str) -> None:
    assert await spoken(voice, phrase) == [SpokenAudio(SILENCE, phrase)]


async def test_nothing_is_rendered_twice(
    voice: HibariVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    audio = await voice.render(GREETING)
    monkeypatch.setattr(voice, "_synthesise", None)
    assert await voice.render(GREETING) == audio
    assert await voice.render(f"**{GREETING}**") == audio


async def test_the_cache_keeps_what_was_used_last_within_its_bytes(
    voice: HibariVoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    rendered: list[str] = []

    def synthesise(said: str) -> bytes:
        rendered.append(said)
        return b"\x55" * 3000

    monkeypatch.setattr(voice, "_synthesise", synthesise)
    monkeypatch.setattr("services.tts.hibari._CACHE_BYTES", 7000)
    for text in ("one", "two", "one", "three", "one", "two"):
        await voice.render(text)
    assert rendered == ["one", "two", "three", "two"]


def test_sentences_are_cut_without_losing_a_character() -> None:
    parts = _sentences(LONG)
    assert "".join(parts) == LONG
    assert parts[1] == "Dr. Lee is in on Mondays. "
    assert _sentences(GREETING) == [GREETING]


def test_the_boom_is_taken_out_and_the_voice_left_in() -> None:
    time = np.arange(RATE_HZ) / RATE_HZ
    for hz, least, most in ((60, 0, 0.02), (100, 0, 0.12), (300, 0.98, 1.01), (2000, 0.99, 1.01)):
        tone = np.sin(2 * np.pi * hz * time).astype(np.float32)
        middle = _without_boom(tone)[2000:6000]
        assert least <= float(np.abs(middle).max()) <= most


def test_peaks_are_rounded_and_the_rest_is_left_alone() -> None:
    limited = _limit(np.array([0.0, 0.5, -0.69, 0.9, -3.0], dtype=np.float32))
    assert limited[:3].tolist() == pytest.approx([0.0, 0.5, -0.69])
    assert 0.8 < limited[3] < 0.9
    assert -1 <= limited[4] < -0.99
