"""Hand-made timelines: what was said when, in a few words."""

from __future__ import annotations

from benchmarks.conversation.script import Kind
from benchmarks.conversation.timeline import Played, Reply, Sound, Timeline, Word

WORD_FRAMES = 10  # 200 ms
WORD_S = 0.2


def call(*, noisy: bool = False) -> Timeline:
    """An empty call of a minute; brain and voice take 300 ms."""
    return Timeline("made by hand", "tests", 0.3, noisy=noisy, ended=60.0)


def caller(
    timeline: Timeline,
    *chunks: tuple[float, float],
    kind: Kind = Kind.TURN,
    says: str = "",
    voiced_s: float = 0.0,
) -> Sound:
    """The caller makes a sound, with silences between the chunks; its words are in the first."""
    begin, end = chunks[0]
    texts = says.split()
    step = (end - begin) / max(1, len(texts))
    words = tuple(
        Word(text, begin + place * step, begin + (place + 1) * step)
        for place, text in enumerate(texts)
    )
    sound = Sound(kind, says or kind.value, chunks, words, voiced_s)
    timeline.sounds.append(sound)
    return sound


def reply(
    timeline: Timeline,
    words: str,
    begin: float,
    *,
    first: int = 0,
    last: int | None = None,
    last_frames: int = WORD_FRAMES,
    purpose: str = "answer",
    number: int | None = None,
) -> Reply:
    """The agent says words ``first`` to ``last`` of a reply from ``begin`` on, 200 ms each, the
    last one only for so many frames. With ``number`` it is a reply that was begun before."""
    if number is None:
        number = len(timeline.replies) + 1
        timeline.replies[number] = Reply(number, purpose, begin - 0.3, words.split())
    known = timeline.replies[number]
    until = len(known.words) - 1 if last is None else last
    for place in range(first, until + 1):
        frames = last_frames if place == until else WORD_FRAMES
        at = begin + (place - first) * WORD_S
        timeline.played.append(
            Played(number, place, 0, frames - 1, WORD_FRAMES, at, at + frames * 0.02)
        )
    return known
