"""The chain of recognisers: one answer for each utterance, whatever happens to the live one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from services.call.events import TranscriptFailed, TranscriptFinal, TranscriptInterim
from services.stt.deepgram_file import DeepgramFile
from services.stt.turn_audio import Piece
from services.vendors import Reports
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import Caller, hears, on_the_line
from tests.stt.chained import BY_FAULT, Second, chain, check_words_come_in_time
from tests.stt.live import deepgram_live, new_breaker, on_deepgram
from tests.virtual_time import run_virtual


@asynccontextmanager
async def call(deepgram: DeepgramSimulator, *ways: Second) -> AsyncIterator[Caller]:
    """A call whose live recogniser is Deepgram."""
    live, reports = deepgram_live(deepgram)
    async with on_deepgram(deepgram, chain(live, reports, *ways), reports) as caller:
        yield caller
    caller.check_one_answer_each()


def test_while_all_goes_well_nobody_else_is_asked() -> None:
    async def main() -> None:
        second = Second()
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram, second) as caller:
            await caller.say("one", "two")
            await caller.say("three")
            assert caller.finals == [(1, 1, "one two"), (2, 2, "three")]
            assert caller.turn.text == "one two three"
            assert second.asked == []

    run_virtual(main())


@BY_FAULT
def test_whatever_befalls_the_live_recogniser_the_words_come_in_time(fault: Fault) -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears, one_call=True) as deepgram:
            deepgram.faults.order("listen", fault)
            async with call(deepgram, Second()) as caller:
                await check_words_come_in_time(deepgram, caller, 1.2, 0.08)

    run_virtual(main())


def test_the_next_call_does_not_pay_the_same_time_out() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STALL_FIRST))
            breaker, second = new_breaker("deepgram"), Second()
            for number in range(3):
                live, reports = deepgram_live(deepgram, breaker)
                async with on_the_line(chain(live, reports, second), reports) as caller:
                    await caller.say("one", "two", pause_ms=1200)
                    assert caller.turn.text == "one two"
                    assert caller.answered_in(1) < (1 if number == 0 else 0.2)

    run_virtual(main())


def test_live_answers_that_are_late_after_long_silences_do_not_cost_the_socket() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, final_ms=900)
        async with simulator as deepgram, call(deepgram, Second(after_s=0.05)) as caller:
            for number, word in enumerate(("one", "two", "three"), 1):
                await caller.pause(8000)
                await caller.say(word, pause_ms=2000)
                assert caller.commit() == word
                assert caller.answered_in(number) == pytest.approx(0.75, abs=0.02)
            assert len(deepgram.entries("connected")) == 1
            assert caller.failures == []

    run_virtual(main())


def test_a_late_live_answer_is_not_said_twice() -> None:
    async def main() -> None:
        second = Second(after_s=0.05)
        simulator = DeepgramSimulator(hears=hears, final_ms=900)
        async with simulator as deepgram, call(deepgram, second) as caller:
            await caller.pause(300)
            await caller.say("one", "two", pause_ms=2000)
            assert caller.finals == [(1, 1, "one two")]
            await caller.say("three", pause_ms=2000)
            assert caller.turn.text == "one two three"

    run_virtual(main())


def test_the_first_answer_counts_and_calls_the_other_off() -> None:
    async def main() -> None:
        second = Second(after_s=0.6)
        simulator = DeepgramSimulator(hears=hears, final_ms=900)
        async with simulator as deepgram, call(deepgram, second) as caller:
            await caller.pause(300)
            await caller.say("one", "two", pause_ms=2000)
            assert caller.finals == [(1, 1, "one two")]
            assert caller.answered_in(1) == pytest.approx(0.9, abs=0.02)
            assert second.stopped == 1

    run_virtual(main())


def test_a_late_live_answer_is_taken_if_nobody_else_has_one() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, final_ms=900)
        async with simulator as deepgram, call(deepgram, Second(error="500")) as caller:
            await caller.pause(300)
            await caller.say("one", "two", pause_ms=2000)
            assert caller.finals == [(1, 1, "one two")]
            assert caller.answered_in(1) == pytest.approx(0.9, abs=0.02)

    run_virtual(main())


def test_the_second_is_given_the_whole_turn() -> None:
    async def main() -> None:
        second = Second()
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STATUS, 401))
            async with call(deepgram, second) as caller:
                await caller.say("one", pause_ms=240)
                await caller.say("two", "three")
                assert second.asked == ["one", "one two three"]
                assert caller.finals == [(1, 1, "one"), (1, 2, "one two three")]

    run_virtual(main())


def test_no_words_of_the_second_do_not_wipe_out_those_of_the_first() -> None:
    async def main() -> None:
        class Deaf(Second):
            async def words(self, pieces: Sequence[Piece]) -> str:
                return ""

        async with DeepgramSimulator(hears=["one", "two"]) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STALL_MID))
            async with call(deepgram, Deaf()) as caller:
                await caller.say("one", pause_ms=300)
                assert caller.finals == [(1, 1, "one")]
                await caller.say("two", pause_ms=1200)
                assert caller.turn.text == "one"
                assert caller.finals[-1] == (2, 2, "")

    run_virtual(main())


LONG = ("one", "two", "three", "four")


def test_much_voice_without_words_is_given_to_the_second() -> None:
    async def main() -> None:
        second = Second()
        async with (
            DeepgramSimulator(hears=lambda _: "") as deepgram,
            call(deepgram, second) as caller,
        ):
            for turn in (1, 2):
                await caller.say(*LONG, pause_ms=800)
                assert caller.finals[-1] == (turn, turn, " ".join(LONG))
                assert caller.answered_in(turn) < 0.4
                assert caller.failures == [("deepgram", "finalize", "no words")] * turn
                caller.commit()
            await caller.say("one", pause_ms=800)  # hardly more than a cough
            assert caller.finals[-1] == (3, 3, "")
            assert second.asked == [" ".join(LONG)] * 2

    run_virtual(main())


@pytest.mark.parametrize("error", ["", "500"])
def test_much_voice_in_which_nobody_finds_words_holds_none(error: str) -> None:
    async def main() -> None:
        class Deaf(Second):
            async def words(self, pieces: Sequence[Piece]) -> str:
                await super().words(pieces)
                return ""

        async with (
            DeepgramSimulator(hears=lambda _: "") as deepgram,
            call(deepgram, Deaf(error=error)) as caller,
        ):
            await caller.say(*LONG, pause_ms=800)
            assert caller.finals == [(1, 1, "")]
            assert caller.all(TranscriptFailed) == []
            assert ("deepgram", "finalize", "no words") not in caller.failures

    run_virtual(main())


def test_whatever_a_deaf_recogniser_is_told_in_a_turn_is_heard_by_the_second() -> None:
    async def main() -> None:
        second = Second()
        async with (
            DeepgramSimulator(hears=lambda _: "") as deepgram,
            call(deepgram, second) as caller,
        ):
            await caller.say(*LONG, pause_ms=500)
            await caller.say("five", "six", "seven", pause_ms=500)
            await caller.say("eight", pause_ms=800)
            assert caller.commit() == "one two three four five six seven eight"

    run_virtual(main())


def test_another_vendor_is_asked_for_the_second_opinion() -> None:
    async def main() -> None:
        same, other = Second("deepgram"), Second("other")
        async with (
            DeepgramSimulator(hears=lambda _: "") as deepgram,
            call(deepgram, same, other) as caller,
        ):
            await caller.say(*LONG, pause_ms=800)
            assert caller.commit() == " ".join(LONG)
            assert (same.asked, other.asked) == ([], [" ".join(LONG)])

    run_virtual(main())


def test_words_that_nobody_finds_are_not_waited_for_once_the_live_recogniser_has_spoken() -> None:
    async def main() -> None:
        deepgram = DeepgramSimulator(hears=lambda _: "", final_ms=900)
        async with deepgram, call(deepgram, Second(error="500")) as caller:
            await caller.say(*LONG, pause_ms=2000)
            assert caller.finals == [(1, 1, "")]
            assert caller.answered_in(1) == pytest.approx(0.9, abs=0.03)

    run_virtual(main())


def test_a_sound_without_words_behind_words_is_taken_as_it_was_heard() -> None:
    async def main() -> None:
        second, words = Second(), iter(["one two three", "", ""])
        async with (
            DeepgramSimulator(hears=lambda _: next(words)) as deepgram,
            call(deepgram, second) as caller,
        ):
            await caller.say("one", "two", "three", pause_ms=300)
            await caller.say(*LONG, pause_ms=300)
            assert caller.finals == [(1, 1, "one two three"), (2, 2, "")]
            assert second.asked == []

    run_virtual(main())


def test_if_nobody_has_words_the_unfinished_ones_must_do() -> None:
    async def main() -> None:
        said = " ".join(["word"] * 9)
        async with DeepgramSimulator(hears=[said]) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STALL_MID))
            async with call(deepgram, Second(error="500")) as caller:
                await caller.speak("one", "two", "three", "four", "five", "six", "seven")
                await caller.pause(2000)
                assert caller.all(TranscriptInterim)
                interim = caller.all(TranscriptInterim)[-1].text
                assert caller.finals == [(1, 1, interim)]

    run_virtual(main())


def test_if_nobody_has_any_words_the_core_is_told_so() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STATUS, 500))
            async with call(deepgram, Second(error="429"), Second("third", error="x")) as caller:
                await caller.say("one", pause_ms=1200)
                assert caller.all(TranscriptFailed) == [TranscriptFailed(1, "429, x")]
                assert ("second", "transcribe", "429") in caller.failures
                assert ("third", "transcribe", "x") in caller.failures

    run_virtual(main())


def test_with_every_recogniser_silent_each_utterance_is_settled_in_time() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STALL_FIRST))
            silent = [Second(name, after_s=60) for name in ("second", "third", "fourth")]
            async with call(deepgram, *silent) as caller:
                await caller.say("one", pause_ms=2500)
                assert caller.all(TranscriptFailed) == [TranscriptFailed(1, "timeout")]
                assert caller.answered_in(1) <= 1.8

    run_virtual(main())


def test_an_answer_for_a_closed_turn_does_not_come_in_the_next_one() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STALL_FIRST))
            async with call(deepgram, Second()) as caller:
                await caller.say("one", pause_ms=300)
                caller.turn.stop_waiting()
                caller.commit()
                await caller.say("two", pause_ms=2000)
                assert caller.all(TranscriptFinal) == [
                    TranscriptFinal(1, 1, "one"),
                    TranscriptFinal(2, 2, "two"),
                ]

    run_virtual(main())


def test_deepgram_s_file_interface_rescues_a_lost_socket() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STATUS, 429))
            file = DeepgramFile(deepgram.key, deepgram.url, keyterms=("Hibari",))
            live, reports = deepgram_live(deepgram)
            async with on_the_line(chain(live, reports, file), reports) as caller:
                await caller.say("one", "two", pause_ms=1200)
                assert caller.finals == [(1, 1, "one two")]
                assert caller.answered_in(1) < 0.4
            await file.close()
            assert deepgram.errors == []

    run_virtual(main())


def test_a_live_recogniser_with_a_mistake_in_it_does_not_end_the_call() -> None:
    class Broken:
        batch_frames = 1

        async def run(self, emit: object) -> None:
            raise KeyError("a mistake")

        def hear(self, audio: bytes) -> None: ...

        def speech_started(self, utterance: int, voiced_ms: int) -> None: ...

        def speech_stopped(self, utterance: int) -> None: ...

        def turn_committed(self) -> None: ...

        def answered(self, utterance: int) -> None: ...
        def missed_words(self) -> None: ...

    async def main() -> None:
        reports = Reports()
        async with on_the_line(chain(Broken(), reports, Second()), reports) as caller:
            await caller.say("one", "two")
            assert caller.finals == [(1, 1, "one two")]
            assert caller.answered_in(1) < 0.2

    run_virtual(main())
