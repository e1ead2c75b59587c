"""Deepgram's live sockets that break, lag, or fall silent: no word is lost, none comes twice, and
no socket that lives is given up."""

from __future__ import annotations

import pytest

from services.call.events import TranscriptFailed, VendorFailed
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import break_connections, hears
from tests.stt.live import call, live_call
from tests.virtual_time import run_virtual

BREATH = b"\xfe" * 160
"""A frame too faint for Deepgram, but not for the segmenter."""

CLOSES = [(1008, "DATA-0000"), (1011, "NET-0000"), (1011, "NET-0001"), (1011, ""), (1000, "")]


@pytest.mark.parametrize(("code", "reason"), CLOSES)
def test_a_socket_closed_amid_an_utterance_loses_and_doubles_no_word(
    code: int, reason: str
) -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            fault = Fault(Trouble.CLOSE, code=code, reason=reason)
            deepgram.faults.order("listen", fault, times=1)
            async with call(deepgram) as caller:
                await caller.say("one", "two", "three", "four")
                assert caller.finals == [(1, 1, "one two three four")]
                assert caller.answered_in(1) < 0.1
                await caller.say("five")
                assert caller.turn.text == "one two three four five"
                assert caller.failures == [("deepgram", "listen", reason or str(code))]
                assert caller.steps.count("deepgram: connected again") == 1
                assert deepgram.errors == []

    run_virtual(main())


def test_a_cut_socket_is_opened_again_with_what_it_had_not_finished() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.CUT), times=1)
            async with call(deepgram) as caller:
                await caller.say("one", "two", "three")
                await caller.say("four")
                assert caller.turn.text == "one two three four"
                caller.check_one_answer_each()
                assert caller.failures == [("deepgram", "listen", "1006")]

    run_virtual(main())


def test_words_that_were_final_before_the_loss_are_not_said_again() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram) as caller:
            await caller.say("one", "two")
            break_connections(deepgram)
            await caller.say("three")
            assert caller.finals == [(1, 1, "one two"), (2, 2, "three")]

    run_virtual(main())


def test_a_socket_lost_while_words_are_owed_answers_from_the_replay() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, final_ms=200)
        async with simulator as deepgram, call(deepgram) as caller:
            await caller.say("one", "two", pause_ms=260)
            assert caller.finals == []
            break_connections(deepgram)
            await caller.pause(400)
            assert caller.finals == [(1, 1, "one two")]
            assert caller.answered_in(1) < 0.4

    run_virtual(main())


def test_a_service_that_falls_silent_is_left_and_no_word_is_lost() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=["one", "two", "three four", "five"]) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STALL_MID), times=1)
            async with call(deepgram) as caller:
                await caller.say("one")
                assert caller.finals == [(1, 1, "one")]
                await caller.say("two", pause_ms=1600)
                assert caller.all(TranscriptFailed) == [TranscriptFailed(2, "timeout")]
                await caller.say("three", "four", pause_ms=1600)
                await caller.say("five", pause_ms=1600)
                assert ("deepgram", "finalize", "stall") in caller.failures
                assert caller.failures.count(("deepgram", "finalize", "stall")) == 1
                caller.check_one_answer_each()

    run_virtual(main())


@pytest.mark.parametrize("late_ms", [700, 900])
def test_words_that_are_late_after_a_long_silence_do_not_cost_the_socket(late_ms: int) -> None:
    async def main() -> None:
        async with (
            DeepgramSimulator(hears=hears, final_ms=late_ms) as deepgram,
            live_call(deepgram) as (transcriber, caller),
        ):
            for quiet_ms, word in [(3000, "one"), (8000, "two"), (9000, "three"), (9400, "four")]:
                await caller.pause(quiet_ms)
                await caller.say(word, pause_ms=800)
                transcriber.answered(caller.utterance)  # somebody else was faster
                caller.commit()
            await caller.pause(3000)
            assert len(deepgram.entries("connected")) == 1
            assert caller.failures == []

    run_virtual(main())


def test_a_socket_that_says_nothing_at_all_is_left_a_second_after_it_was_asked() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STALL_MID), times=1)
            async with live_call(deepgram) as (transcriber, caller):
                await caller.say("one")
                caller.commit()
                await caller.say("two", pause_ms=800)
                transcriber.answered(2)
                assert caller.failures == []
                await caller.pause(600)
                (lost_at,) = [at for at, event in caller.said if isinstance(event, VendorFailed)]
                assert lost_at - caller.stopped_at[2] == pytest.approx(1, abs=0.02)
                assert caller.failures == [("deepgram", "finalize", "stall")]
                assert caller.all(TranscriptFailed) == []  # nobody waits for its words any more

    run_virtual(main())


def test_a_new_socket_has_a_whole_second_of_its_own() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, final_ms=950)
        async with simulator as deepgram, call(deepgram) as caller:
            await caller.say("one", pause_ms=300)
            break_connections(deepgram)  # 100 ms after it was asked
            await caller.pause(2000)
            assert caller.finals == [(1, 1, "one")]
            assert caller.answered_in(1) > 1
            assert caller.failures == [("deepgram", "listen", "1006")]
            assert len(deepgram.entries("connected")) == 2

    run_virtual(main())


def test_a_request_that_has_little_to_finish_may_go_unanswered() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram) as caller:
            await caller.speak("one")
            await caller.send(BREATH, 400)  # Deepgram has finished before we hear the pause
            await caller.pause(1800)
            assert len(deepgram.entries("finalize")) == 1
            assert caller.all(TranscriptFailed) == [TranscriptFailed(1, "timeout")]
            assert len(deepgram.entries("connected")) == 1
            assert caller.failures == []

    run_virtual(main())


def test_a_sound_that_only_we_took_for_speech_does_not_cost_the_socket() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, empty_finalize=True)
        async with simulator as deepgram, call(deepgram) as caller:
            await caller.pause(8000)
            await caller.send(BREATH, 400)
            await caller.pause(1800)
            assert caller.finals == [(1, 1, "")]
            assert len(deepgram.entries("connected")) == 1
            assert caller.failures == []

    run_virtual(main())


def test_messages_that_make_no_sense_are_a_lost_socket() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.MALFORMED), times=1)
            async with call(deepgram) as caller:
                await caller.say("one", "two")
                assert caller.finals == [(1, 1, "one two")]
                assert caller.failures == [("deepgram", "listen", "malformed")]

    run_virtual(main())


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(Trouble.STATUS, 401), "401"),
        (Fault(Trouble.STATUS, 429), "429"),
        (Fault(Trouble.STATUS, 500), "500"),
        (Fault(Trouble.RESET), "reset"),
        (Fault(Trouble.STALL_FIRST), "connect timeout"),
    ],
)
def test_without_a_socket_nobody_is_kept_waiting(fault: Fault, code: str) -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", fault)
            async with call(deepgram) as caller:
                await caller.pause(1400)
                await caller.say("one")
                assert caller.answered_in(1) == 0
                assert caller.all(TranscriptFailed) == [TranscriptFailed(1, "not connected")]
                assert set(caller.failures) == {("deepgram", "connect", code)}
                deepgram.faults.clear()
                caller.commit()
                await caller.pause(12_000)
                await caller.say("two")
                assert caller.turn.text == "two"

    run_virtual(main())


def test_words_that_failed_come_with_the_next_ones_of_the_turn() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STATUS, 500), times=3)
            async with call(deepgram) as caller:
                await caller.say("one", pause_ms=6000)  # the breaker lets nobody in for 5 s
                await caller.say("two")
                assert caller.finals[-1] == (1, 2, "one two")
                assert caller.turn.text == "one two"

    run_virtual(main())


def test_a_refused_connection_is_not_tried_over_and_over() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STATUS, 401))
            async with call(deepgram) as caller:
                await caller.pause(60_000)
                assert len(deepgram.entries("refused")) <= 6
                assert len(caller.failures) == len(deepgram.entries("refused"))

    run_virtual(main())
