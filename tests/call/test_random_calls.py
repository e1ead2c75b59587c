"""The rules of the house over random calls: a faithful world first, then a mad one.

Most tapes come from a seeded generator, which is fast; a few from hypothesis, which finds others.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.call import events as on
from services.call.effects import Purpose
from services.call.events import AfterReply, Event
from services.call.timings import Timings
from tests.call.tape import (
    EARLIER,
    LEGAL,
    TIMINGS,
    WORDS,
    MadCall,
    RandomCall,
    State,
    Tape,
    any_start,
)

FAITHFUL, MAD = 2500, 8000
"""Random calls in each world: more than 10,000, in less than a minute."""
PARTS = 5
TAPES = st.binary(min_size=30, max_size=150)
PROFILE = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def faithful_world(tape: bytes) -> None:
    """Every party keeps to its protocol; a silent caller is said goodbye to."""
    RandomCall(Tape(tape)).run()


def mad_world(tape: bytes) -> None:
    """Whatever happens, no call lasts for ever."""
    call = mad_call(Tape(tape))
    call.wait(call.conversation.timings.max_call_s + 60)
    assert call.conversation.ended, "no call lasts for ever"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(("world", "count"), [(faithful_world, FAITHFUL), (mad_world, MAD)])
def test_the_rules_hold_in_random_calls(
    world: Callable[[bytes], None], count: int, part: int
) -> None:
    for seed in range(part * count // PARTS, (part + 1) * count // PARTS):
        source = random.Random(seed)
        check(world, source.randbytes(source.randint(30, 110)), seed)


def check(world: Callable[[bytes], None], tape: bytes, seed: int) -> None:
    """Run one call; a failure says how to have it again, as short as it can be made."""
    if why := failure(world, tape):
        tape = shortened(tape, lambda shorter: failure(world, shorter) == why)
        again = f'{world.__name__}(bytes.fromhex("{tape.hex()}"))'
        pytest.fail(f"seed {seed}: {why}\nagain: {again}")


def failure(world: Callable[[bytes], None], tape: bytes) -> str:
    """What breaks, and why in a line; '' if nothing does."""
    try:
        world(tape)
    except Exception as error:
        return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
    return ""


def shortened(tape: bytes, still_fails: Callable[[bytes], bool]) -> bytes:
    """The tape without the pieces that the failure does not need."""
    size = len(tape) // 2
    while size:
        place = 0
        while place < len(tape):
            shorter = tape[:place] + tape[place + size :]
            if still_fails(shorter):
                tape = shorter
            else:
                place += size
        size //= 2
    return tape


def test_a_failure_is_told_with_its_seed_and_the_shortest_tape() -> None:
    def world(tape: bytes) -> None:
        assert 7 not in tape or 9 not in tape, "both"

    with pytest.raises(pytest.fail.Exception) as failed:
        check(world, bytes([1, 2, 7, 3, 4, 5, 9, 6]), 12)
    assert "seed 12: AssertionError: both" in str(failed.value)
    assert 'world(bytes.fromhex("0709"))' in str(failed.value)


@given(TAPES)
@PROFILE
def test_the_rules_hold_in_every_call_and_a_silent_caller_is_said_goodbye_to(tape: bytes) -> None:
    faithful_world(tape)


@given(TAPES)
@PROFILE
def test_the_rules_hold_whatever_happens(tape: bytes) -> None:
    mad_world(tape)


def mad_call(tape: Tape) -> MadCall:
    call = MadCall.new(tape.pick(TIMINGS))
    call.feed(any_start(tape))
    while not tape.is_used_up:
        call.step(tape)
    return call


# --- every state and every event ------------------------------------------------------------------

VARIANTS: list[Event] = [
    on.CallStarted("+1", "+2"),
    on.CallStarted("+1", "+2", Purpose.NOBODY_THERE, EARLIER),
    on.CallerHungUp(),
    on.DeadlinePassed(),
    on.AudioSent(1),
    on.TransferOrdered(),
    on.HangUpOrdered(),
    *(on.MachineAnswered(message) for message in (True, False)),
    *(on.DigitPressed(digit) for digit in ("1", "#", "*")),
    *(on.CallerTyped(text) for text in ("hello", "")),
    *(on.SpeechStarted(number) for number in (1, 99)),
    *(on.SpeechStopped(number, silence) for number in (1, 99) for silence in (0, 9999)),
    *(on.TranscriptInterim(1, last, text) for last in (1, 99) for text in WORDS),
    *(on.TranscriptFinal(1, last, text) for last in (1, 99) for text in WORDS),
    *(on.TranscriptFailed(number, "Error") for number in (1, 99)),
    *(kind(number) for number in (1, 99) for kind in (on.TurnEnded, on.TurnGoesOn)),
    *(on.TurnMayEnd(number, text) for number in (1, 99) for text in WORDS),
    *(on.MarkPlayed(mark) for mark in ("", "1.0.10")),
]


def variants(call: MadCall) -> list[Event]:
    """Every kind of event, of the live reply and of another; marks that are pending, too."""
    events = list(VARIANTS)
    for reply in (call.rules.live or 1, 99):
        events += [
            on.TokenProduced(reply),
            on.ToolStarted(reply, "confirm"),
            on.ToolUsed(reply, "confirm", "ok", 5),
        ]
        events += [
            on.AudioProduced(reply, b"\x55" * size, "words", is_guarded=is_guarded)
            for size in (0, 100, 4801)
            for is_guarded in (False, True)
        ]
        events += [on.FillerReady(reply, b"\x55" * size, "words") for size in (0, 100, 4801)]
        events += [on.ReplyFinished(reply, then) for then in AfterReply]
        events += [on.ReplyFailed(reply, "Error")]
    return events + [on.MarkPlayed(mark) for mark in call.marks]


@cache
def reached() -> dict[State, list[MadCall]]:
    """A few calls in each state that random calls come to."""
    source = random.Random(2)
    calls: dict[State, list[MadCall]] = {}
    for _ in range(500):
        tape = Tape(source.randbytes(90))
        call = MadCall.new(tape.pick([*TIMINGS, Timings(max_call_s=4)]))
        keep(call, calls)
        call.feed(on.CallStarted("+1", "+2"))
        while not tape.is_used_up:
            keep(call, calls)
            call.step(tape)
        call.feed(on.CallerHungUp())
        keep(call, calls)
    for call in guarded():
        keep(call, calls)
    return calls


def guarded() -> Iterator[MadCall]:
    """The states of a caller who speaks over what may not be interrupted."""
    call = MadCall.new(Timings())
    call.feed(on.CallStarted("+1", "+2"))
    call.feed(on.AudioProduced(1, b"\x55" * 16_000, "This call is recorded.", is_guarded=True))
    call.feed(on.SpeechStarted(1, 60))
    yield call
    early = deepcopy(call)
    early.feed(on.MarkPlayed(call.marks[-1]))
    yield early
    call.feed(on.SpeechStopped(1, 200))
    yield call
    call.feed(on.MarkPlayed(call.marks[-1]))
    yield call


def keep(call: MadCall, calls: dict[State, list[MadCall]]) -> None:
    found = calls.setdefault(call.state, [])
    if len(found) < 8:
        found.append(deepcopy(call))


def test_every_legal_state_is_reached_and_no_other() -> None:
    assert reached().keys() == LEGAL


def name(state: State) -> str:
    return "-".join(part.value for part in state)


@pytest.mark.parametrize("state", sorted(LEGAL, key=name), ids=name)
def test_from_every_state_every_event_leads_to_a_legal_one(state: State) -> None:
    for start in reached()[state]:
        for event in variants(start):
            call = deepcopy(start)
            call.feed(event)
            call.wait(3.0)
            assert call.state in LEGAL
