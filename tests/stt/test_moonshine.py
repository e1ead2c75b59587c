"""The real recogniser on human telephone speech, cut out of the line by the real segmenter."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import numpy as np
import pytest

from services.audio.models import ModelMissing
from services.audio.segmenter import Segmenter
from services.audio.vad import Silero, make_vad
from services.audio.workers import Workers
from services.call.events import EarEvent, SpeechStarted, TranscriptFinal
from services.stt.embedded import EmbeddedWords, Transcript
from services.stt.moonshine import Moonshine, _is_false, _read_tokenizer
from services.stt.utterances import UtteranceTranscriber
from tests.speech import TEXTS, line

DIGITS = {str(number): TEXTS[f"digit-{number}"] for number in range(10)}


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    return Moonshine()


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero()


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(1)
    yield workers
    workers.close()


def plain(text: str) -> str:
    """Only the words: no marks, no capitals, digits as words."""
    text = re.sub(r"\d", lambda digit: f" {DIGITS[digit[0]]} ", text)
    return " ".join(re.findall(r"[a-z']+", text.lower()))


async def heard(
    moonshine: Moonshine, silero: Silero, workers: Workers, sound: list[bytes]
) -> list[EarEvent]:
    """What the transcriber says of a line, each utterance's final waited for."""
    said: asyncio.Queue[EarEvent] = asyncio.Queue()
    finals: list[EarEvent] = []
    segmenter = Segmenter(make_vad(silero))
    transcriber = UtteranceTranscriber(EmbeddedWords(moonshine, workers))
    async with asyncio.TaskGroup() as tasks:
        ears = tasks.create_task(transcriber.run(said.put_nowait))
        for frame in sound:
            transcriber.hear(frame)
            match segmenter.hear(frame):
                case None:
                    pass
                case SpeechStarted() as fact:
                    transcriber.speech_started(fact.utterance, fact.voiced_ms)
                case fact:
                    transcriber.speech_stopped(fact.utterance)
                    finals.append(await said.get())
        ears.cancel()
    return finals


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - {"digit-4"}))
async def test_human_prompts_are_understood(
    moonshine: Moonshine, silero: Silero, workers: Workers, name: str
) -> None:
    final = (await heard(moonshine, silero, workers, line(name)))[-1]
    assert isinstance(final, TranscriptFinal)
    assert plain(final.text) == plain(TEXTS[name])


async def test_a_turn_of_several_utterances_is_one_text(
    moonshine: Moonshine, silero: Silero, workers: Workers
) -> None:
    finals = await heard(moonshine, silero, workers, line("hello", "please-try-again"))
    assert [(final.first, final.last) for final in finals] == [(1, 1), (1, 2)]
    assert plain(finals[-1].text) == "hello please try again"


async def test_a_spoken_number(moonshine: Moonshine, silero: Silero, workers: Workers) -> None:
    names = [f"digit-{digit}" for digit in "5558675309"]
    finals = await heard(moonshine, silero, workers, line(*names, gap_ms=120, noise=5))
    assert plain(finals[-1].text) == " ".join(TEXTS[name] for name in names)


def test_noise_and_silence_hold_no_words(moonshine: Moonshine) -> None:
    rng = np.random.default_rng(2)
    for loud in (0, 0.001, 0.01, 0.1):
        sound = (rng.standard_normal(32_000) * loud).astype(np.float32)
        assert moonshine.transcribe(sound).text == ""


@pytest.mark.parametrize("size", [0, 1, 500, 1599, 1600])
def test_next_to_no_sound_is_no_error(moonshine: Moonshine, size: int) -> None:
    assert moonshine.transcribe(np.zeros(size, dtype=np.float32)).text == ""


@pytest.mark.parametrize(
    ("text", "confidence", "false"),
    [
        ("", 0.9, True),
        ("♪", 0.9, True),
        ("You.", 0.9, True),
        ("Thank you.", 0.7, False),
        ("The", 0.06, True),
        ("7", 0.6, False),
    ],
)
def test_false_text_is_known_by_its_looks(text: str, confidence: float, false: bool) -> None:
    assert _is_false(Transcript(text, confidence)) is false


def test_the_tokenizer_file_format() -> None:
    long = b"x" * 130
    data = b"\x00" + b"\x02ab" + bytes([130, 1]) + long + b"\x06<0x41>" + b"\x05<pad>"
    assert _read_tokenizer(data) == [b"", b"ab", long, b"A", b""]


def test_a_folder_without_the_models_is_refused() -> None:
    with pytest.raises(ModelMissing, match="encoder_model.ort"):
        Moonshine("/no/such/folder")
