"""The detectors on human speech and on noise, through the segmenter that they work for."""

from __future__ import annotations

import numpy as np
import pytest

from services.audio.mulaw import SILENCE, encode_samples, loudness
from services.audio.segmenter import Segmenter
from services.audio.silero import CONTEXT_SAMPLES, WINDOW_SAMPLES, Silero
from services.audio.vad import ALONE_MS, GatedVad, Vad, WebRtcVad, make_vad
from services.call.events import SpeechStarted, SpeechStopped
from tests.speech import frames, line

PROMPTS = ["please-try-again", "vm-nobodyavail", "vm-leavemsg", "hello", "spy-agent", "digit-9"]
SECONDS = 2
TIME = np.arange(8000 * SECONDS) / 8000


@pytest.fixture(scope="module")
def silero() -> Silero:
    return Silero()


def heard(vad: Vad, line: list[bytes]) -> list[tuple[int, SpeechStarted | SpeechStopped]]:
    """The facts of a line, each with the number of the frame that made it certain."""
    segmenter = Segmenter(vad)
    found = (segmenter.hear(frame) for frame in line)
    return [(number, fact) for number, fact in enumerate(found, start=1) if fact]


def first_voice(name: str) -> int:
    """The number of the first frame of a clean line that is within 30 dB of its loudest."""
    loud = [loudness(frame) for frame in line(name)]
    return next(number for number, value in enumerate(loud, start=1) if value > max(loud) / 32)


# --- speech ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", [0, 30, 100])
@pytest.mark.parametrize("name", PROMPTS)
def test_speech_starts_soon_after_its_first_voiced_frame(
    silero: Silero, name: str, noise: float
) -> None:
    found = heard(make_vad(silero), line(name, noise=noise))
    number, start = found[0]
    assert isinstance(start, SpeechStarted)
    assert -40 <= (number - first_voice(name)) * 20 <= 100
    assert 60 <= start.voiced_ms <= 120
    assert isinstance(found[-1][1], SpeechStopped)


def test_two_prompts_are_two_utterances(silero: Silero) -> None:
    found = heard(make_vad(silero), line("hello", "please-try-again"))
    assert [fact.utterance for _, fact in found] == [1, 1, 2, 2]


@pytest.mark.parametrize("name", PROMPTS)
def test_webrtc_alone_hears_clean_speech_a_little_later(name: str) -> None:
    found = heard(make_vad(None), line(name))
    number, start = found[0]
    assert start == SpeechStarted(1, voiced_ms=ALONE_MS)
    assert (number - first_voice(name)) * 20 <= 180
    assert isinstance(found[-1][1], SpeechStopped)


# --- what is no speech ----------------------------------------------------------------------------


def burst(ms: int, loud: float, *, dull: bool = False) -> np.ndarray:
    """Noise in the middle of silence; dull: without its high frequencies, like a cough."""
    noise = np.random.default_rng(3).standard_normal(8 * ms) * loud
    if dull:
        noise = np.convolve(noise, np.ones(9) / 3, "same")
    sound = np.zeros(len(TIME))
    sound[8000 : 8000 + len(noise)] = noise
    return sound


def tone(*frequencies: float) -> np.ndarray:
    return sum((np.sin(2 * np.pi * hz * TIME) for hz in frequencies), np.zeros(len(TIME)))


NOISES = {
    "silence": np.zeros(len(TIME)),
    "click": burst(1, 0.9),
    "burst": burst(50, 0.3),
    "cough": burst(55, 0.3, dull=True),
    "hum": tone(60) * 0.05 + tone(180, 300, 420) * 0.01,
    "quiet noise": np.random.default_rng(4).standard_normal(len(TIME)) * 0.003,
    "loud noise": np.random.default_rng(5).standard_normal(len(TIME)) * 0.1,
    "dial tone": tone(350, 440) * 0.2,
    "key 5": tone(770, 1336) * 0.3 * (TIME % 1 < 0.1),
}


@pytest.mark.parametrize("kind", NOISES)
def test_noise_does_not_start_speech(silero: Silero, kind: str) -> None:
    sound = frames(encode_samples(NOISES[kind].astype(np.float32)))
    assert heard(make_vad(silero), sound) == []


@pytest.mark.parametrize("kind", ["silence", "click", "quiet noise"])
def test_webrtc_alone_is_not_fooled_by_small_things(kind: str) -> None:
    sound = frames(encode_samples(NOISES[kind].astype(np.float32)))
    assert heard(make_vad(None), sound) == []


# --- the gate -------------------------------------------------------------------------------------


class FakeSilero:
    """A network that counts its windows and always says the same."""

    def __init__(self, probability: float) -> None:
        self._probability = probability
        self.windows = 0

    def start(self) -> None:
        return None

    def ask(self, pcm: bytes, before: None) -> None:
        assert len(pcm) == 2 * (CONTEXT_SAMPLES + WINDOW_SAMPLES)
        self.windows += 1

    def answer(self, asked: None) -> tuple[float, None]:
        return self._probability, None


def gated(probability: float) -> tuple[GatedVad, FakeSilero]:
    fake = FakeSilero(probability)
    return GatedVad(fake), fake  # type: ignore[arg-type]


def test_silero_sleeps_on_a_silent_line() -> None:
    vad, silero = gated(1)
    assert {vad.hear(SILENCE) for _ in range(500)} == {0}
    assert silero.windows == 0


def test_silero_has_the_last_word() -> None:
    speech = line("please-try-again")
    sure, unsure = gated(1)[0], gated(0.35)[0]
    assert max(sure.hear(frame) for frame in speech) > 500
    assert {unsure.hear(frame) for frame in speech} == {0}


def test_silero_sleeps_again_after_speech_and_forgets_it() -> None:
    vad, silero = gated(1)
    for frame in line("please-try-again"):
        last = vad.hear(frame)
    assert last == 0
    windows = silero.windows
    assert {vad.hear(SILENCE) for _ in range(100)} == {0}
    assert silero.windows == windows


@pytest.mark.parametrize("frames", [1, 2, 7, 40])
def test_what_is_announced_is_heard_as_if_it_were_not(silero: Silero, frames: int) -> None:
    lines = [line(name, noise=30) for name in PROMPTS]
    alone = [[vad.hear(frame) for frame in sound] for vad, sound in _with_vads(silero, lines)]
    found: list[list[int]] = [[] for _ in lines]
    calls = _with_vads(silero, lines)
    for place in range(0, max(map(len, lines)), frames):
        for number, (vad, sound) in enumerate(calls):
            announced = frames - number % 2  # some hear a last frame of which they were not told
            for frame in sound[place : place + announced]:
                vad.hear_soon(frame)
        for number, (vad, sound) in enumerate(calls):
            found[number] += [vad.hear(frame) for frame in sound[place : place + frames]]
    assert found == alone
    assert max(map(max, found)) > 300


def _with_vads(silero: Silero, lines: list[list[bytes]]) -> list[tuple[Vad, list[bytes]]]:
    return [(make_vad(silero), sound) for sound in lines]


def test_which_detector_runs_depends_on_the_model(silero: Silero) -> None:
    assert isinstance(make_vad(silero), GatedVad)
    assert isinstance(make_vad(None), WebRtcVad)
