"""The transcriber of a call, with a made-up recogniser and workers that finish when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.audio.mulaw import SILENCE
from services.call.events import (
    EarEvent,
    TranscriptFailed,
    TranscriptFinal,
    TranscriptInterim,
)
from services.stt.embedded import EmbeddedWords, Transcript
from services.stt.utterances import UtteranceTranscriber

VOICE = b"\x10" * 160


class FakeWorkers:
    """Work waits here until the test lets the oldest piece be done."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        self.idle = True

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.waiting.append((lambda: function(*args), future))
        return await future

    async def finish(self, index: int = 0) -> None:
        """Do one piece of work, even if nobody waits for it any more."""
        work, future = self.waiting.pop(index)
        try:
            result = work()
        except Exception as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(result)
        await settle()


class FakeRecogniser:
    """Hears as many words as there are seconds of sound. ``error``: raised instead."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.decoded_s: list[float] = []

    def transcribe(self, samples: Any) -> Transcript:
        if self.error:
            raise self.error
        seconds = len(samples) / 16_000
        self.decoded_s.append(seconds)
        return Transcript(" ".join(f"w{n}" for n in range(1, int(seconds) + 1)), 0.9)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Ears:
    """A transcriber at work, and what it said."""

    def __init__(self) -> None:
        self.workers = FakeWorkers()
        self.recogniser = FakeRecogniser()
        self.said: list[EarEvent] = []
        words = EmbeddedWords(self.recogniser, self.workers)  # type: ignore[arg-type]
        self.transcriber = UtteranceTranscriber(words)

    def start(self, utterance: int, ms: int) -> None:
        """An utterance begins and goes on for ``ms``."""
        self.hear(VOICE, 60)
        self.transcriber.speech_started(utterance, 60)
        self.hear(VOICE, ms - 60)

    def stop(self, utterance: int) -> None:
        self.hear(SILENCE, 200)
        self.transcriber.speech_stopped(utterance)

    def hear(self, frame: bytes, ms: int) -> None:
        for _ in range(ms // 20):
            self.transcriber.hear(frame)


@pytest.fixture
async def ears() -> AsyncIterator[Ears]:
    ears = Ears()
    task = asyncio.create_task(ears.transcriber.run(ears.said.append))
    await settle()
    yield ears
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
def quiet_ears(ears: Ears) -> Ears:
    """Without interim transcripts: the workers are always busy with something."""
    ears.workers.idle = False
    return ears


# --- finals ---------------------------------------------------------------------------------------


async def test_an_utterance_gets_its_final(quiet_ears: Ears) -> None:
    ears = quiet_ears
    ears.start(1, 1200)
    ears.stop(1)
    await settle()
    assert ears.said == []
    await ears.workers.finish()
    assert ears.said == [TranscriptFinal(1, 1, "w1")]


async def test_the_whole_turn_is_decoded_again_at_each_pause(quiet_ears: Ears) -> None:
    ears = quiet_ears
    for utterance in (1, 2):
        ears.start(utterance, 1200)
        ears.stop(utterance)
        await settle()
        await ears.workers.finish()
    assert ears.said == [TranscriptFinal(1, 1, "w1"), TranscriptFinal(1, 2, "w1 w2")]


async def test_of_the_pauses_that_workers_are_behind_with_the_last_one_answers_for_all(
    quiet_ears: Ears,
) -> None:
    ears = quiet_ears
    ears.start(1, 1200)
    ears.stop(1)
    await settle()  # a worker has begun with the first
    for utterance in (2, 3, 4):
        ears.start(utterance, 1200)
        ears.stop(utterance)
    await ears.workers.finish()
    await ears.workers.finish()
    assert [(final.first, final.last) for final in ears.said] == [(1, 1), (1, 4)]


async def test_a_turn_does_not_answer_for_another(quiet_ears: Ears) -> None:
    ears = quiet_ears
    for utterance in (1, 2):
        ears.start(utterance, 1200)
        ears.stop(utterance)
        ears.transcriber.turn_committed()
    await settle()
    await ears.workers.finish()
    await ears.workers.finish()
    assert [(final.first, final.last) for final in ears.said] == [(1, 1), (2, 2)]


async def test_after_a_commit_a_new_turn_begins(quiet_ears: Ears) -> None:
    ears = quiet_ears
    ears.start(1, 1200)
    ears.stop(1)
    await settle()
    ears.transcriber.turn_committed()  # the words were too late for it
    await ears.workers.finish()
    ears.start(2, 1200)
    ears.stop(2)
    await settle()
    await ears.workers.finish()
    assert ears.said == [TranscriptFinal(1, 1, "w1"), TranscriptFinal(2, 2, "w1")]


async def test_a_commit_amid_an_utterance_leaves_that_utterance_whole(quiet_ears: Ears) -> None:
    ears = quiet_ears
    ears.start(1, 3000)
    ears.stop(1)
    await settle()
    await ears.workers.finish()
    ears.start(2, 600)
    ears.transcriber.turn_committed()
    ears.hear(VOICE, 600)
    ears.stop(2)
    await settle()
    await ears.workers.finish()
    assert ears.said[1:] == [TranscriptFinal(2, 2, "w1")]


async def test_hardly_any_voice_is_not_shown_to_the_recogniser(quiet_ears: Ears) -> None:
    ears = quiet_ears
    ears.start(1, 100)
    ears.stop(1)
    await settle()
    assert ears.said == [TranscriptFinal(1, 1, "")]
    assert ears.workers.waiting == []


async def test_a_recogniser_that_fails_is_reported_and_tried_again(quiet_ears: Ears) -> None:
    ears = quiet_ears
    ears.recogniser.error = MemoryError()
    ears.start(1, 1200)
    ears.stop(1)
    await settle()
    await ears.workers.finish()
    ears.recogniser.error = None
    ears.start(2, 1200)
    ears.stop(2)
    await settle()
    await ears.workers.finish()
    assert ears.said == [TranscriptFailed(1, "MemoryError"), TranscriptFinal(1, 2, "w1 w2")]


async def test_what_was_decoded_of_a_long_turn_is_not_decoded_again(quiet_ears: Ears) -> None:
    ears = quiet_ears
    for utterance in range(1, 6):
        ears.start(utterance, 4000)
        ears.stop(utterance)
        await settle()
        await ears.workers.finish()
    assert len(ears.recogniser.decoded_s) == 6  # the first four utterances once more, alone
    assert ears.recogniser.decoded_s[-1] < 5
    assert max(ears.recogniser.decoded_s) <= 20
    last = ears.said[-1]
    assert isinstance(last, TranscriptFinal)
    assert (last.first, last.last) == (1, 5)
    assert len(last.text.split()) > 18


# --- interim transcripts --------------------------------------------------------------------------


async def test_while_the_caller_speaks_words_come_but_for_the_last(ears: Ears) -> None:
    ears.start(1, 3600)
    await settle()
    await ears.workers.finish()
    assert ears.said == []  # begun after half a second, with no word to be sure of
    ears.hear(VOICE, 500)
    await settle()
    await ears.workers.finish()
    assert ears.said == [TranscriptInterim(1, 1, "w1 w2")]


async def test_interim_transcripts_come_no_oftener_than_every_half_second(ears: Ears) -> None:
    ears.start(1, 60)
    for _ in range(100):
        ears.hear(VOICE, 20)
        await settle()
        if ears.workers.waiting:
            await ears.workers.finish()
    assert len(ears.recogniser.decoded_s) == 4  # in two seconds


async def test_there_are_none_while_the_workers_are_busy(ears: Ears) -> None:
    ears.workers.idle = False
    ears.start(1, 3000)
    await settle()
    assert ears.workers.waiting == []
    ears.workers.idle = True
    ears.hear(VOICE, 20)
    await settle()
    assert len(ears.workers.waiting) == 1


async def test_a_pause_drops_the_interim_transcript_that_is_being_made(ears: Ears) -> None:
    ears.start(1, 3000)
    await settle()
    ears.stop(1)
    await settle()
    assert len(ears.workers.waiting) == 2
    await ears.workers.finish(1)  # the final overtakes it
    await ears.workers.finish(0)
    assert ears.said == [TranscriptFinal(1, 1, "w1 w2 w3")]


async def test_a_commit_drops_it_too(ears: Ears) -> None:
    ears.start(1, 3000)
    await settle()
    ears.transcriber.turn_committed()
    await ears.workers.finish()
    assert ears.said == []


async def test_no_interim_transcript_overtakes_a_final(ears: Ears) -> None:
    ears.start(1, 400)
    ears.stop(1)
    ears.start(2, 3000)
    await settle()
    assert len(ears.workers.waiting) == 1
    await ears.workers.finish()
    assert ears.said == [TranscriptFinal(1, 1, "")]
    ears.hear(VOICE, 20)
    await settle()
    await ears.workers.finish()
    assert ears.said[1:] == [TranscriptInterim(1, 2, "w1 w2")]


async def test_an_interim_transcript_that_fails_harms_nobody(ears: Ears) -> None:
    ears.recogniser.error = MemoryError()
    ears.start(1, 3000)
    await settle()
    await ears.workers.finish()
    ears.recogniser.error = None
    ears.stop(1)
    await settle()
    while ears.workers.waiting:
        await ears.workers.finish()
    assert ears.said == [TranscriptFinal(1, 1, "w1 w2 w3")]
