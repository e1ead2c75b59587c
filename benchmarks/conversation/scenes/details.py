"""What is said in pieces because it has to be exact: phone numbers, e-mails, names, dates.

The agent has asked for it, and says so through the brain.
"""

from __future__ import annotations

from benchmarks.conversation.script import Kind, Part, Scene, Turn, Wait, turn

PHONE = "What number can we reach you at?"
EMAIL = "What is your email address?"
NAME = "And your name, please?"
DATE = "Which day would suit you?"
THANKS = "Thank you, I have noted that."

_PHONES: tuple[tuple[Part, ...], ...] = (
    ("five five five", 0.8, "one two three", 0.8, "four five six seven."),
    ("It's two one two,", 1.2, "five five five,", 1.2, "zero one nine nine."),
    ("Sure, it's six four six", 0.5, "seven nine two", 1.8, "three three", 0.8, "one eight."),
    ("area code four one five,", 1.2, "eight six seven", 1.2, "five three zero nine."),
    ("My number is", 1.8, "nine one seven,", 0.8, "five five five,", 0.8, "double oh, four two."),
)
_HUMAN_PHONES: tuple[tuple[Part, ...], ...] = (
    ("five five five", 0.8, "one two three", 0.8, "four five six seven"),
    ("two one two", 0.5, "six seven eight", 1.2, "nine zero", 0.5, "one two"),
    ("four one five", 1.2, "two three four", 1.8, "five six seven eight"),
    ("six four six", 0.3, "nine zero nine", 0.5, "three three", 0.8, "one eight"),
)
_EMAILS: tuple[tuple[Part, ...], ...] = (
    ("peter dot miller", 0.8, "at", 0.5, "example dot com."),
    ("It's a n n a,", 0.8, "underscore,", 0.8, "smith", 1.2, "at gmail dot com."),
    ("office", 0.5, "at blue door", 1.2, "dot co", 0.5, "dot uk."),
    ("That would be j,", 0.5, "brown,", 0.8, "seventy two,", 1.2, "at yahoo", 0.5, "dot com."),
)
_NAMES: tuple[tuple[Part, ...], ...] = (
    ("Anna", 0.5, "Kowalski."),
    ("Kowalski,", 0.8, "that's k o w", 0.8, "a l s", 0.8, "k i."),
    ("My name is", 1.2, "Robert Brown."),
)
_DATES: tuple[tuple[Part, ...], ...] = (
    ("The twenty third", 0.5, "of March,", 0.8, "in the afternoon."),
    (
        "Let me see,",
        1.8,
        "next Tuesday.",
    ),
    ("On the", 1.2, "fifteenth."),
)


def scenes() -> list[Scene]:
    """The calls of this subject."""
    return [
        *(
            _asked("phone", PHONE, parts, n, ("heart", "low", "high")[n % 3])
            for n, parts in _n(_PHONES)
        ),
        *(_asked("phone", PHONE, parts, n, "human") for n, parts in _n(_HUMAN_PHONES)),
        *(_asked("email", EMAIL, parts, n, ("low", "heart")[n % 2]) for n, parts in _n(_EMAILS)),
        *_keys(),
        _in_one_call("name", NAME, _NAMES, "high"),
        _in_one_call("date", DATE, _DATES, "heart"),
    ]


def _n(turns: tuple[tuple[Part, ...], ...]) -> list[tuple[int, tuple[Part, ...]]]:
    return list(enumerate(turns))


def _asked(kind: str, question: str, parts: tuple[Part, ...], number: int, voice: str) -> Scene:
    """A call in which one thing is asked for."""
    human = voice == "human"
    request = "agent" if human else "Could somebody call me back?"
    steps = (
        turn(request, answer=f"Of course. {question}", asks=kind),
        turn(*parts, answer=THANKS),
        turn("Thank you." if human else "Great, thanks a lot."),
    )
    family = {"phone": "phone numbers", "email": "e-mails"}[kind]
    return Scene(f"{kind}-{voice}-{number + 1}", family, steps, voice)


def _keys() -> list[Scene]:
    """The number is keyed in, and the caller looks for it first."""
    request = turn("Could somebody call me back?", answer=f"Of course. {PHONE}", asks="phone")
    keyed = Turn(("2125550199#",), THANKS, kind=Kind.KEYS)
    without_end = Turn(("2125550199",), THANKS, kind=Kind.KEYS)
    family = "keys and patience"
    patience = [
        Turn((text,), "Of course, take your time.", kind=Kind.PATIENCE)
        for text in ("Just a second.", "Hold on, let me look.")
    ]
    said = turn(
        "It's two one two,", 0.8, "five five five,", 0.8, "zero one nine nine.", answer=THANKS
    )
    return [
        Scene("keys-hash", family, (request, keyed, turn("Thanks."))),
        Scene("keys-alone", family, (request, without_end, turn("Thanks.")), "low"),
        Scene("patience-1", family, (request, patience[0], Wait(11.0), said)),
        Scene("patience-2", family, (request, patience[1], Wait(14.0), said), "high"),
    ]


def _in_one_call(
    kind: str, question: str, answers: tuple[tuple[Part, ...], ...], voice: str
) -> Scene:
    asked = turn("I'd like an appointment.", answer=question, asks=kind)
    steps = [asked]
    for parts in answers:
        steps.append(turn(*parts, answer=question, asks=kind))
    return Scene(f"{kind}s-{voice}", "names and dates", tuple(steps), voice)
