"""Sound over the agent's words: backchannels, coughs, other people, interruptions, commands."""

from __future__ import annotations

from benchmarks.conversation.script import Aside, Kind, Scene, Step, over, turn

HOURS = (
    "We are open from Monday to Friday, from eight in the morning until six in the evening. "
    "On Saturday we open at nine, and we close at noon. On Sunday we are closed, but you can "
    "leave a message at any time."
)
WAY = (
    "You take the second street on the left, and you go on until you see the church. "
    "There you turn right, and after the bridge you will find us next to the library."
)
TERMS = (
    "You can cancel until the day before, and it costs you nothing. After that we keep half of "
    "the price, unless somebody else takes your place. We always try to find somebody."
)
ANSWERS = (HOURS, WAY, TERMS)
ASK = ("When are you open?", "How do I get to you?", "And if I have to cancel?")
HUMAN_ASK = ("hours", "location", "Please try again.")


def back(text: str, over_s: float) -> Aside:
    """A backchannel of the caller's."""
    return Aside(Kind.BACKCHANNEL, text, over_s=over_s)


def sound(name: str, over_s: float | None, *, gain_db: float = 0.0) -> Aside:
    """A noise: a cough's or a thing's."""
    kind = Kind.COUGH if name in {"cough", "hack", "throat", "sniff"} else Kind.NOISE
    return Aside(kind, sound=name, over_s=over_s, gain_db=gain_db)


def grunt(text: str, over_s: float | None) -> Aside:
    """A voiced sound that is no word, and has the detector believe in speech: a laugh, a "hah"."""
    return Aside(Kind.COUGH, text, over_s=over_s, heard_as="")


def talk(text: str, over_s: float, gain_db: float, heard_as: str = "") -> Aside:
    """Somebody else in the caller's room."""
    return Aside(Kind.CROSS_TALK, text, "", over_s, gain_db, "low", heard_as)


def scenes() -> list[Scene]:
    """The calls of this subject."""
    return [
        *_backchannels(),
        *_coughs(),
        *_cross_talk(),
        *_interruptions(),
        *_commands(),
    ]


def _call(
    name: str, family: str, *groups: tuple[Step, ...], voice: str = "heart", aligned: bool = True
) -> Scene:
    """A question before each group, which comes over the answer; then a last word."""
    asks = HUMAN_ASK if voice == "human" else ASK
    steps: list[Step] = []
    for place, group in enumerate(groups):
        steps += [turn(asks[place], answer=ANSWERS[place]), *group]
    last = "Thank you." if voice == "human" else "Okay, thank you very much."
    return Scene(name, family, (*steps, turn(last)), voice, aligned=aligned)


def _backchannels() -> list[Scene]:
    family = "backchannels"
    first = (back("mhm", 1.5), back("okay", 4.0), back("yeah", 7.0))
    second = (back("right", 2.0), back("uh huh", 5.0))
    third = (back("I see", 1.0), back("sure", 3.0), back("oh okay", 6.0))
    return [
        _call("backchannels-1", family, first, second),
        _call("backchannels-2", family, third, (back("yes", 2.5),), voice="low"),
        _call("backchannels-3", family, second, first, voice="high"),
        _call("backchannels-4", family, (back("yeah right", 3.3), back("mhm mhm", 5.5))),
        _call("backchannels-5", family, first, aligned=False),
    ]


def _coughs() -> list[Scene]:
    family = "coughs and noises"
    return [
        _call("cough-1", family, (sound("hack", 2.0), sound("throat", 5.0), sound("hack", 6.5))),
        _call("cough-2", family, (grunt("hah", 1.7), grunt("ahem", 4.1), grunt("huh", 7.3))),
        _call("cough-3", family, (grunt("ha ha ha", 2.2),), (grunt("ah", 3.0),), voice="low"),
        _call("cough-4", family, (sound("sniff", 2.0), sound("door", 4.0), sound("click", 5.5))),
        _call(
            "cough-5", family, (sound("cough", 3.0, gain_db=8), grunt("hmph", 6.0)), voice="high"
        ),
        _call("cough-6", family, (grunt("hah", 2.6), sound("throat", 5.2)), aligned=False),
        Scene(
            "cough-in-silence",
            family,
            (
                turn("I have a question."),
                sound("hack", None),
                turn("Are you open on Sunday?"),
                grunt("ahem", None),
                turn("And on Monday?"),
                sound("throat", None, gain_db=4),
                turn("Thanks."),
            ),
        ),
        Scene(
            "cough-at-the-greeting",
            family,
            (grunt("hah", 0.8), sound("hack", 1.8), turn("Are you open on Sunday?")),
            greeting="Hello, this is the Blue Door. We are glad you call. What can I do?",
        ),
    ]


def _cross_talk() -> list[Scene]:
    family = "cross-talk"
    dinner = "Did you put the potatoes in the oven already?"
    game = "Did you see the game last night?"
    return [
        _call("cross-talk-1", family, (talk(dinner, 2.0, -12), talk(game, 6.0, -15))),
        _call(
            "cross-talk-2", family, (talk(game, 3.0, -9),), (talk(dinner, 2.0, -18),), voice="high"
        ),
        _call("cross-talk-heard", family, (talk(dinner, 2.5, -12, "the potatoes"),), voice="high"),
    ]


def _interruptions() -> list[Scene]:
    family = "interruptions"
    return [
        _call(
            "interrupt-1",
            family,
            (over(1.5, "And what about Sunday?"),),
            (over(3.0, "I'm coming by train, not by car."),),
            (over(0.5, "Never mind, I found it."),),
        ),
        _call(
            "interrupt-2",
            family,
            (over(2.2, "Sorry,", 0.5, "I meant tomorrow."),),
            (over(4.5, "Can you send me that by email?"),),
            voice="low",
        ),
        _call(
            "interrupt-3",
            family,
            (over(5.0, "Do you close for lunch?"),),
            (over(1.0, "Yes, I know where the church is, but", 0.8, "is there a bus?"),),
            voice="quick",
        ),
        _call(
            "interrupt-human",
            family,
            (over(1.5, "Sunday", 0.3, "hours"),),
            (over(3.4, "I'm afraid I don't know who sent this message"),),
            (over(2.0, "tomorrow"),),
            voice="human",
        ),
        _call("interrupt-phrase", family, (over(3.7, "And on Sunday?"),), aligned=False),
        Scene(
            "interrupt-greeting",
            family,
            (over(0.3, "Hi, are you open today?"), turn("Great.")),
            voice="high",
        ),
        _call(
            "interrupt-after-backchannel",
            family,
            (back("mhm", 1.5), over(4.0, "But what about Sunday?")),
            (grunt("hah", 2.0), over(4.4, "Is there a bus as well?")),
        ),
    ]


def _commands() -> list[Scene]:
    family = "commands"

    def say(over_s: float, text: str) -> tuple[Step, ...]:
        return (over(over_s, text, kind=Kind.COMMAND),)

    return [
        _call("command-1", family, say(1.5, "stop"), say(2.7, "wait"), say(0.9, "no")),
        _call("command-2", family, say(3.1, "hold on"), say(4.2, "stop it"), voice="low"),
        _call("command-3", family, say(2.0, "wait a second"), say(1.1, "no no no"), voice="high"),
        _call("command-human", family, say(1.8, "no"), say(3.6, "no no"), voice="human"),
    ]
