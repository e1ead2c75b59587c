"""Human speech for tests: prompts recorded for the telephone, and what is said in them.

Where they come from, and under which licence, is in ``README.md`` beside this file.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from services.audio.mulaw import FRAME_BYTES, encode_samples

FOLDER = Path(__file__).parent / "asterisk"

TEXTS = {
    "hours": "hours",
    "location": "location",
    "hello": "hello",
    "sunday": "Sunday",
    "monday": "Monday",
    "tomorrow": "tomorrow",
    "spy-agent": "agent",
    "vm-no": "no",
    "auth-thankyou": "Thank you.",
    "vm-goodbye": "goodbye",
    "please-try-again": "Please try again.",
    "please-try-call-later": "Please try your call again later.",
    "vm-nobodyavail": "Nobody is available to take your call at the moment",
    "vm-leavemsg": "Press 5 to leave a message",
    "vm-msgsaved": "Your message has been saved.",
    "vm-nonumber": "I'm afraid I don't know who sent this message",
    "queue-periodic-announce": (
        "All of our representatives are currently busy. Please stay on the line and your call "
        "will be answered by the next available representative."
    ),
    "digit-0": "zero",
    "digit-1": "one",
    "digit-2": "two",
    "digit-3": "three",
    "digit-4": "four",
    "digit-5": "five",
    "digit-6": "six",
    "digit-7": "seven",
    "digit-8": "eight",
    "digit-9": "nine",
}
"""Prompt -> what is said in it."""


def prompt(name: str) -> bytes:
    """The sound of a prompt: 16-bit linear samples, mono, 8 kHz."""
    with wave.open(str(FOLDER / f"{name}.wav"), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        return file.readframes(file.getnframes())


def line(*names: str, noise: float = 0, gap_ms: int = 700) -> list[bytes]:
    """A caller's line as frames: half a second of silence, the prompts, a second of silence.

    ``noise``: root mean square of white noise over all of it, 0 to 32767, always the same. A live
    line has 5 or so.
    """
    parts = [np.zeros(500 * 8)]
    for name in names:
        parts += [np.frombuffer(prompt(name), dtype="<i2"), np.zeros(gap_ms * 8)]
    sound = np.concatenate([*parts[:-1], np.zeros(1000 * 8)])
    sound = sound + np.random.default_rng(1).standard_normal(len(sound)) * noise
    return frames(encode_samples((sound / 32768).astype(np.float32)))


def frames(audio: bytes) -> list[bytes]:
    """Mu-law cut into whole frames; the rest is dropped."""
    return [
        audio[at : at + FRAME_BYTES] for at in range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES)
    ]
