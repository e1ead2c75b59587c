"""What a call costs, and what it has used up."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from services.call import effects as do
from services.call import events as on
from services.call.effects import Effect, Purpose
from services.call.events import Event
from services.records.costs import Cost, Use, cost, segments
from services.records.eager import EagerFold
from services.records.tally import Tally
from tests.call_books import PRICES

LIST: Any = SimpleNamespace(**PRICES)
NOTHING = on.DeadlinePassed()


@pytest.mark.parametrize(
    ("use", "parts", "total"),
    [
        (Use(), {}, 0.0),
        (Use(call_s=1, stream_s=1), {"call": 0.01, "stream": 0.004}, 0.014),
        (Use(call_s=60), {"call": 0.01}, 0.01),
        (Use(call_s=60.1), {"call": 0.02}, 0.02),
        (Use(heard_s=90), {"recognition": 0.01155}, 0.01155),
        (
            Use(prompt_tokens=2000, completion_tokens=500),
            {"prompt": 0.002, "answers": 0.002},
            0.004,
        ),
        (Use(spoken_chars=250), {"voice": 0.0125}, 0.0125),
        (Use(texts=2), {"texts": 0.016}, 0.016),
    ],
)
def test_each_part_has_its_price(use: Use, parts: dict[str, float], total: float) -> None:
    bill = cost(use, LIST)
    assert bill == Cost("USD", parts)
    assert bill.total == pytest.approx(total)
    assert bill.as_dict() == {"currency": "USD", "total": bill.total, "parts": parts}


def tallied(
    *entries: tuple[float, Event] | tuple[float, Event, list[Effect]], paid: bool = True
) -> Use:
    tally = Tally(EagerFold(), is_paid=paid)
    for now, event, *effects in entries:
        tally.feed(now, event, effects[0] if effects else [])
    return tally.used()


def test_embedded_engines_cost_nothing() -> None:
    use = tallied(
        (1.0, on.SpeechStarted(1)),
        (2.0, on.VendorStep("moonshine", "transcribe")),
        (3.0, on.SpeechStopped(1)),
        (4.0, on.VendorStep("hibari", "first audio", 2)),
        (4.0, on.AudioProduced(2, b"x", "twelve chars")),
        (30.0, on.CallerHungUp("stop")),
    )
    assert use == Use(call_s=30.0, stream_s=30.0)


def test_a_live_recogniser_hears_the_whole_stream() -> None:
    use = tallied((0.5, on.VendorStep("deepgram", "connected")), (30.0, on.CallerHungUp()))
    assert use.heard_s == 30.0


def test_one_that_is_sent_utterances_hears_only_those() -> None:
    use = tallied(
        (1.0, on.SpeechStarted(1, voiced_ms=100)),
        (3.4, on.SpeechStopped(1, silence_ms=200)),
        (3.4, on.VendorStep("openai", "transcribe")),
        (30.0, on.CallerHungUp()),
    )
    assert use.heard_s == pytest.approx(2.3)


def test_tokens_are_those_of_the_prompt_and_of_the_answer() -> None:
    use = tallied(
        (1.0, on.VendorStep("openai", "usage 100+20 tokens", 2, 120, 20)),
        (2.0, on.VendorStep("openai", "usage 50+5 tokens", 3, 55, 5)),
    )
    assert (use.prompt_tokens, use.completion_tokens) == (150, 25)


def test_only_what_a_remote_voice_has_spoken_is_paid_for() -> None:
    use = tallied(
        (1.0, on.AudioProduced(1, b"x", "a line out of the store")),
        (2.0, on.VendorStep("elevenlabs", "first audio", 2)),
        (2.0, on.AudioProduced(2, b"x", "hello")),
        (2.1, on.AudioProduced(2, b"x", "there")),
    )
    assert use.spoken_chars == 10


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Your check-up is booked.", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("ő" * 70, 1),
        ("ő" * 71, 2),
        ("🦷" * 35, 1),
        ("🦷" * 36, 2),
    ],
)
def test_long_texts_are_billed_in_parts(text: str, parts: int) -> None:
    assert segments(text) == parts


def test_the_talk_page_pays_no_line() -> None:
    use = tallied((1.0, on.VendorStep("deepgram", "connected")), (9.0, NOTHING), paid=False)
    assert (use.call_s, use.stream_s, use.heard_s) == (0.0, 0.0, 9.0)


def test_streams_of_one_call_add_up() -> None:
    tally = Tally(EagerFold())
    tally.feed(0.0, on.VendorStep("deepgram", "connected"), [])
    tally.feed(10.0, NOTHING, [do.HangUp("transfer")])
    assert tally.reason == "agent: transfer"
    tally.resume()
    assert tally.reason == "crash"
    tally.feed(5.0, on.CallerHungUp("stop"), [])
    use = tally.used()
    assert (use.call_s, use.heard_s) == (15.0, 10.0)


# --- what else is counted -------------------------------------------------------------------------


def counted(event: Event, *effects: Effect, sent: bool = True) -> Tally:
    tally = Tally(EagerFold())
    if sent:
        tally.feed(1.0, on.AudioSent(2), [])
    tally.feed(2.0, event, effects)
    return tally


CANCEL = do.CancelReply(2)


@pytest.mark.parametrize(
    ("event", "effects", "interruptions"),
    [
        (on.TranscriptInterim(1, 1, "stop"), (do.ClearPlayback(), CANCEL), 1),
        (NOTHING, (CANCEL,), 1),
        (NOTHING, (CANCEL, do.StartReply(3, Purpose.TIME_LIMIT)), 0),
        (NOTHING, (CANCEL, do.StartReply(3, Purpose.APOLOGY)), 0),
        (NOTHING, (CANCEL, do.HangUp("failed")), 0),
        (NOTHING, (CANCEL, do.StartReply(3, Purpose.ANSWER)), 1),
        (on.CallerHungUp(), (CANCEL,), 0),
        (on.TransferOrdered(), (CANCEL,), 0),
        (on.HangUpOrdered(), (CANCEL,), 0),
    ],
)
def test_an_interruption_is_a_reply_that_the_caller_cut_off(
    event: Event, effects: tuple[Effect, ...], interruptions: int
) -> None:
    assert counted(event, *effects).figures.interruptions == interruptions
    assert counted(event, *effects, sent=False).figures.interruptions == 0


def test_prompts_and_misunderstandings_are_counted() -> None:
    tally = Tally(EagerFold())
    for purpose in (Purpose.IDLE_PROMPT, Purpose.REPAIR, Purpose.APOLOGY, Purpose.ANSWER):
        tally.feed(1.0, NOTHING, [do.StartReply(2, purpose)])
    assert tally.figures.silence_prompts == 1
    assert tally.figures.misunderstandings == 2


def test_talk_and_listen() -> None:
    tally = Tally(EagerFold())
    tally.feed(1.0, NOTHING, [do.ReportHeard(1, "hello", 3000)])
    assert tally.figures.talk_to_listen is None
    tally.feed(4.0, on.SpeechStarted(1, voiced_ms=500), [])
    tally.feed(5.0, on.CallerHungUp(), [])
    assert tally.figures.listen_ms == pytest.approx(1500)
    assert tally.figures.talk_to_listen == 2.0


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ((on.CallerHungUp("stop"),), (), "caller: stop"),
        ((NOTHING, do.HangUp("goodbye")), (on.CallerHungUp("stop"),), "agent: goodbye"),
    ],
)
def test_the_first_end_is_the_reason(first: Any, second: Any, reason: str) -> None:
    tally = Tally(EagerFold())
    for event, *effects in filter(None, (first, second)):
        tally.feed(1.0, event, effects)
    assert tally.reason == reason
