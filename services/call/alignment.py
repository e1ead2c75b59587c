"""Which word is where in a reply's audio: pure functions of text, bytes and loudness.

Positions are bytes of mu-law at 8 kHz (8 bytes are 1 ms). Text comes in spans: of a single word if
the voice's vendor tells where words are, else of a phrase. Within a phrase the words lie in
proportion to their letters, pauses left out, and begin after a silence if one is near. A word ends
where its sound does: the pause after it is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CHARACTER_BYTES = 60 * 8
"""A character of speech, while the end of its text is not there yet to measure it by."""
_NEAR_BYTES = 160 * 8
"""An estimate within a phrase is hardly ever wrong by more."""
_QUIET = bytes(range(0x78, 0x80)) + bytes(range(0xF8, 0x100))
"""Samples of at most 56 of 32,768: a voice that pauses."""
_PAUSE_BYTES = 30 * 8
_SOUND = b"\x01"
_TOLD_APART = bytes(0 if sample in _QUIET else 1 for sample in range(256))
"""To look for one value in a row takes a tenth of looking for any of sixteen."""
_PAUSE = bytes(_PAUSE_BYTES)
_LOUD, _MUTE = b"\x00", b"\xff"
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Span:
    """Text, and the byte at which it begins to be spoken."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """A word, and the bytes from its first sound to its last."""

    text: str
    begin: int
    end: int


def place_words(spans: Sequence[Span], audio: bytes | bytearray, ends: bool) -> list[Spoken]:
    """Each word of a reply. ``ends``: no more audio will come."""
    if not spans:
        return []
    last = spans[-1]
    least = 1 if ends else len(last.text) * CHARACTER_BYTES
    bounds = [*(span.start for span in spans[1:]), max(len(audio), last.start + least)]
    return [
        word
        for span, bound in zip(spans, bounds, strict=True)
        for word in _words_of(span, bound, audio)
    ]


def _words_of(span: Span, bound: int, audio: bytes | bytearray) -> list[Spoken]:
    """The words of one span, which lasts until ``bound``."""
    found = list(_WORD.finditer(span.text))
    if not found:
        return []
    pauses = _pauses(audio, span.start, bound) if len(found) > 1 else []
    size, length = bound - span.start, len(span.text)
    if not pauses:
        placed = [
            (
                span.start + word.start() * size // length,
                span.start - (-word.end() * size // length),
            )
            for word in found
        ]
    else:
        voiced = size - sum(end - begin for begin, end in pauses)
        shares = (word.start() * voiced // length for word in found)
        begins = [_after_pause(_with_pauses(span.start, share, pauses), pauses) for share in shares]
        placed = list(zip(begins, [*begins[1:], bound], strict=True))
    return [
        Spoken(word.group(), begin, _sound_end(audio, begin, max(begin + 1, end)))
        for word, (begin, end) in zip(found, placed, strict=True)
    ]


def _pauses(audio: bytes | bytearray, start: int, bound: int) -> list[tuple[int, int]]:
    """The silences amid a phrase, and the one after it."""
    return [(begin, end) for begin, end in _silences(audio, start, bound) if begin > start]


def _silences(audio: bytes | bytearray, start: int, bound: int) -> Iterator[tuple[int, int]]:
    """All that is long enough to be a pause, from its first to its last quiet sample."""
    sounds = audio[start:bound].translate(_TOLD_APART)
    begin = sounds.find(_PAUSE)
    while begin >= 0:
        end = sounds.find(_SOUND, begin + _PAUSE_BYTES)
        if end < 0:
            end = len(sounds)
        yield start + begin, start + end
        begin = sounds.find(_PAUSE, end)


def _with_pauses(start: int, voiced: int, pauses: Sequence[tuple[int, int]]) -> int:
    """The position of which so many bytes after ``start`` are no pause."""
    at = start + voiced
    for begin, end in pauses:
        if begin < at:
            at += end - begin
    return at


def _after_pause(at: int, pauses: Sequence[tuple[int, int]]) -> int:
    """The end of the silence that is nearest, if one is near."""
    near = [end for _, end in pauses if abs(end - at) <= _NEAR_BYTES]
    return min(near, key=lambda end: abs(end - at), default=at)


def _sound_end(audio: bytes | bytearray, begin: int, end: int) -> int:
    """Where the sound ends before ``end``; ``end`` itself if there is none, or not yet all."""
    if end > len(audio):
        return end
    sound = begin + len(audio[begin:end].rstrip(_QUIET))
    return sound if begin < sound <= end - _PAUSE_BYTES else end


# --- for the journal: no more of a voice than the above can tell apart ----------------------------


def quiet_parts(audio: bytes) -> list[tuple[int, int]]:
    """Where audio pauses, and how it begins and ends, which may be a part of a pause."""
    size = len(audio)
    begins, ends = size - len(audio.lstrip(_QUIET)), len(audio.rstrip(_QUIET))
    if begins == size:
        return [(0, size)] if size else []
    amid = list(_silences(audio, begins, ends))
    edges = [(0, begins)] if begins else [], [(ends, size)] if ends < size else []
    return [*edges[0], *amid, *edges[1]]


def with_quiet_parts(size: int, parts: Sequence[tuple[int, int]]) -> bytes:
    """Audio with these silences, and some sound between them."""
    audio = bytearray(_LOUD * size)
    for begin, end in parts:
        audio[begin:end] = _MUTE * (end - begin)
    return bytes(audio)
