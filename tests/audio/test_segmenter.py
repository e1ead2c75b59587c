"""Utterances out of a detector's decisions, which are made up here."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.audio.mulaw import SILENCE
from services.audio.segmenter import Segmenter
from services.call.events import SpeechStarted, SpeechStopped

Fact = SpeechStarted | SpeechStopped


class FakeVad:
    """Says what it was told to say: for each frame, the voice so far, in frames."""

    def __init__(self, voiced_frames: Sequence[int]) -> None:
        self._voiced = iter(voiced_frames)

    def hear_soon(self, frame: bytes) -> None: ...

    def hear(self, frame: bytes) -> int:
        return next(self._voiced) * 20


def facts(voiced_frames: Sequence[int]) -> list[tuple[int, Fact]]:
    """The facts, each with the number of the frame that made it certain."""
    segmenter = Segmenter(FakeVad(voiced_frames))
    found = (segmenter.hear(SILENCE) for _ in voiced_frames)
    return [(number, fact) for number, fact in enumerate(found, start=1) if fact]


def test_silence_gives_no_facts() -> None:
    assert facts([0] * 100) == []


def test_an_utterance_starts_with_60_ms_of_voice_and_stops_after_200_ms_of_silence() -> None:
    assert facts([0, 1, 2, 3, 4, 5] + [0] * 20) == [
        (4, SpeechStarted(1, voiced_ms=60)),
        (16, SpeechStopped(1, silence_ms=200)),
    ]


def test_voice_that_became_certain_late_is_reported_with_its_length() -> None:
    assert facts([0, 0, 7, 8]) == [(3, SpeechStarted(1, voiced_ms=140))]


def test_less_voice_than_that_is_a_click() -> None:
    assert facts([1, 2, 0] * 20) == []


def test_a_short_pause_does_not_end_an_utterance() -> None:
    voice = [1, 2, 3, 4]
    assert [fact for _, fact in facts(voice + [0] * 9 + voice + [0] * 9 + voice)] == [
        SpeechStarted(1, voiced_ms=60)
    ]


def test_utterances_are_numbered() -> None:
    found = facts(([1, 2, 3, 4] + [0] * 10) * 3)
    assert [fact.utterance for _, fact in found] == [1, 1, 2, 2, 3, 3]


@given(st.lists(st.integers(0, 9), max_size=300))
def test_starts_and_stops_alternate_whatever_is_voiced(voiced_frames: list[int]) -> None:
    found = [fact for _, fact in facts(voiced_frames)]
    assert all(isinstance(fact, SpeechStarted) for fact in found[::2])
    assert all(isinstance(fact, SpeechStopped) for fact in found[1::2])
    assert [fact.utterance for fact in found] == [n // 2 + 1 for n in range(len(found))]
