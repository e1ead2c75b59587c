"""Pauses in mid-turn: after words that need more, after words that might be all, in hesitations and
self-corrections.

Short pauses are common in speech and long ones rare: after words that might be all, where nothing
but time tells, the long ones are fewer here, too.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.conversation.script import Scene, Turn, turn

LENGTHS = (0.3, 0.5, 0.8, 1.2, 1.8, 2.5)
VOICES = ("heart", "low", "high", "quick")

_OPEN = (
    ("I'd like to book a table for", "four people on Friday."),
    ("Could you tell me if you have", "any rooms with a balcony?"),
    ("I need to speak to the", "manager, please."),
    ("We wanted to come on Saturday, but", "now it has to be Sunday."),
    ("Can I bring my", "dog with me?"),
    ("I'm calling because", "my order has not arrived."),
)
_MAYBE = (
    ("I'd like to book a table", "for four people."),
    ("I want to cancel my appointment", "on Monday morning."),
    ("Do you deliver", "to the north side of town?"),
    ("We need a room", "with two beds and a view."),
    ("I have a question", "about my last bill."),
    ("My car makes a strange noise", "when I turn left."),
)
_HESITATIONS = (
    ("Um,", 0.6, "I'd like to, uh,", 0.8, "book a table for Friday."),
    ("Yes, so,", 0.7, "um,", 0.9, "do you also have, like,", 0.5, "vegan food?"),
    ("Well,", 1.0, "I think I need, um,", 1.2, "two tickets."),
    ("Hello, I, uh,", 0.8, "I wanted to ask, um,", 0.8, "about the prices."),
    (
        "Let me think,",
        1.8,
        "maybe Thursday.",
    ),
    ("It's, um,", 1.2, "how do you say,", 1.0, "a kind of a leak."),
)
_CORRECTIONS = (
    ("I'd like Tuesday,", 0.5, "no, sorry,", 0.4, "Wednesday at three."),
    ("A table for four,", 0.6, "I mean,", 0.3, "for five people."),
    ("My name is Miller,", 0.5, "Peter Miller,", 0.8, "with an i."),
    ("At seven,", 0.8, "or actually", 0.6, "make that half past seven."),
    ("Can you send it to my home,", 0.7, "or no,", 0.8, "to the office, please."),
    ("It was last week,", 0.5, "wait,", 0.9, "two weeks ago."),
)
_HUMAN = (
    ("hello", 0.3, "hours"),
    ("hello", 0.8, "agent"),
    ("hours", 0.5, "Sunday"),
    ("location", 1.2, "Please try again."),
    ("Sunday", 0.8, "no", 0.5, "Monday"),
    ("no", 0.5, "tomorrow", 0.3, "Thank you."),
    ("I'm afraid I don't know who sent this message", 0.5, "Please try again."),
    ("Press 5 to leave a message", 0.8, "Thank you."),
)


def scenes() -> list[Scene]:
    """The calls of this subject."""
    return [
        *_open(),
        *_maybe(),
        *_calls("hesitations", "hesitations", map(_turn, _HESITATIONS), ("heart", "low")),
        *_calls("corrections", "corrections", map(_turn, _CORRECTIONS), ("high", "quick")),
        *_calls("pauses-human", "pauses, human", map(_turn, _HUMAN), ("human",), per_call=4),
    ]


def _open() -> list[Scene]:
    """Each opening with each length, once."""
    found = []
    for place, length in enumerate(LENGTHS):
        turns = [turn(begin, length, rest) for begin, rest in _OPEN]
        found.append(_scene(f"open-{length:g}", "pauses, more to come", turns, place))
    return found


def _maybe() -> list[Scene]:
    """The shorter the pause, the more of them."""
    found = []
    for place, (length, count) in enumerate(zip(LENGTHS, (6, 6, 4, 3, 2, 1), strict=True)):
        turns = [turn(begin, length, rest) for begin, rest in _MAYBE[:count]]
        found.append(_scene(f"maybe-{length:g}", "pauses, maybe all", turns, place + 1))
    return found


def _turn(parts: tuple[str | float, ...]) -> Turn:
    return turn(*parts)


def _scene(name: str, family: str, turns: Iterable[Turn], place: int) -> Scene:
    return Scene(name, family, tuple(turns), VOICES[place % len(VOICES)])


def _calls(
    name: str, family: str, turns: Iterable[Turn], voices: tuple[str, ...], per_call: int = 3
) -> list[Scene]:
    """The turns in calls of a few each, the voices by turns."""
    steps = tuple(turns)
    groups = [steps[at : at + per_call] for at in range(0, len(steps), per_call)]
    return [
        Scene(f"{name}-{number + 1}", family, group, voices[number % len(voices)])
        for number, group in enumerate(groups)
    ]
