"""WAV files as carriers and people make them, and what is none."""

from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audio.mulaw import decode_samples, encode_samples
from services.audio.wav import NotAWav, mulaw, mulaw_header, wav

TONE = encode_samples(np.sin(np.arange(4000) * 2 * np.pi * 440 / 8000).astype(np.float32) * 0.5)


def pcm_file(rate_hz: int = 8000, channels: int = 1, width: int = 2) -> bytes:
    """A second of the tone, as the standard library writes it."""
    samples = np.sin(np.arange(rate_hz // 2) * 2 * np.pi * 440 / rate_hz) * 0.5
    data = (samples * 32767).astype("<i2") if width == 2 else (samples * 127 + 128).astype(np.uint8)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(np.repeat(data, channels).tobytes())
    return buffer.getvalue()


def test_our_own_file_is_read_by_the_standard_library_and_by_us() -> None:
    with wave.open(io.BytesIO(wav(TONE))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert file.getnframes() == len(TONE)
    assert mulaw(wav(TONE)) == TONE


@pytest.mark.parametrize(
    ("rate_hz", "channels", "width"),
    [(8000, 1, 2), (8000, 2, 2), (8000, 1, 1), (16000, 1, 2), (44100, 2, 2), (48000, 1, 1)],
)
def test_the_same_tone_comes_out_of_every_kind(rate_hz: int, channels: int, width: int) -> None:
    sound = decode_samples(mulaw(pcm_file(rate_hz, channels, width)))
    assert abs(len(sound) - 4000) <= 2
    spectrum = np.abs(np.fft.rfft(sound[:4000], 4000))
    assert int(np.argmax(spectrum)) * 2 == 440
    assert 0.3 < float(np.sqrt(np.mean(sound**2))) < 0.4


def test_mu_law_and_unknown_chunks() -> None:
    chunk = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    file = mulaw_header(len(TONE), 1)[:36] + chunk + mulaw_header(len(TONE), 1)[36:] + TONE
    assert mulaw(file) == TONE


def test_a_file_that_breaks_off_gives_what_there_is() -> None:
    assert mulaw(wav(TONE)[:-2001])[:2000] == TONE[:2000]


@pytest.mark.parametrize(
    "file",
    [b"", b"RIFF", b"ID3\x04 an mp3", wav(TONE)[:30], b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd"],
)
def test_what_is_no_wav_file_is_refused_with_what_was_expected(file: bytes) -> None:
    with pytest.raises(NotAWav, match="expected"):
        mulaw(file)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_in_another_way(tail: bytes) -> None:
    for file in (tail, wav(b"")[:20] + tail, b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + tail):
        try:
            mulaw(file)
        except NotAWav:
            continue
