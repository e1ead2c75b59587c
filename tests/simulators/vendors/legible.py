"""Speech that a test can read: audio which spells out its text.

The simulated voices speak so by default. From what arrived at the phone a test then reads what was
said, letter by letter: nothing twice, nothing lost, nothing of an old reply. There are two hands:

- ``spell`` makes mu-law for voices whose bytes are passed through untouched. Every millisecond
  holds its letter; the first one of a letter is marked. Exact to the byte.
- ``tones`` makes linear samples that survive being resampled: one tone a letter, with a short gap
  before it. ASCII only.

``text_of`` reads both, and mixtures of them, and skips what is neither (silence, noise).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tests.simulators import mulaw

MS_PER_CHAR = 60

_FIRST, _NEXT = 0x40, 0x41
"""What a millisecond begins with: the first of a letter, a later one."""
_PATTERN = rb"[\x40\x41]\x3f[\x20-\x3f][\x00-\x3f]{2}[\xa0-\xbf][\x80-\xbf]{2}"
_CELL = re.compile(_PATTERN)
_CELLS = re.compile(rb"(?:" + _PATTERN + rb"){2,}")  # one might be chance

_LOWEST_HZ = 350.0
_STEP_HZ = 30.0  # up to 3.2 kHz, where every resampler passes
_GAP_MS = 3
_LOUDNESS = 8000
_QUIET = 400
_GAP_SAMPLES = 12  # 1.5 ms at 8 kHz: longer than any crossing of zero
_SHORTEST_TONE = 80  # 10 ms at 8 kHz


def spell(text: str, ms_per_char: int = MS_PER_CHAR) -> bytes:
    """``text`` as legible mu-law 8 kHz, ``ms_per_char`` ms a character. No byte is silence."""
    return b"".join(_letter(char, ms_per_char) for char in text)


def tones(text: str, rate: int = 24_000, ms_per_char: int = MS_PER_CHAR) -> bytes:
    """``text`` as legible 16-bit little-endian samples at ``rate`` Hz."""
    return b"".join(_tone(char, rate, ms_per_char) for char in text)


def text_of(audio: bytes) -> str:
    """The text that is spelt in mu-law 8 kHz ``audio``: each letter whose beginning is there."""
    return "".join(char for char, _ in letters_of(audio))


def letters_of(audio: bytes) -> list[tuple[str, int]]:
    """Each letter that begins in mu-law ``audio``, and how many ms of it are there."""
    letters: list[tuple[str, int]] = []
    done = 0
    for cells in _CELLS.finditer(audio):
        letters += _letters_of_tones(audio[done : cells.start()])
        for cell in _CELL.finditer(audio, cells.start(), cells.end()):
            char = _read(cell.group())
            if cell.group()[0] == _FIRST:
                letters.append((char, 1))
            elif letters and letters[-1][0] == char:
                letters[-1] = char, letters[-1][1] + 1
        done = cells.end()
    return [*letters, *_letters_of_tones(audio[done:])]


@lru_cache(maxsize=1024)
def _letter(char: str, ms: int) -> bytes:
    point = ord(char)
    digits = bytes(0x3F - (point >> shift & 0x3F) for shift in (18, 12, 6, 0))
    cell = digits + bytes(digit | 0x80 for digit in digits[1:])
    return bytes([_FIRST]) + cell + (bytes([_NEXT]) + cell) * (ms - 1)


def _read(cell: bytes) -> str:
    point = 0
    for digit in cell[1:5]:
        point = point << 6 | (0x3F - digit)
    return chr(point)


@lru_cache(maxsize=1024)
def _tone(char: str, rate: int, ms: int) -> bytes:
    step = ord(char) - 32 if " " <= char <= "~" else ord("?") - 32
    at = np.arange(rate * (ms - _GAP_MS) // 1000) / rate
    sound = _LOUDNESS * np.sin(2 * np.pi * (_LOWEST_HZ + _STEP_HZ * step) * at)
    gap = np.zeros(rate * _GAP_MS // 1000)
    samples: NDArray[np.int16] = np.concatenate((gap, sound)).astype("<i2")
    return samples.tobytes()


def _letters_of_tones(audio: bytes) -> Iterator[tuple[str, int]]:
    """The letters that ``tones`` wrote, after a resampler and the mu-law codec."""
    if len(audio) < _SHORTEST_TONE:
        return
    samples = mulaw.decode(audio).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > _QUIET)
    if not loud.size:
        return
    breaks = np.flatnonzero(np.diff(loud) > _GAP_SAMPLES)
    begins = loud[np.concatenate(([0], breaks + 1))]
    ends = loud[np.concatenate((breaks, [loud.size - 1]))] + 1
    for begin, end in zip(begins, ends, strict=True):
        if end - begin < _SHORTEST_TONE:
            continue
        spectrum = np.abs(np.fft.rfft(samples[begin:end], 8000))  # 1 Hz a bin
        step = round((int(spectrum.argmax()) - _LOWEST_HZ) / _STEP_HZ)
        if 0 <= step < 95:
            yield chr(32 + step), round((end - begin) / mulaw.BYTES_PER_MS) + _GAP_MS
