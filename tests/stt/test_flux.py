"""Flux against its simulator, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.call.events import SpeechStopped, TranscriptFinal, TurnEnded, TurnGoesOn, TurnMayEnd
from services.stt.flux import MULTI, FluxOptions, FluxTranscriber
from services.vendors import Reports
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.simulators.vendors.flux import Turns
from tests.stt.caller import Caller, hears
from tests.stt.chained import BY_FAULT, Second, chain, check_words_come_in_time
from tests.stt.live import new_breaker, on_deepgram
from tests.virtual_time import run_virtual

NEVER_SURE = Turns(end_ms=60_000)


@asynccontextmanager
async def call(
    deepgram: DeepgramSimulator, second: Second | None = None, **options: Any
) -> AsyncIterator[Caller]:
    """A call heard by Flux."""
    asked = FluxOptions(**({"key": deepgram.key, "base_url": deepgram.url} | options))
    reports = Reports()
    flux: Any = FluxTranscriber(asked, reports, new_breaker("deepgram"))
    if second:
        flux = chain(flux, reports, second, patience_ms=asked.patience_ms)
    async with on_deepgram(deepgram, flux, reports, quiet_ms=300) as caller:
        yield caller
    if second:
        caller.check_one_answer_each()


def test_the_end_of_a_turn_brings_its_words_and_says_that_it_is_over() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram) as caller:
            await caller.say("one", "two")
            assert caller.finals == [(1, 1, "one two")]
            assert caller.all(TurnEnded) == [TurnEnded(1)]
            assert caller.answered_in(1) < 0.2
            kinds = [type(event) for _, event in caller.said]
            assert kinds.index(TranscriptFinal) < kinds.index(TurnEnded)
            assert deepgram.errors == []

    run_virtual(main())


def test_a_turn_may_end_and_go_on() -> None:
    async def main() -> None:
        said = ["one two", "three"]
        simulator = DeepgramSimulator(hears=said, turns=Turns(end_ms=500))
        async with simulator as deepgram, call(deepgram, eager_eot_threshold=0.4) as caller:
            await caller.say("one", "two", pause_ms=400)
            assert caller.all(TurnMayEnd) == [TurnMayEnd(1, "one two")]
            assert caller.finals == []
            await caller.say("three", pause_ms=1000)
            assert caller.all(TurnGoesOn) == [TurnGoesOn(2)]
            assert caller.finals == [(1, 2, "one two three")]
            assert caller.all(TurnEnded) == [TurnEnded(2)]
            assert caller.turn.text == "one two three"

    run_virtual(main())


def test_a_pause_that_flux_cannot_decide_is_ended_by_us() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, turns=NEVER_SURE)
        async with simulator as deepgram, call(deepgram) as caller:
            await caller.say("one", "two", pause_ms=1400)
            assert caller.finals == [(1, 1, "one two")]
            assert caller.answered_in(1) == pytest.approx(0.96, abs=0.03)
            assert len(deepgram.entries("force end turn")) == 1
            assert "deepgram: force end turn" in caller.steps
            assert deepgram.errors == []

    run_virtual(main())


def test_a_pause_shorter_than_that_does_not_end_the_turn() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, turns=NEVER_SURE)
        async with simulator as deepgram, call(deepgram) as caller:
            await caller.say("one", pause_ms=600)
            await caller.say("two", pause_ms=1400)
            assert caller.turn.text == "one two"
            assert caller.finals == [(1, 2, "one two")] or len(caller.finals) == 2
            caller.check_one_answer_each()

    run_virtual(main())


def test_sound_without_words_does_not_wait_for_the_end_of_a_turn() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=["", "two"]) as deepgram, call(deepgram) as caller:
            await caller.say("one", pause_ms=1200)
            assert caller.finals == [(1, 1, "")]
            assert caller.answered_in(1) < 0.7
            assert caller.all(TurnEnded) == []
            await caller.say("two")
            assert caller.turn.text == "two"

    run_virtual(main())


def test_an_end_that_comes_before_our_own_pause_waits_for_it() -> None:
    async def main() -> None:
        said, quick = ["one two", "three"], Turns(end_ms=40)
        simulator = DeepgramSimulator(hears=said, turns=quick, gap_ms=40, final_ms=5)
        async with simulator as deepgram, call(deepgram) as caller:
            await caller.say("one", "two")
            assert caller.finals == [(1, 1, "one two")]
            assert caller.all(TurnEnded) == [TurnEnded(1)]
            assert caller.answered_in(1) < 0.02
            kinds = [type(event) for _, event in caller.said]
            assert kinds.index(SpeechStopped) < kinds.index(TurnEnded)  # else it goes unheard
            await caller.say("three")
            assert caller.turn.text == "one two three"

    run_virtual(main())


def test_without_frames_silence_is_made_up_so_that_the_turn_ends() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=["one two"]) as deepgram, call(deepgram) as caller:
            await caller.speak("one", "two")
            await caller.pause(220)
            await asyncio.sleep(1)  # the carrier suppresses silence
            assert caller.finals == [(1, 1, "one two")]
            await asyncio.sleep(180)
            await caller.say("five")
            assert len(deepgram.entries("connected")) == 1
            assert deepgram.errors == []

    run_virtual(main())


def test_languages_other_than_english_are_hinted_at() -> None:
    async def main() -> None:
        async with (
            DeepgramSimulator(hears=hears) as deepgram,
            call(deepgram, model=MULTI, language="es-MX", keyterms=("Lume",)) as caller,
        ):
            await caller.say("one")
            query = deepgram.entries("connected")[0].detail["query"]
            assert ("language_hint", "es") in query
            assert ("keyterm", "Lume") in query
            assert ("encoding", "mulaw") in query
            assert deepgram.errors == []

    run_virtual(main())


def test_the_call_s_end_closes_the_stream() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            async with call(deepgram) as caller:
                await caller.speak("one", "two")
            assert len(deepgram.entries("close stream")) == 1
            assert deepgram.errors == []

    run_virtual(main())


def test_a_socket_cut_amid_a_turn_loses_and_doubles_no_word() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("flux", Fault(Trouble.CUT), times=1)
            async with call(deepgram) as caller:
                await caller.say("one", "two", "three", "four")
                assert caller.finals == [(1, 1, "one two three four")]
                assert caller.all(TurnEnded) == [TurnEnded(1)]
                await caller.say("five")
                assert caller.turn.text == "one two three four five"
                assert caller.failures == [("deepgram", "listen", "1006")]

    run_virtual(main())


@BY_FAULT
def test_whatever_befalls_flux_the_words_come_in_time(fault: Fault) -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears, one_call=True) as deepgram:
            deepgram.faults.order("flux", fault)
            async with call(deepgram, Second()) as caller:
                await check_words_come_in_time(deepgram, caller, 1.8, 0.2)

    run_virtual(main())


def test_flux_that_is_late_does_not_say_again_what_the_second_said() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, interim_ms=1700, final_ms=1700)
        async with simulator as deepgram, call(deepgram, Second()) as caller:
            await caller.say("one", "two", pause_ms=2000)
            assert caller.finals == [(1, 1, "one two")]
            await caller.say("three", pause_ms=3000)
            assert caller.turn.text == "one two three"

    run_virtual(main())
