"""Deepgram's live recognition against its simulator, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.audio.mulaw import SILENCE
from services.call.events import TranscriptFailed, TranscriptFinal, TranscriptInterim
from services.stt.deepgram import DeepgramOptions, DeepgramTranscriber
from services.vendors import Reports
from services.vendors.breaker import Breaker
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import Caller, hears, on_the_line
from tests.virtual_time import run_virtual


@asynccontextmanager
async def call(deepgram: DeepgramSimulator, **options: Any) -> AsyncIterator[Caller]:
    """A call with a live transcriber, for which all goes well in the end."""
    options = {"key": deepgram.key, "base_url": deepgram.url} | options
    reports, loop = Reports(), asyncio.get_running_loop()
    breaker = Breaker("deepgram", loop.time)
    transcriber = DeepgramTranscriber(DeepgramOptions(**options), reports, breaker)
    async with on_the_line(transcriber, reports) as caller:
        await caller.pause(300)
        yield caller
    await asyncio.sleep(0.01)
    assert deepgram.open_sockets == 0


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
            reports, loop = Reports(), asyncio.get_running_loop()
            options = DeepgramOptions(deepgram.key, deepgram.url)
            transcriber = DeepgramTranscriber(options, reports, Breaker("d", loop.time))
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


# --- a lost socket --------------------------------------------------------------------------------

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
            await _lose_the_socket(deepgram)
            await caller.say("three")
            assert caller.finals == [(1, 1, "one two"), (2, 2, "three")]

    run_virtual(main())


def test_a_socket_lost_while_words_are_owed_answers_from_the_replay() -> None:
    async def main() -> None:
        simulator = DeepgramSimulator(hears=hears, final_ms=200)
        async with simulator as deepgram, call(deepgram) as caller:
            await caller.say("one", "two", pause_ms=260)
            assert caller.finals == []
            await _lose_the_socket(deepgram)
            await caller.pause(400)
            assert caller.finals == [(1, 1, "one two")]
            assert caller.answered_in(1) < 0.4

    run_virtual(main())


async def _lose_the_socket(deepgram: DeepgramSimulator) -> None:
    """Every connection to the simulator breaks now."""
    assert deepgram._runner is not None
    server = deepgram._runner.server
    assert server is not None
    for connection in server.connections:
        if connection.transport is not None:
            connection.transport.abort()
    await asyncio.sleep(0)


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


def test_words_that_were_had_elsewhere_are_not_given_again() -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears, final_ms=600) as deepgram:
            reports, loop = Reports(), asyncio.get_running_loop()
            options = DeepgramOptions(deepgram.key, deepgram.url)
            transcriber = DeepgramTranscriber(options, reports, Breaker("d", loop.time))
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
            reports, loop = Reports(), asyncio.get_running_loop()
            options = DeepgramOptions(deepgram.key, deepgram.url)
            transcriber = DeepgramTranscriber(options, reports, Breaker("d", loop.time))
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
