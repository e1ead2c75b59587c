"""The simulated Deepgram's turns: ``/v2/listen``."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.vendors.deepgram_client import FLUX, QUIET, TEXTS, VOICE, Talk, flux, in_simulator


def events(talk: Talk) -> list[str]:
    return [m["event"] for m in talk.of("TurnInfo") if m["event"] != "Update"]


def test_a_flux_turn_starts_may_end_resumes_and_ends() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator)
        await talk.play(QUIET, 400, 4)
        await talk.play(VOICE, 2000, 4)
        await talk.play(QUIET, 240, 4)
        await talk.play(VOICE, 1200, 4)
        await talk.play(QUIET, 800, 4)
        await talk.send("CloseStream")
        assert (await talk.end())[0] == 1005
        assert talk.got[0][1]["type"] == "Connected"
        assert [message["sequence_id"] for _, message in talk.got] == [*range(len(talk.got))]
        assert events(talk) == [
            *("StartOfTurn", "EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn")
        ]
        eager, last = talk.of("EagerEndOfTurn")
        (ended,) = talk.of("EndOfTurn")
        assert eager["transcript"] == TEXTS[0]
        assert last["transcript"] == ended["transcript"] == " ".join(TEXTS)
        assert (ended["trigger"], ended["turn_index"]) == ("model", 0)
        assert all("trigger" not in message for message in talk.of("Update", "EagerEndOfTurn"))
        after = talk.got[talk.got.index(next(g for g in talk.got if g[1] is ended)) + 1 :]
        assert {message["turn_index"] for _, message in after} == {1}

    assert in_simulator(work).errors == []


def test_updates_come_with_the_audio_and_not_with_the_clock() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator, FLUX)
        await talk.play(QUIET, 4000, 4)
        count = len(talk.of("Update"))
        assert 14 <= count <= 16
        await asyncio.sleep(30)
        assert len(talk.of("Update")) <= count + 1
        assert talk.closed is None
        await talk.hang_up()

    in_simulator(work)


def test_a_flux_turn_ends_only_while_audio_flows() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator, FLUX)
        await talk.play(VOICE, 1200, 4)
        await talk.play(QUIET, 160, 4)
        await asyncio.sleep(20)
        assert events(talk) == ["StartOfTurn"]
        await talk.play(QUIET, 240, 4)
        await asyncio.sleep(0.1)
        assert events(talk) == ["StartOfTurn", "EndOfTurn"]
        await talk.hang_up()

    in_simulator(work)


def test_a_flux_turn_is_ended_by_its_time_out_in_seconds_of_audio() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator, FLUX | {"eot_threshold": "1.0", "eot_timeout_ms": "3000"})
        await talk.play(VOICE, 800, 4)
        await talk.play(QUIET, 4000, 4)
        await talk.hang_up()
        (ended,) = talk.of("EndOfTurn")
        assert ended["trigger"] == "timeout"
        assert ended["audio_window_end"] == pytest.approx(3.8, abs=0.021)

    in_simulator(work)


def test_force_end_turn_ends_a_turn_and_nothing_else() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator)
        await talk.play(QUIET, 160, 4)
        await talk.send("ForceEndTurn")
        await talk.play(VOICE, 800, 4)
        await talk.send("ForceEndTurn")
        await talk.play(QUIET, 800, 4)
        await talk.hang_up()
        (ended,) = talk.of("EndOfTurn")
        assert (ended["trigger"], ended["transcript"]) == ("manual", TEXTS[0])
        assert events(talk) == ["StartOfTurn", "EndOfTurn"]

    assert in_simulator(work).errors == []


def test_a_forced_turn_waits_for_the_recogniser() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator)
        await talk.play(VOICE, 800, 4)
        await talk.send("ForceEndTurn")
        await asyncio.sleep(0.2)
        await talk.hang_up()
        assert events(talk) == ["StartOfTurn", "EndOfTurn"]
        assert talk.of("EndOfTurn")[0]["transcript"] == "from afar"

    in_simulator(work, hears=lambda audio: "from afar")


def test_noise_begins_no_flux_turn() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator)
        await talk.play(VOICE, 400, 4)
        await talk.play(QUIET, 6000, 4)
        await talk.hang_up()
        assert events(talk) == []

    in_simulator(work, hears=None)


def test_flux_close_stream_ends_no_turn_and_has_no_code() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator)
        await talk.play(VOICE, 800, 4)
        await talk.send("CloseStream")
        assert await talk.end() == (1005, "")
        assert talk.got[-1][1]["event"] == "Update"
        assert talk.got[-1][1]["transcript"] == TEXTS[0]
        assert not talk.of("EndOfTurn", "Metadata")

    assert in_simulator(work).errors == []


@pytest.mark.parametrize("nonsense", ["not json", '{"type":"KeepAlive"}', '{"type":"Finalize"}'])
def test_a_text_that_flux_does_not_know_is_fatal(nonsense: str) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator)
        await talk.play(QUIET, 160, 4)
        await talk.socket.send(nonsense)
        await talk.end()
        assert talk.got[-1][1]["type"] == "Error"

    assert len(in_simulator(work).errors) == 1


def test_flux_refuses_a_configuration_out_of_range() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await flux(simulator)
        await talk.send("Configure", thresholds={"eot_threshold": 0.2})
        await talk.send("Configure", language_hints=["es"])
        await talk.send("Configure", keyterms=["Lume"], thresholds={"eot_timeout_ms": 4000})
        await asyncio.sleep(0.2)
        await talk.hang_up()
        assert [message["type"] for _, message in talk.got] == [
            *("Connected", "ConfigureFailure", "ConfigureFailure", "ConfigureSuccess")
        ]
        done = talk.got[-1][1]
        assert done["keyterms"] == ["Lume"]
        assert done["thresholds"] == {
            "eot_threshold": 0.8,
            "eager_eot_threshold": 0.4,
            "eot_timeout_ms": 4000,
        }

    in_simulator(work)
