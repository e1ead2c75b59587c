"""The codec against the specification's fixed points and against itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audio import mulaw


def test_a_frame_is_20_ms_of_8_khz() -> None:
    assert mulaw.FRAME_BYTES == 160
    assert len(mulaw.SILENCE) == mulaw.FRAME_BYTES
    assert mulaw.loudness(mulaw.SILENCE) == 0


@pytest.mark.parametrize(
    ("code", "sample"), [(0xFF, 0), (0x7F, 0), (0x00, -32124), (0x80, 32124), (0xFE, 8)]
)
def test_known_codes(code: int, sample: int) -> None:
    """G.711, table 2: 0x00 and 0x80 are full scale, 0xFF is zero."""
    assert np.frombuffer(mulaw.decode_pcm(bytes([code])), dtype=np.int16)[0] == sample


def test_every_code_but_negative_zero_survives_the_way_there_and_back() -> None:
    codes = bytes(code for code in range(256) if code != 0x7F)
    assert mulaw.encode_pcm(mulaw.decode_pcm(codes)) == codes
    assert mulaw.encode_samples(mulaw.decode_samples(codes)) == codes


def test_samples_beyond_full_scale_are_clipped() -> None:
    beyond = np.array([-9.0, 9.0], dtype=np.float32)
    assert mulaw.encode_samples(beyond) == b"\x00\x80"


@given(st.binary(max_size=500))
def test_any_audio_can_be_decoded(audio: bytes) -> None:
    samples = mulaw.decode_samples(audio)
    assert samples.dtype == np.float32
    assert len(samples) == len(audio)
    assert not len(samples) or float(np.abs(samples).max()) < 1
