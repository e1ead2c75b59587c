"""A voice on a virtual clock: what a reply's task would say, and when.

A plan maps a reply's number to its timed events, in seconds after the reply was started. Every
character takes 60 ms, and its audio, never silence, tells which reply and which character it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from services.call.events import (
    AfterReply,
    AnswerExpected,
    AudioProduced,
    Event,
    ReplyFailed,
    ReplyFinished,
)
from services.call.words.readiness import Expectation

CHARACTER_BYTES = 480  # 60 ms

Timed = list[tuple[float, Event]]
Plan = Callable[[int], Timed]


def audio_of(text: str, reply: int, start: int = 0) -> bytes:
    """The audio of a text that begins at character ``start`` of its reply."""
    return b"".join(
        bytes([(reply * 31 + start + place) % 112]) * CHARACTER_BYTES for place in range(len(text))
    )


def says(*phrases: str, after: float = 0.2, then: AfterReply = AfterReply.LISTEN) -> Plan:
    """Each phrase in one piece, one after the other, much faster than real time."""
    return speaks([[phrase] for phrase in phrases], after=after, then=then)


def drips(phrase: str, *, after: float = 0.2, every: float = 0.3, parts: int = 8) -> Plan:
    """One phrase whose audio comes in parts; the text comes whole, with the first of them."""

    def plan(reply: int) -> Timed:
        audio = audio_of(phrase, reply)
        size = -(-len(audio) // parts) + 7  # no whole frames
        pieces = [audio[at : at + size] for at in range(0, len(audio), size)]
        events: Timed = [
            (after + every * place, AudioProduced(reply, piece, "" if place else phrase))
            for place, piece in enumerate(pieces)
        ]
        return [*events, (events[-1][0] + 0.01, ReplyFinished(reply))]

    return plan


def speaks(
    phrases: Sequence[Sequence[str]],
    *,
    after: float,
    then: AfterReply | None = AfterReply.LISTEN,
    every: float = 0.05,
    error: str = "",
) -> Plan:
    """Phrases in their parts, ``every`` so often; then the end, an error, or nothing at all."""

    def plan(reply: int) -> Timed:
        events: Timed = []
        when, start = after, 0
        for phrase in phrases:
            for part in phrase:
                events.append((when, AudioProduced(reply, audio_of(part, reply, start), part)))
                when, start = when + every, start + len(part)
        if error:
            events.append((when, ReplyFailed(reply, error)))
        elif then is not None:
            events.append((when, ReplyFinished(reply, then)))
        return events

    return plan


def guards(notice: str, *rest: str, after: float = 0.2) -> Plan:
    """A sentence that may not be interrupted, then others."""

    def plan(reply: int) -> Timed:
        events = says(notice, *rest, after=after)(reply)
        first = events[0][1]
        assert isinstance(first, AudioProduced)
        return [(after, replace(first, is_guarded=True)), *events[1:]]

    return plan


def asks(question: str, what: Expectation, *, after: float = 0.2) -> Plan:
    """A question, and the brain says what it asks for."""
    plan = says(question, after=after)
    return lambda reply: [(after, AnswerExpected(reply, what)), *plan(reply)]


def fails(after: float = 0.3) -> Plan:
    """The vendor refuses before a word was said."""
    return speaks([], after=after, error="VendorError")


def breaks_off(*phrases: str, after: float = 0.2) -> Plan:
    """Some words, then an error."""
    return speaks([phrases], after=after, error="VendorError")


def stalls(*phrases: str, after: float = 0.2) -> Plan:
    """Some words, or none, then nothing ever again."""
    return speaks([phrases], after=after, then=None)


def text_of(events: Timed) -> str:
    """All that a plan would say."""
    return " ".join(event.text for _, event in events if isinstance(event, AudioProduced)).strip()


def full_audio(events: Timed) -> bytes:
    """All audio that a plan would give."""
    return b"".join(event.audio for _, event in events if isinstance(event, AudioProduced))


def word_ends(events: Timed) -> list[tuple[str, int, int]]:
    """Each word of a plan with the bytes between which it is really spoken."""
    words: list[tuple[str, int, int]] = []
    at = 0
    for _, event in events:
        if not isinstance(event, AudioProduced):
            continue
        place = 0
        for word in event.text.split():
            place = event.text.index(word, place)
            begin = at + place * CHARACTER_BYTES
            words.append((word, begin, begin + len(word) * CHARACTER_BYTES))
            place += len(word)
        at += len(event.audio)
    return words
