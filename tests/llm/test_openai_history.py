"""A call's turns as chat messages: what was not heard is told to the model, by nobody's mouth."""

from __future__ import annotations

import pytest

from services.call.effects import Speaker, Turn
from services.llm.openai_history import chat_messages
from tests.llm.openai_call import GREETING, HOURS, call, text, virtual

HI = Turn(Speaker.CALLER, "Hi.")
OPEN = Turn(Speaker.AGENT, "We are open", unheard="from eight to five.")
STILL_THERE = Turn(Speaker.AGENT, "Are you still there?")
YES = Turn(Speaker.CALLER, "Yes.")
NOTE = "did not hear: “{}”. Say it again only if it still matters.)"


def talk(*turns: Turn) -> list[tuple[str, str]]:
    """The messages after the system's and the ring of the telephone."""
    system, *messages = chat_messages("You are Ava.", turns)
    assert system == {"role": "system", "content": "You are Ava."}
    found = [(message["role"], message["content"]) for message in messages]
    roles = [role for role, _ in found]
    assert roles == ["user", "assistant"] * (len(roles) // 2) + ["user"]
    return found


def note_of(content: str, said: str) -> str:
    """The note before the caller's words."""
    note, found, nothing = content.rpartition(f" {said}")
    assert (found, nothing) == (f" {said}", "")
    assert note.startswith("(Note, not from the caller: ")
    return note


def test_turns_of_one_party_are_one_message_and_the_caller_begins() -> None:
    assert talk(GREETING, HI, YES, STILL_THERE, STILL_THERE, YES) == [
        ("user", "(The telephone rings and you pick up.)"),
        ("assistant", GREETING.text),
        ("user", "Hi. Yes."),
        ("assistant", "Are you still there? Are you still there?"),
        ("user", "Yes."),
    ]
    assert talk(HI) == [("user", "Hi.")]
    assert talk()[0][0] == "user"


def test_what_was_cut_stands_before_the_callers_next_words() -> None:
    *before, (_, content) = talk(HI, OPEN, YES)
    assert before == [("user", "Hi."), ("assistant", "We are open")]
    assert note_of(content, "Yes.").endswith(NOTE.format("from eight to five."))


def test_the_agents_own_message_holds_no_note_if_it_spoke_again_before_the_caller() -> None:
    """After a reply that failed, or a caller who interrupts and then says nothing."""
    *before, (_, content) = talk(HI, OPEN, STILL_THERE, YES)
    assert before[-1] == ("assistant", "We are open Are you still there?")
    assert note_of(content, "Yes.").endswith(NOTE.format("from eight to five."))


def test_turns_that_were_cut_one_after_the_other_are_told_in_one_note() -> None:
    sorry = Turn(Speaker.AGENT, "Sorry,", unheard="could you say that again?")
    _, content = talk(HI, OPEN, sorry, YES)[-1]
    unheard = "from eight to five. … could you say that again?"
    assert note_of(content, "Yes.").endswith(NOTE.format(unheard))


def test_nobody_is_blamed_for_the_cut() -> None:
    """A vendor that failed, or our own patience, cuts a turn off as a caller does."""
    note = note_of(talk(HI, OPEN, YES)[-1][1], "Yes.")
    assert "interrupt" not in note


def test_a_caller_who_said_nothing_yet_is_told_of_as_well() -> None:
    _, content = talk(HI, OPEN)[-1]
    note_of(content, "(The caller says nothing.)")


def test_a_note_stays_where_it_is_when_the_call_goes_on() -> None:
    so_far = talk(HI, OPEN, YES)
    assert talk(HI, OPEN, YES, STILL_THERE, HI)[: len(so_far)] == so_far
    assert talk(HI, OPEN, YES, STILL_THERE, HI)[-1] == ("user", "Hi.")


def test_a_note_is_given_once_when_the_callers_turn_comes_in_pieces() -> None:
    _, content = talk(HI, OPEN, YES, HI)[-1]
    note_of(content, "Yes. Hi.")
    assert content.count("Note") == 1


@pytest.mark.parametrize("unheard", ["", ".", " … "])
def test_nothing_worth_telling_is_not_told(unheard: str) -> None:
    assert talk(HI, Turn(Speaker.AGENT, "Bye", unheard), YES)[-1] == ("user", "Yes.")


@pytest.mark.parametrize("word", ["hours and prices ", "x" * 1000])
def test_a_long_rest_is_shortened_at_its_end_between_words(word: str) -> None:
    unheard = (word * 40).strip()
    note = note_of(talk(HI, Turn(Speaker.AGENT, "We", unheard), YES)[-1][1], "Yes.")
    quoted = note.partition("“")[2].partition("”")[0]
    assert 200 < len(quoted) <= 240
    assert quoted.endswith(" …")
    kept = quoted.removesuffix(" …")
    assert unheard.startswith(kept)
    assert " " not in word or unheard[len(kept)] == " "


def test_of_a_very_long_call_the_last_turns_are_told() -> None:
    turns = [Turn(Speaker.CALLER if n % 2 else Speaker.AGENT, f"Turn {n}.") for n in range(300)]
    messages = talk(*turns)
    assert len(messages) < 110
    assert messages[-2:] == [("assistant", "Turn 298."), ("user", "Turn 299.")]


@virtual
async def test_the_request_that_was_made_ahead_holds_the_note_and_is_the_one_sent() -> None:
    cut = (GREETING, HI, OPEN, *HOURS[1:])
    async with call() as one:
        one.brain.prepare(cut)
        ahead = one.brain._ahead
        assert ahead is not None
        assert text(await one.say(cut))
        (request,) = one.requests
        assert request["messages"] == ahead[0]
        assert "from eight to five." in note_of(request["messages"][-1]["content"], HOURS[1].text)
