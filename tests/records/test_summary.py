"""Outcome, intent, mood and summary of a call: by rules, and by a language model."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import httpx2
import openai
import pytest

from services.call.effects import Speaker, Turn
from services.records.outcome import Done, intent_of, outcome_of, sentiment_of
from services.records.summary import CallStory, SummaryWriter, Written, by_rules
from services.vendors.breaker import Breaker
from tests.virtual_time import run_virtual


def used(tool: str, code: str = "ok", facts: Mapping[str, Any] | None = None, **args: str) -> Done:
    return Done(tool, code, args, facts or {})


def confirmed(did: str) -> Done:
    return used(
        "confirm", facts={"did": did, "service": "Cleaning", "start": "2026-11-24T15:30:00"}
    )


BOOK = used("book_appointment", name="Anna")
MESSAGE = used("take_message", name="Anna", message="Please call back.", urgent="yes")


@pytest.mark.parametrize(
    ("done", "reason", "turns", "outcome", "intent"),
    [
        ([], "caller: stop", 0, "abandoned", ""),
        ([], "caller: stop", 2, "answered", "question"),
        ([], "crash", 2, "failed", "question"),
        ([], "agent: failed", 2, "failed", "question"),
        ([], "agent: voicemail", 0, "voicemail", ""),
        ([], "agent: machine", 0, "no_answer", ""),
        ([], "agent: goodbye", 2, "answered", "question"),
        ([BOOK], "caller: stop", 2, "answered", "book"),
        ([BOOK, confirmed("booked")], "caller: stop", 2, "booked", "book"),
        ([BOOK, confirmed("booked")], "crash", 2, "booked", "book"),
        ([BOOK, confirmed("booked"), confirmed("moved")], "agent: goodbye", 4, "changed", "book"),
        ([used("cancel_appointment"), confirmed("cancelled")], "x", 3, "cancelled", "cancel"),
        ([MESSAGE], "caller: stop", 2, "message", "message"),
        ([BOOK, confirmed("booked"), MESSAGE], "caller: stop", 2, "booked", "book"),
        ([used("take_message", "failed")], "caller: stop", 2, "answered", "message"),
        ([used("transfer_call")], "agent: transfer", 2, "transferred", "transfer"),
        ([used("transfer_call", "nobody"), MESSAGE], "caller: stop", 2, "message", "transfer"),
    ],
)
def test_outcome_and_intent(
    done: Sequence[Done], reason: str, turns: int, outcome: str, intent: str
) -> None:
    assert outcome_of(done, reason, turns) == outcome
    assert intent_of(done, turns) == intent


@pytest.mark.parametrize(
    ("said", "mood"),
    [
        ([], ""),
        (["Are you open?"], "neutral"),
        (["That's great, thank you so much."], "positive"),
        (["This is ridiculous, I am fed up."], "negative"),
        (["Perfect.", "No, this is useless."], "negative"),
        (["That is not great."], "negative"),
        (["Great.", "Wonderful.", "It was annoying before."], "positive"),
    ],
)
def test_mood(said: Sequence[str], mood: str) -> None:
    assert sentiment_of(said) == mood


def story(*done: Done, said: str = "Are you open?", **more: Any) -> CallStory:
    turns = [Turn(Speaker.AGENT, "Hello."), *([Turn(Speaker.CALLER, said)] if said else [])]
    return CallStory(done, turns, **more)


def transfer(code: str = "ok", **facts: Any) -> Done:
    return used("transfer_call", code, {"person": "Dr. Reed", **facts}, name="Anna")


AWAY = "agent: transfer"
UNCONFIRMED = "Open: what was proposed was not confirmed, so nothing was changed."
ON_TUESDAY = "Cleaning, Tuesday 24 November 2026 at 15:30."


@pytest.mark.parametrize(
    ("told", "summary"),
    [
        (story(said=""), "The caller said nothing."),
        (story(), 'The caller said: "Are you open?"'),
        (story(said="a cleaning please"), 'The caller said: "a cleaning please."'),
        (story(used("opening_hours")), "The caller asked about opening hours."),
        (story(BOOK), f"Anna wanted to book an appointment. {UNCONFIRMED}"),
        (
            story(used("check_availability"), BOOK, confirmed("booked")),
            f"Anna wanted to book an appointment. Booked: {ON_TUESDAY}",
        ),
        (
            story(
                used("find_appointments"),
                used("change_appointment"),
                used("confirm", facts={"did": "moved", "service": "A check-up", "start": "soon"}),
            ),
            "The caller wanted to change an appointment. Moved: a check-up.",
        ),
        (
            story(used("cancel_appointment"), confirmed("cancelled"), used("send_sms")),
            f"The caller wanted to cancel an appointment. Cancelled: {ON_TUESDAY} "
            "Sent the caller a text message.",
        ),
        (
            story(MESSAGE, reason="crash"),
            'Anna wanted to leave a message. Left an urgent message: "Please call back." '
            "The call broke off.",
        ),
        (
            story(used("take_message", name="Anna", message="I need", complete="no")),
            'Anna wanted to leave a message. Left an unfinished message: "I need."',
        ),
        (
            story(used("take_message", name="Anna", complete="no")),
            "Anna wanted to leave a message. Began to leave a message.",
        ),
        (
            story(used("transfer_call", "nobody")),
            "The caller wanted to speak to a person. Open: nobody could be reached.",
        ),
        (
            story(used("opening_hours"), BOOK, transfer(), reason=AWAY),
            "Anna asked about opening hours and wanted to book an appointment and speak to a "
            f"person. Is being put through to Dr. Reed. {UNCONFIRMED}",
        ),
        (
            story(transfer(taken=True), reason=AWAY),
            "Anna wanted to speak to a person. Put through to Dr. Reed.",
        ),
        (
            story(transfer(), reason="caller: hangup"),
            "Anna wanted to speak to a person. Open: hung up before Dr. Reed was reached.",
        ),
        (
            story(transfer("nobody_took_it"), MESSAGE, reason="agent: goodbye"),
            'Anna wanted to speak to a person and leave a message. Left an urgent message: "Please '
            'call back." Open: Dr. Reed could not be reached.',
        ),
        (
            story(said="", is_outbound=True, purpose="a reminder", reason="agent: voicemail"),
            "We called. Purpose: a reminder. A machine answered; a message was left on it.",
        ),
        (
            story(used("change_appointment", name="Anna"), is_outbound=True, purpose="A reminder."),
            "We called Anna. Purpose: A reminder. They wanted to change an appointment. "
            f"{UNCONFIRMED}",
        ),
    ],
)
def test_a_summary_by_rules(told: CallStory, summary: str) -> None:
    assert by_rules(told) == summary


# --- by a model -----------------------------------------------------------------------------------


class Model:
    """Stands in for the client. Answers with a text, an error, or never."""

    def __init__(self, answer: object, takes_s: float = 0.5) -> None:
        self.asked: list[dict[str, Any]] = []
        self._answer, self._takes_s = answer, takes_s
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    async def _create(self, **body: Any) -> object:
        self.asked.append(body)
        await asyncio.sleep(self._takes_s)
        if isinstance(self._answer, Exception):
            raise self._answer
        message = SimpleNamespace(content=self._answer)
        usage = SimpleNamespace(prompt_tokens=90, completion_tokens=12)
        return SimpleNamespace(choices=[SimpleNamespace(message=message)], usage=usage)


def written(model: Model, told: CallStory, times: int = 1) -> list[Written | None]:
    async def work() -> list[Written | None]:
        breaker = Breaker("summary", asyncio.get_running_loop().time)
        client: Any = model
        writer = SummaryWriter(client, "some-model", breaker)
        return [await writer.write(told) for _ in range(times)]

    return run_virtual(work())  # type: ignore[no-any-return]


def test_a_model_writes_it() -> None:
    model = Model(" Anna asked\n whether they are open. ")
    assert written(model, story(BOOK)) == [Written("Anna asked whether they are open.", 90, 12)]
    material = model.asked[0]["messages"][1]["content"]
    assert "Caller: Are you open?" in material
    assert "not confirmed" in material


def test_a_call_in_which_nothing_was_said_asks_no_model() -> None:
    model = Model("x")
    assert written(model, story(said="")) == [None]
    assert model.asked == []


def test_a_long_call_keeps_its_beginning_and_its_end() -> None:
    model = Model("x")
    written(model, story(said="a" * 9000 + "b" * 9000))
    material = model.asked[0]["messages"][1]["content"]
    assert len(material) < 12_500
    assert "\n[...]\n" in material


REQUEST = httpx2.Request("POST", "http://x")


@pytest.mark.parametrize(
    "model",
    [
        Model("x", takes_s=60),
        Model(""),
        Model(openai.APIConnectionError(request=REQUEST)),
    ],
)
def test_without_an_answer_there_is_none_and_no_exception(model: Model) -> None:
    assert written(model, story()) == [None]


def test_a_model_that_hangs_is_not_asked_for_each_call() -> None:
    model = Model("x", takes_s=60)
    assert written(model, story(), times=3) == [None, None, None]
    assert len(model.asked) == 1
