"""WAV files, and the embedded engines as the phone's voice and ears, imported when asked for."""

from __future__ import annotations

import wave
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from tests.simulators.mulaw import RATE, Pcm, decode, encode, to_pcm
from tests.simulators.sound import trim

_EARS_HZ = 16000
_CALLER_SEED = 7  # the same sentence always sounds the same


class BadWav(ValueError):
    """A WAV file that the phone cannot play."""


class NoEngine(Exception):
    """A speech engine is not installed; the text says which and for what."""


def load_wav(path: Path) -> Pcm:
    """A 16-bit WAV file of any rate, mono or stereo, as 8 kHz mono. Raises BadWav, OSError."""
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise BadWav(f"{path}: {error}") from error
    if width != 2 or channels not in (1, 2):
        raise BadWav(f"{path}: {channels} channels of {8 * width} bits; wanted 1 or 2 of 16")
    samples = np.frombuffer(data, dtype="<i2").reshape(-1, channels).astype(np.float32)
    return _telephone(samples.mean(axis=1) / 32768, rate)


def hibari_voice() -> Callable[[str], bytes]:
    """A speaking voice: text to mu-law, silence trimmed off. Each sentence is rendered once.

    Raises NoEngine.
    """
    try:
        from hibari import SAMPLE_RATE, Hibari
    except ImportError as error:
        raise NoEngine(f"no voice for typed sentences: {error}") from error
    engine = Hibari()

    @cache
    def speak(text: str) -> bytes:
        return encode(trim(_telephone(engine(text, seed=_CALLER_SEED), SAMPLE_RATE)))

    return speak


def moonshine_ears() -> Callable[[bytes], str]:
    """A listener: mu-law to text, by the server's own recogniser. Raises NoEngine."""
    try:
        from services.stt.moonshine import MAX_SECONDS, Moonshine

        engine = Moonshine()
    except (ImportError, RuntimeError) as error:
        raise NoEngine(f"no transcript of the agent: {error}") from error

    def listen(audio: bytes) -> str:
        sound = soxr.resample(decode(audio).astype(np.float32) / 32768, RATE, _EARS_HZ)
        longest = MAX_SECONDS * _EARS_HZ
        pieces = [sound[at : at + longest] for at in range(0, len(sound), longest)]
        return " ".join(engine.transcribe(piece).text for piece in pieces)

    return listen


def _telephone(sound: NDArray[np.float32], rate: int) -> Pcm:
    if rate != RATE:
        sound = soxr.resample(sound, rate, RATE)
    return to_pcm(sound * 32768)
