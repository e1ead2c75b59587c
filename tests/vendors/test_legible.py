"""Legible speech is read back, whatever happened to it on its way."""

from __future__ import annotations

import numpy as np
import soxr

from tests.simulators import mulaw
from tests.simulators.vendors.legible import letters_of, spell, text_of, tones


def test_legible_speech_is_read_back_from_whole_and_torn_audio() -> None:
    text = "Hello, Zoë! 10:30 is free. Aa"
    audio = spell(text)
    assert text_of(audio) == text
    assert text_of(b"\xff" * 333 + audio[:4800] + b"\xff" * 999 + audio[4800:]) == text
    assert text_of(audio[4:]) == text[1:]
    assert letters_of(audio[: 480 + 161])[-1] == ("e", 20)
    assert b"\xff" not in audio


def test_legible_tones_are_read_back_after_a_resampler_and_the_codec() -> None:
    text = "Hello, see you at 10:30! Aa ~~"
    pcm = np.frombuffer(tones(text), dtype="<i2").astype(np.float32)
    slow = soxr.resample(pcm, 24_000, 8_000).astype(np.int16)
    audio = mulaw.encode(slow)
    assert text_of(audio) == text
    assert text_of(spell("One. ") + b"\xff" * 800 + audio + spell(" Two.")) == f"One. {text} Two."
