"""The simulated Deepgram's v1 stream: results, commands, and what it hears."""

from __future__ import annotations

import asyncio

import pytest

from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.vendors.deepgram_client import LIVE, QUIET, TEXTS, VOICE, dial, in_simulator, text


def test_results_cover_the_audio_without_a_hole_and_say_when_each_word_was() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.play(QUIET, 1000)
        await talk.play(VOICE, 7000)  # longer than one final result
        await talk.play(QUIET, 12000)
        await talk.send("CloseStream")
        assert await talk.end() == (1000, "")
        at = 0.0
        for message in talk.of("Results"):
            assert message["start"] == pytest.approx(at)
            if message["is_final"]:
                at += message["duration"]
        finals = [message for message in talk.of("Results") if message["is_final"]]
        assert " ".join(text(message) for message in finals).strip() == TEXTS[0]
        assert [message["speech_final"] for message in finals[:3]] == [False, True, False]
        words = [w for m in finals for w in m["channel"]["alternatives"][0]["words"]]
        assert [word["punctuated_word"] for word in words] == TEXTS[0].split()
        assert words[0]["start"] == 1.0
        assert words[-1]["end"] == pytest.approx(8.0)
        assert all(a["end"] <= b["start"] for a, b in zip(words, words[1:], strict=False))

    assert in_simulator(work).errors == []


def test_a_final_result_comes_so_long_after_the_pause_or_the_finalize() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.play(VOICE, 400)
        await talk.play(QUIET, 1000)
        await talk.play(VOICE, 400)
        at = asyncio.get_running_loop().time()
        await talk.send("Finalize")
        await asyncio.sleep(0.5)
        await talk.hang_up()
        (pause, first), (flushed, second) = talk.got
        assert first["speech_final"]
        assert pause == pytest.approx(0.4 + 0.3 + 0.09, abs=0.021)
        assert second["from_finalize"]
        assert flushed == pytest.approx(at + 0.09)

    in_simulator(work, final_ms=90)


@pytest.mark.parametrize("endpointing", ["false", "300"])
def test_the_end_of_an_utterance_counts_from_its_last_word(endpointing: str) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        pauses = {"endpointing": endpointing, "utterance_end_ms": "1500"}
        talk = await dial(simulator, LIVE | pauses)
        await talk.play(VOICE, 4600)
        await talk.play(QUIET, 4000)
        await talk.hang_up()
        (end,) = talk.of("UtteranceEnd")
        assert end["last_word_end"] == 4.6
        assert any(message["speech_final"] for message in talk.of("Results")) == (
            endpointing != "false"
        )

    in_simulator(work)


def test_a_finalize_with_nothing_to_flush_may_get_no_answer() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.play(QUIET, 400)
        await talk.send("Finalize")
        await asyncio.sleep(1)
        assert bool(talk.got) is simulator._empty_finalize
        await talk.hang_up()

    in_simulator(work)
    in_simulator(work, empty_finalize=True)


def test_noise_without_words_is_answered_with_an_empty_final() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.play(VOICE, 200)
        await talk.send("Finalize")
        await asyncio.sleep(0.2)
        await talk.hang_up()
        (message,) = talk.of("Results")
        assert (text(message), message["from_finalize"]) == ("", True)

    in_simulator(work, hears=None)


def test_long_messages_are_heard_like_short_ones() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.socket.send(QUIET * 10 + VOICE * 50 + QUIET * 20 + VOICE * 50 + b"\x20" * 77)
        await talk.send("Finalize")
        await asyncio.sleep(0.2)
        await talk.hang_up()
        finals = [message for message in talk.of("Results") if message["is_final"]]
        assert [text(message) for message in finals] == TEXTS
        assert finals[0]["duration"] == 1.5

    assert in_simulator(work).audio_bytes == {1: 130 * 160 + 77}


def test_keep_alives_keep_a_quiet_socket_open() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.play(QUIET, 20)
        for _ in range(40):
            await asyncio.sleep(4.5)
            await talk.send("KeepAlive")
        assert talk.closed is None
        await talk.hang_up()

    simulator = in_simulator(work)
    assert simulator.errors == []
    assert len(simulator.entries("keepalive")) == 40


@pytest.mark.parametrize("with_audio", [True, False])
def test_a_silent_client_is_thrown_out_after_ten_seconds(with_audio: bool) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        if with_audio:
            await talk.play(QUIET, 20)
        else:
            await asyncio.sleep(6)
            await talk.send("KeepAlive")  # it needs audio at first
        assert await talk.end() == (1011, "NET-0001")
        assert asyncio.get_running_loop().time() == pytest.approx(10, abs=0.05)

    simulator = in_simulator(work)
    assert len(simulator.errors) == 1
    assert "NET-0001" in simulator.errors[0]


@pytest.mark.parametrize("nonsense", ["not json", "[]", '{"type":"Hurry"}', '{"kind":"Finalize"}'])
def test_a_text_that_is_no_command_is_an_error_and_the_stream_goes_on(nonsense: str) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.socket.send(nonsense)
        await talk.play(VOICE, 400)
        await talk.send("Finalize")
        await asyncio.sleep(0.2)
        await talk.hang_up()
        (error,) = talk.of("Error")
        assert (error["variant"], error["message"]) == ("SchemaError", nonsense)
        assert text(talk.of("Results")[0]) == TEXTS[0]

    assert len(in_simulator(work).errors) == 1


def test_an_empty_binary_frame_closes_the_stream() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.socket.send(b"")
        await talk.end()

    assert "empty binary frame" in in_simulator(work).errors[0]


def test_a_command_in_a_binary_frame_is_told() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.socket.send(b'{"type":"KeepAlive"}')
        await talk.hang_up()

    assert "binary frame" in in_simulator(work).errors[0]


def test_raw_audio_that_was_not_announced_is_not_decodable() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator, {"model": "nova-3"})
        await talk.socket.send(VOICE)
        assert await talk.end() == (1008, "DATA-0000")

    assert in_simulator(work).errors


def test_close_stream_flushes_then_tells_about_the_stream_then_closes() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.play(VOICE, 500)
        await talk.send("CloseStream")
        await talk.socket.send(VOICE)
        assert await talk.end() == (1000, "")
        assert [message["type"] for _, message in talk.got] == ["Results", "Metadata"]
        assert text(talk.got[0][1]) == TEXTS[0]
        assert talk.got[1][1]["duration"] == 0.5

    simulator = in_simulator(work)
    assert simulator.errors == ["link 1: audio after CloseStream"]
    assert [entry.what for entry in simulator.log] == ["connected", "close stream", "closed"]
    assert simulator.log[-1].detail == {"code": 1000, "by": "server"}


def test_key_terms_can_be_replaced_one_request_at_a_time() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.send("Configure", keyterms=["Lume"])
        await talk.send("Configure", keyterms=["gnocchi"])
        await asyncio.sleep(0.2)
        await talk.send("Configure", features={"numerals": True})
        await asyncio.sleep(0.2)
        await talk.hang_up()
        assert [message["type"] for _, message in talk.got] == [
            "ConfigureFailure",
            "ConfigureSuccess",
            "ConfigureSuccess",
        ]
        assert talk.got[0][1]["code"] == "CONFIGURE_ALREADY_PENDING"
        assert talk.got[1][1]["keyterms"] == ["Lume"]

    in_simulator(work)


def test_a_socket_that_is_only_gone_is_told_and_one_that_is_closed_is_not() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        talk.socket.transport.abort()
        assert await talk.end() == (1006, "")
        talk = await dial(simulator)
        await talk.hang_up()

    simulator = in_simulator(work)
    assert simulator.errors == ["link 1: the connection is gone without a CloseStream or a close"]
    assert [entry.detail for entry in simulator.entries("closed")] == [
        {"code": 1006, "by": "nobody"},
        {"code": 1000, "by": "client"},
    ]


# --- what it hears --------------------------------------------------------------------------------


def test_a_recogniser_gets_the_whole_stretch_and_answers_in_its_own_time() -> None:
    heard: list[bytes] = []

    def recognise(audio: bytes) -> str:
        heard.append(audio)
        return f"stretch {len(heard)}"

    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.play(QUIET, 500)
        await talk.play(VOICE, 700)
        await talk.play(QUIET, 1000)
        await talk.play(VOICE, 300)
        await talk.send("Finalize")
        await talk.send("CloseStream")
        await talk.end()
        assert [text(message) for message in talk.of("Results")] == ["stretch 1", "stretch 2"]

    in_simulator(work, hears=recognise)
    assert heard[0].count(0x20) == 700 * 8
    assert heard[1].count(0x20) == 300 * 8
    assert len(heard[0]) == (180 + 700 + 160) * 8  # a little before, and the pause


def test_a_recogniser_that_fails_is_told() -> None:
    def recognise(audio: bytes) -> str:
        raise RuntimeError("no model")

    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator)
        await talk.play(VOICE, 700)
        await talk.send("CloseStream")
        await talk.end()

    assert "no model" in in_simulator(work, hears=recognise).errors[0]


def test_each_socket_hears_all_texts_or_all_sockets_hear_one_call() -> None:
    async def two_sockets(simulator: DeepgramSimulator) -> None:
        for _ in range(2):
            talk = await dial(simulator)
            await talk.play(VOICE, 400)
            await talk.send("Finalize")
            await asyncio.sleep(0.2)
            await talk.play(VOICE, 400)  # the connection is lost before this is given
            talk.socket.transport.abort()
            await talk.end()
            said.append(text(talk.of("Results")[0]))

    said: list[str] = []
    in_simulator(two_sockets)
    assert said == [TEXTS[0], TEXTS[0]]
    said.clear()
    in_simulator(two_sockets, one_call=True)
    assert said == [TEXTS[0], TEXTS[1]]
