"""The instruments of the fault table see what they are there to see."""

from __future__ import annotations

import base64

from services.call.effects import Speaker, Turn
from tests.faults import verdict
from tests.faults.call import Report, Spoken
from tests.faults.caller import hears, played, read, recording
from tests.faults.stand_ins import ANSWERS
from tests.simulators.vendors.legible import spell

APOLOGY = "Sorry, something went wrong on my side. Could you say that again?"
ASKED, ANSWER = next(iter(ANSWERS.items()))


def report(*heard: str, history: str = ANSWER, wait_ms: float = 1000) -> Report:
    """A call of one turn, in which these pieces were heard."""
    turns = Turn(Speaker.AGENT, "Hello."), Turn(Speaker.CALLER, ASKED), Turn(Speaker.AGENT, history)
    audio = b"".join(spell(text, 20) for text in ("Hello.", *heard))
    return Report(
        1, 0.0, [Spoken(ASKED, 1.0, 2.0, wait_ms)], history=turns, read=read([(0.0, audio)])
    )


def test_a_good_call_is_good() -> None:
    assert not list(verdict.problems(report(ANSWER), all_right=True))
    assert not list(verdict.problems(report(verdict.FILLER, ANSWER), all_right=True))


def test_a_part_of_a_word_that_is_said_twice_is_noticed() -> None:
    middle = ANSWER.index("back") + 2
    assert verdict.said_twice(report(ANSWER[:middle], ANSWER[middle - 2 :]))
    assert verdict.said_twice(report(ANSWER[: middle - 2], ANSWER[middle:]))  # or not said


def test_a_sentence_that_is_said_twice_is_noticed() -> None:
    twice = f"{ANSWER} {ANSWER}"
    assert verdict.said_twice(report(twice, history=twice))


def test_a_long_silence_and_a_wrong_answer_are_noticed() -> None:
    problems = list(
        verdict.problems(report("Never.", history="Never.", wait_ms=3001), all_right=True)
    )
    assert problems[0] == "turn 1: 3001 ms of silence"
    line = verdict.problems(report(APOLOGY, history=APOLOGY), all_right=True)
    assert "was answered" in next(line)


def test_the_recogniser_hears_each_word_as_often_as_it_is_there() -> None:
    frames = recording("please-try-call-later")
    assert hears(b"".join(frames)) == ASKED
    assert hears(b"".join(frames[: len(frames) // 2])) == "Please try your"
    assert hears(b"".join(frames * 2)) == f"{ASKED} {ASKED}"
    assert "?" in hears(b"".join(frames[: len(frames) * 5 // 12]))


def test_what_was_cleared_was_not_heard() -> None:
    def media(audio: bytes) -> dict[str, object]:
        return {"event": "media", "media": {"payload": base64.b64encode(audio).decode()}}

    sent = [
        (0.0, media(spell("abcdef", 100))),
        (0.25, {"event": "clear"}),
        (1.0, media(spell("x"))),
    ]
    assert read(played(sent)) == "abcx"
