"""Deepgram's live recognition against its simulator, on virtual time."""

from __future__ import annotations

import asyncio

from services.audio.mulaw import SILENCE
from services.call.events import TranscriptFinal, TranscriptInterim
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import hears, on_the_line
from tests.stt.live import call, deepgram_live
from tests.virtual_time import run_virtual


def test_words_come_early_because_of_finalize() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram) as caller:
            await caller.say("one", "two")
            assert caller.finals == [(1, 1, "one two")]
            assert caller.answered_in(1) < 0.08  # its 60 ms, and no more waiting of ours
            assert caller.steps == [
                "deepgram: connected",
                "deepgram: finalize",
                "deepgram: final words",
            ]
            assert deepgram.errors == []

    run_virtual(main())


def test_each_utterance_of_a_turn_has_its_own_words() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram) as caller:
            await caller.say("one", "two", pause_ms=240)
            await caller.say("three", pause_ms=220)
            await caller.say("four", "five")
            assert caller.turn.text == "one two three four five"
            caller.check_one_answer_each()
            assert caller.commit() == "one two three four five"
            await caller.pause(3000)
            await caller.say("six")
            assert caller.turn.text == "six"
            caller.check_one_answer_each()

    run_virtual(main())


def test_interim_words_come_while_the_caller_speaks() -> None:
    async def main() -> None:
        said = ["one two three four five six seven eight"]
        async with DeepgramSimulator(hears=said) as deepgram, call(deepgram) as caller:
            await caller.speak("one", "two", "three", "four", "five", "six", "seven", "eight")
            assert caller.all(TranscriptInterim) == [TranscriptInterim(1, 1, "one two three")]
            await caller.pause()
            assert caller.finals == [(1, 1, said[0])]

    run_virtual(main())


def test_a_long_utterance_is_put_together_from_its_final_parts() -> None:
    async def main() -> None:
        text = " ".join(f"w{number}" for number in range(60))
        async with DeepgramSimulator(hears=[text]) as deepgram, call(deepgram) as caller:
            for _ in range(10):
                await caller.speak("one", "two", "three", "four", "five", "six", "seven", "eight")
            await caller.pause()
            assert caller.finals == [(1, 1, text)]
            assert all(text.startswith(interim) for interim in caller.interims)

    run_virtual(main())


def test_sound_without_words_is_an_empty_text() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=[""]) as deepgram, call(deepgram) as caller:
            await caller.say("one")
            assert caller.finals == [(1, 1, "")]

    run_virtual(main())


def test_the_stream_is_asked_for_as_a_telephone_needs_it() -> None:
    async def main() -> None:
        async with (
            DeepgramSimulator(hears=hears) as deepgram,
            call(deepgram, language="multi", keyterms=("Anna Schmidt", "Hibari")) as caller,
        ):
            await caller.say("one")
            query = deepgram.entries("connected")[0].detail["query"]
            assert ("encoding", "mulaw") in query
            assert ("sample_rate", "8000") in query
            assert ("model", "nova-3") in query
            assert ("language", "multi") in query
            assert ("interim_results", "true") in query
            assert [value for name, value in query if name == "keyterm"] == [
                "Anna Schmidt",
                "Hibari",
            ]
            assert deepgram.errors == []

    run_virtual(main())


def test_three_minutes_without_a_frame_keep_the_socket() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram) as caller:
            await caller.say("one")
            caller.commit()
            await asyncio.sleep(180)
            await caller.say("two", "three")
            assert caller.turn.text == "two three"
            assert len(deepgram.entries("connected")) == 1
            assert len(deepgram.entries("keepalive")) in {44, 45}
            assert deepgram.errors == []
            assert caller.failures == []

    run_virtual(main())


def test_a_carrier_that_is_slow_to_send_its_first_frame_is_waited_for() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            transcriber, reports = deepgram_live(deepgram)
            async with on_the_line(transcriber, reports) as caller:
                await asyncio.sleep(25)
                await caller.say("one", "two")
                assert caller.finals == [(1, 1, "one two")]
                assert caller.answered_in(1) < 0.08
            assert deepgram.errors == []
            assert len(deepgram.entries("connected")) == 1

    run_virtual(main())


def test_a_long_silence_on_the_line_is_sent_and_costs_nothing() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram) as caller:
            await caller.say("one")
            caller.commit()
            await caller.pause(180_000)
            await caller.say("two")
            assert caller.turn.text == "two"
            assert caller.answered_in(2) < 0.08
            assert deepgram.errors == []

    run_virtual(main())


def test_the_end_of_the_call_closes_the_stream_politely() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            async with call(deepgram) as caller:
                await caller.say("one")
            assert len(deepgram.entries("close stream")) == 1
            assert deepgram.entries("closed")[-1].detail["code"] == 1000
            assert deepgram.errors == []

    run_virtual(main())


def test_a_call_that_ends_while_the_socket_is_opened_leaves_nothing() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            deepgram.faults.order("listen", Fault(Trouble.STALL_FIRST))
            async with call(deepgram) as caller:
                await caller.say("one")
            assert deepgram.entries("connected") == []

    run_virtual(main())


def test_words_that_were_had_elsewhere_are_not_given_again() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears, final_ms=600) as deepgram:
            transcriber, reports = deepgram_live(deepgram)
            async with on_the_line(transcriber, reports) as caller:
                await caller.pause(300)
                await caller.say("one", "two", pause_ms=300)
                transcriber.answered(1)
                await caller.say("three", pause_ms=1200)
                assert caller.finals == [(2, 2, "three")]

    run_virtual(main())


def test_frames_before_anybody_runs_are_kept() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram:
            transcriber, reports = deepgram_live(deepgram)
            for _ in range(50):
                transcriber.hear(SILENCE)
            async with on_the_line(transcriber, reports) as caller:
                await caller.say("one")
                assert caller.all(TranscriptFinal) == [TranscriptFinal(1, 1, "one")]

    run_virtual(main())


def test_a_burst_of_late_frames_is_no_slow_socket() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, call(deepgram) as caller:
            await caller.say("one")
            caller.commit()
            for _ in range(500):  # ten seconds at once: the carrier had a hiccup
                caller.frame(SILENCE)
            await caller.say("two")
            assert caller.turn.text == "two"
            assert caller.failures == []
            assert deepgram.errors == []

    run_virtual(main())
