"""WAV files to and from telephone sound.

What a carrier recorded says in its header what it is: 16-bit or 8-bit samples, mu-law or A-law, at
any rate, one channel or two (RIFF, https://www.rfc-editor.org/rfc/rfc2361 for the format codes).
"""

from __future__ import annotations

import struct
import sys
import warnings
from array import array

import numpy as np
from numpy.typing import NDArray

from services.audio.mulaw import RATE_HZ, Samples, decode_pcm, decode_samples, encode_samples
from services.audio.resample import resample

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # its successor has the same name
    import audioop

HEADER_BYTES = 44
LONGEST_S = 3600
_PCM, _FLOAT, _A_LAW, _MU_LAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_MOST_HZ = 192_000


class NotAWav(ValueError):
    """The bytes are no WAV file that can be read; the text says what was expected."""


def wav(audio: bytes) -> bytes:
    """Mu-law 8 kHz as a WAV file: 16-bit samples, mono, 8 kHz."""
    pcm = decode_pcm(audio)
    if sys.byteorder == "big":
        samples = array("h", pcm)
        samples.byteswap()
        pcm = samples.tobytes()
    return header(len(pcm), channels=1, sample_bytes=2, code=_PCM) + pcm


def mulaw_header(size: int, channels: int) -> bytes:
    """The header before ``size`` bytes of mu-law at 8 kHz, channels interleaved."""
    return header(size, channels=channels, sample_bytes=1, code=_MU_LAW)


def header(size: int, *, channels: int, sample_bytes: int, code: int) -> bytes:
    """A WAV header of 44 bytes for ``size`` bytes of audio at 8 kHz."""
    step = channels * sample_bytes
    return _HEADER.pack(
        *(b"RIFF", 36 + size, b"WAVE", b"fmt ", 16),
        *(code, channels, RATE_HZ, RATE_HZ * step, step, 8 * sample_bytes),
        *(b"data", size),
    )


def mulaw(file: bytes) -> bytes:
    """The sound of a WAV file as mu-law 8 kHz; of two channels the mean. Raises NotAWav."""
    code, channels, rate_hz, bits, data = _chunks(file)
    if code == _MU_LAW and channels == 1 and rate_hz == RATE_HZ and bits == 8:
        return data
    samples = _samples(code, bits, data)
    samples = samples[: len(samples) // channels * channels].reshape(-1, channels).mean(axis=1)
    if rate_hz != RATE_HZ:
        samples = resample(samples.astype(np.float32), rate_hz, RATE_HZ)
    return encode_samples(samples)


def _samples(code: int, bits: int, data: bytes) -> Samples:
    if code == _MU_LAW and bits == 8:
        return decode_samples(data)
    if code == _A_LAW and bits == 8:
        data, code, bits = audioop.alaw2lin(data, 2), _PCM, 16
        return _scaled(np.frombuffer(data, np.int16), 32768)
    if code == _PCM and bits == 16:
        return _scaled(np.frombuffer(data[: len(data) // 2 * 2], "<i2"), 32768)
    if code == _PCM and bits == 8:
        return _scaled(np.frombuffer(data, np.uint8).astype(np.int16) - 128, 128)
    if code == _FLOAT and bits == 32:
        return _scaled(np.nan_to_num(np.frombuffer(data[: len(data) // 4 * 4], "<f4")), 1)
    raise NotAWav(f"expected PCM, mu-law or A-law samples, got format {code} of {bits} bits")


def _scaled(numbers: NDArray[np.generic], full_scale: int) -> Samples:
    return numbers.astype(np.float32) * np.float32(1 / full_scale)


def _chunks(file: bytes) -> tuple[int, int, int, int, bytes]:
    """Format code, channels, rate in Hz, bits for each sample, and the audio."""
    if len(file) < 12 or file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise NotAWav("expected a WAV file: RIFF....WAVE at its beginning")
    at, form = 12, None
    while at + 8 <= len(file):
        name, size = file[at : at + 4], int.from_bytes(file[at + 4 : at + 8], "little")
        body = file[at + 8 : at + 8 + size]
        if name == b"fmt ":
            form = _format(body)
        elif name == b"data":
            if form is None:
                raise NotAWav("expected the chunk `fmt ` before `data`")
            if len(body) > LONGEST_S * form[2] * form[1] * form[3] // 8:
                raise NotAWav(f"expected at most {LONGEST_S} s of audio")
            return (*form, body)
        at += 8 + size + size % 2
    raise NotAWav("expected a chunk `data` with the audio")


def _format(body: bytes) -> tuple[int, int, int, int]:
    if len(body) < 16:
        raise NotAWav("expected a chunk `fmt ` of at least 16 bytes")
    code, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
    if code == _EXTENSIBLE and len(body) >= 26:
        code = int.from_bytes(body[24:26], "little")  # the first bytes of the sub-format's GUID
    if channels not in (1, 2) or not RATE_HZ // 2 <= rate_hz <= _MOST_HZ:
        raise NotAWav(f"expected 1 or 2 channels at a sane rate, got {channels} at {rate_hz} Hz")
    return code, channels, rate_hz, bits
