"""G.711 mu-law, written apart from the server's codec, so that the phone is a second witness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
"""Linear samples, mono, 8 kHz unless said otherwise."""

RATE = 8000
BYTES_PER_MS = RATE // 1000
SILENCE = b"\xff"
"""The code of the smallest amplitude. 0x00 would be full scale."""

_BIAS = 0x84
_CLIP = 32635


def _decode_table() -> Pcm:
    code = ~np.arange(256) & 0xFF
    magnitude = ((((code & 0x0F) << 3) + _BIAS) << ((code >> 4) & 0x07)) - _BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


_DECODED = _decode_table()


def decode(audio: bytes | bytearray) -> Pcm:
    """Mu-law bytes to linear samples."""
    return _DECODED[np.frombuffer(audio, dtype=np.uint8)]


def encode(pcm: Pcm) -> bytes:
    """Linear samples to mu-law bytes."""
    wide = pcm.astype(np.int32)
    magnitude = np.minimum(np.abs(wide), _CLIP) + _BIAS
    exponent = np.frexp(magnitude.astype(np.float64))[1] - 8  # the highest set bit, from bit 7 on
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    code = np.where(wide < 0, 0x80, 0) | (exponent << 4) | mantissa
    codes: NDArray[np.uint8] = (~code & 0xFF).astype(np.uint8)
    return codes.tobytes()


def to_pcm(samples: NDArray[Any]) -> Pcm:
    """Round and clip samples of any type, full scale 32768, to 16 bits."""
    pcm: Pcm = np.clip(np.rint(samples), -32768, 32767).astype(np.int16)
    return pcm


def quiet_codes(peak: int) -> bytes:
    """All codes whose amplitude is under ``peak`` (of 32768)."""
    return bytes(np.flatnonzero(np.abs(_DECODED.astype(np.int32)) < peak).tolist())
