"""The simulated Deepgram, tried with the real SDK and with a plain WebSocket client."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.types import (
    ListenV1Metadata,
    ListenV1Results,
    ListenV1SpeechStarted,
    ListenV1UtteranceEnd,
)
from deepgram.listen.v2.types import (
    ListenV2Configure,
    ListenV2ConfigureSuccess,
    ListenV2ConfigureThresholds,
    ListenV2Connected,
    ListenV2TurnInfo,
)
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.virtual_time import run_virtual

VOICE, QUIET = b"\x20" * 160, b"\xff" * 160
QUERY = {"model": "nova-3", "encoding": "mulaw", "sample_rate": "8000"}
LIVE = QUERY | {"interim_results": "true", "endpointing": "300"}
FLUX = {"model": "flux-general-en", "encoding": "mulaw", "sample_rate": "8000"}
EAGER = FLUX | {"eager_eot_threshold": "0.4", "eot_threshold": "0.8"}
TEXTS = ["I would like to book a table", "for two people please"]


class Talk:
    """A plain client that plays audio at its speed and collects what comes back, with times."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.got: list[tuple[float, Any]] = []
        self.closed: tuple[int, str] | None = None
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while True:
                data = await self.socket.recv()
                try:
                    self.got.append((loop.time(), json.loads(data)))
                except ValueError:
                    self.got.append((loop.time(), data))
        except ConnectionClosed as closed:
            self.closed = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")

    async def play(self, frame: bytes, ms: int, each: int = 1) -> None:
        """20 ms frames for so long, ``each`` of them in a message."""
        for _ in range(ms // 20 // each):
            await self.socket.send(frame * each)
            await asyncio.sleep(0.02 * each)

    async def send(self, kind: str, **more: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **more}))

    async def end(self) -> tuple[int, str]:
        """Wait for the end of the socket: the code and reason that came."""
        await self._reader
        assert self.closed is not None
        return self.closed

    async def hang_up(self) -> None:
        await self.socket.close()
        await self._reader

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The messages of these types, or with these events."""
        return [
            message
            for _, message in self.got
            if isinstance(message, dict) and {message.get("type"), message.get("event")} & {*kinds}
        ]


async def dial(
    simulator: DeepgramSimulator,
    query: dict[str, str] = LIVE,
    path: str = "/v1/listen",
    authorization: str = "Token test-key",
) -> Talk:
    url = f"{simulator.url.replace('http', 'ws')}{path}?{urlencode(query)}"
    socket = await connect(
        url,
        additional_headers={"Authorization": authorization} if authorization else {},
        compression=None,
        proxy=None,
        ping_interval=None,
        close_timeout=1,
    )
    return Talk(socket)


def flux(simulator: DeepgramSimulator, query: dict[str, str] = EAGER) -> Awaitable[Talk]:
    return dial(simulator, query, "/v2/listen")


def text(message: dict[str, Any]) -> str:
    return str(message["channel"]["alternatives"][0]["transcript"])


def in_simulator(
    work: Callable[[DeepgramSimulator], Awaitable[None]], **options: Any
) -> DeepgramSimulator:
    """Run on virtual time; whatever happened, no socket is left."""

    async def run() -> DeepgramSimulator:
        async with DeepgramSimulator(**{"hears": TEXTS} | options) as simulator:
            await work(simulator)
            await asyncio.sleep(0.1)
            assert simulator.open_sockets == 0
        return simulator

    simulator: DeepgramSimulator = run_virtual(run())
    return simulator


@asynccontextmanager
async def sdk(
    simulator: DeepgramSimulator, key: str = "test-key"
) -> AsyncIterator[AsyncDeepgramClient]:
    url = simulator.url
    place = url.replace("http", "ws")
    environment = DeepgramClientEnvironment(base=url, production=place, agent=place, agent_rest=url)
    async with httpx.AsyncClient(trust_env=False) as client:
        yield AsyncDeepgramClient(api_key=key, environment=environment, httpx_client=client)


# --- with the SDK ---------------------------------------------------------------------------------


def test_the_sdk_hears_a_call_to_its_end() -> None:
    got: list[Any] = []

    async def work(simulator: DeepgramSimulator) -> None:
        options = {"interim_results": True, "endpointing": 300, "vad_events": True}
        names = ["Trattoria Lume", "gnocchi"]
        async with (
            sdk(simulator) as client,
            client.listen.v1.connect(
                **QUERY, **options, utterance_end_ms=1000, keyterm=names
            ) as socket,
        ):

            async def read() -> None:
                got.extend([message async for message in socket])

            reading = asyncio.create_task(read())
            for frame in [QUIET] * 10 + [VOICE] * 100 + [QUIET] * 60:
                await socket.send_media(frame)
                await asyncio.sleep(0.02)
            await socket.send_keep_alive()
            for frame in [VOICE] * 30 + [QUIET] * 5:
                await socket.send_media(frame)
                await asyncio.sleep(0.02)
            await socket.send_finalize()
            await asyncio.sleep(0.2)
            await socket.send_close_stream()
            await reading

    simulator = in_simulator(work)
    assert simulator.errors == []
    assert [type(message) for message in got] == [
        ListenV1SpeechStarted,
        ListenV1Results,
        ListenV1Results,
        ListenV1Results,
        ListenV1UtteranceEnd,
        ListenV1SpeechStarted,
        ListenV1Results,
        ListenV1Metadata,
    ]
    results = [message for message in got if isinstance(message, ListenV1Results)]
    said = [(r.channel.alternatives[0].transcript, r.is_final, r.from_finalize) for r in results]
    assert said == [
        ("I would like", False, False),
        ("I would like to book a", False, False),
        (TEXTS[0], True, False),
        (TEXTS[1], True, True),
    ]
    assert got[0].timestamp == 0.2
    assert got[4].last_word_end == 2.2
    assert got[-1].duration == pytest.approx(4.1)


def test_the_sdk_takes_part_in_flux() -> None:
    got: list[Any] = []

    async def work(simulator: DeepgramSimulator) -> None:
        async with (
            sdk(simulator) as client,
            client.listen.v2.connect(**FLUX, eot_threshold=0.7) as socket,
        ):

            async def read() -> None:
                try:
                    async for message in socket:
                        got.append(message)
                except ConnectionClosed as closed:
                    got.append(closed.rcvd)

            reading = asyncio.create_task(read())
            thresholds = ListenV2ConfigureThresholds(eot_threshold=1.0)
            await socket.send_configure(ListenV2Configure(thresholds=thresholds))
            for frame in [VOICE * 4] * 10 + [QUIET * 4] * 10:
                await socket.send_media(frame)
                await asyncio.sleep(0.08)
            await socket.send_force_end_turn()
            await asyncio.sleep(0.2)
            await socket.send_close_stream()
            await reading

    simulator = in_simulator(work)
    assert simulator.errors == []
    assert isinstance(got[0], ListenV2Connected)
    assert isinstance(got[1], ListenV2ConfigureSuccess)
    assert got[1].thresholds.eot_threshold == 1.0
    turns = [message for message in got if isinstance(message, ListenV2TurnInfo)]
    assert [turn.event for turn in turns if turn.event != "Update"] == ["StartOfTurn", "EndOfTurn"]
    ended = next(turn for turn in turns if turn.event == "EndOfTurn")
    assert (ended.transcript, ended.trigger) == (TEXTS[0], "manual")
    assert got[-1].code == 1005


def test_the_sdk_has_a_file_transcribed() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        audio = VOICE * 50 + QUIET * 20 + VOICE * 50
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 7, 1, 8000, 8000, 1, 8)
        wav = struct.pack("<4sI4s", b"RIFF", 0, b"WAVE") + form
        wav += struct.pack("<4sI", b"data", len(audio)) + audio
        async with sdk(simulator) as client:
            answer = await client.listen.v1.media.transcribe_file(request=wav, model="nova-3")
            said = answer.results.channels[0].alternatives[0]
            assert said.transcript == " ".join(TEXTS)
            assert answer.metadata.duration == 2.4
            answer = await client.listen.v1.media.transcribe_file(
                request=VOICE * 50,
                model="nova-3",
                encoding="mulaw",
                request_options={"additional_query_parameters": {"sample_rate": 8000}},
            )
            assert answer.results.channels[0].alternatives[0].transcript == TEXTS[0]

    assert in_simulator(work).errors == []


def test_the_sdk_is_refused_without_the_key() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        async with sdk(simulator, "another-key") as client:
            with pytest.raises(ApiError) as error:
                async with client.listen.v1.connect(**QUERY):
                    pass
            assert error.value.status_code == 401
            with pytest.raises(ApiError) as error:
                await client.listen.v1.media.transcribe_file(request=VOICE, model="nova-3")
            assert error.value.status_code == 401

    simulator = in_simulator(work)
    assert [entry.detail["status"] for entry in simulator.entries("refused")] == [401, 401]


# --- the upgrade ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "change", "why"),
    [
        ("/v1/listen", {"colour": "red"}, "unknown parameter colour"),
        ("/v1/listen", {"model": "nova-9"}, "model cannot be 'nova-9'"),
        ("/v1/listen", {"model": "flux-general-en"}, "model cannot be"),
        ("/v1/listen", {"model": ""}, "model is missing"),
        ("/v1/listen", {"sample_rate": ""}, "encoding needs sample_rate"),
        ("/v1/listen", {"sample_rate": "8k"}, "sample_rate cannot be '8k'"),
        ("/v1/listen", {"interim_results": "True"}, "interim_results cannot be 'True'"),
        ("/v1/listen", {"utterance_end_ms": "1000"}, "needs interim_results"),
        ("/v1/listen", {"endpointing": "true"}, "endpointing cannot be 'true'"),
        ("/v1/listen", {"model": "nova-2", "keyterm": "Lume"}, "keyterm needs nova-3"),
        ("/v1/listen", {"keywords": "Lume:2"}, "nova-3 knows no keywords"),
        ("/v1/listen", {"language_hint": "es"}, "language_hint needs nova-3 and language=multi"),
        ("/v1/listen", {"keyterm": "word " * 600}, "more than 500 tokens"),
        ("/v2/listen", {"model": "nova-3"}, "model cannot be 'nova-3'"),
        ("/v2/listen", {"language": "en"}, "unknown parameter language"),
        ("/v2/listen", {"endpointing": "10"}, "unknown parameter endpointing"),
        ("/v2/listen", {"eot_threshold": "0.4"}, "eot_threshold cannot be '0.4'"),
        ("/v2/listen", {"eager_eot_threshold": "0.95"}, "eager_eot_threshold cannot be"),
        ("/v2/listen", {"eot_timeout_ms": "400"}, "eot_timeout_ms cannot be '400'"),
        ("/v2/listen", {"language_hint": "es"}, "language_hint needs model=flux-general-multi"),
    ],
)
def test_parameters_that_are_not_documented_are_refused(
    path: str, change: dict[str, str], why: str
) -> None:
    query = (QUERY if path == "/v1/listen" else FLUX) | change
    query = {name: value for name, value in query.items() if value}

    async def work(simulator: DeepgramSimulator) -> None:
        with pytest.raises(InvalidStatus) as error:
            await dial(simulator, query, path)
        response = error.value.response
        assert response.status_code == 400
        assert why in response.headers["dg-error"]
        assert response.headers["dg-request-id"]
        assert why in json.loads(response.body)["err_msg"]

    assert why in in_simulator(work).errors[0]


def test_a_socket_with_every_parameter_is_opened() -> None:
    every = LIVE | {
        "channels": "1",
        "multichannel": "false",
        "language": "multi",
        "language_hint": "es",
        "utterance_end_ms": "1000",
        "vad_events": "true",
        "smart_format": "true",
        "punctuate": "true",
        "numerals": "true",
        "profanity_filter": "false",
        "redact": "pci",
        "keyterm": "Trattoria Lume",
        "diarize_model": "latest",
        "tag": "test",
        "extra": "call:1",
        "mip_opt_out": "true",
        "version": "latest",
    }

    async def work(simulator: DeepgramSimulator) -> None:
        talk = await dial(simulator, every)
        assert talk.socket.response is not None
        assert talk.socket.response.headers["dg-request-id"]
        await talk.play(VOICE, 400)
        await talk.send("Finalize")
        await asyncio.sleep(0.2)
        await talk.hang_up()
        (said,) = (message["channel"]["alternatives"][0] for message in talk.of("Results"))
        assert said["languages_hinted"] == ["es"]

    assert in_simulator(work).errors == []


@pytest.mark.parametrize("authorization", ["", "test-key", "Bearer test-key", "Token other"])
def test_only_the_key_opens_a_socket(authorization: str) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        with pytest.raises(InvalidStatus) as error:
            await dial(simulator, authorization=authorization)
        assert error.value.response.status_code == 401
        assert error.value.response.headers["dg-error"] == "Invalid credentials."

    in_simulator(work)


def test_a_temporary_token_comes_as_bearer() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        await (await dial(simulator, authorization="Bearer passing")).hang_up()
        with pytest.raises(InvalidStatus):
            await dial(simulator, authorization="Token passing")

    in_simulator(work, temporary_tokens={"passing"})


def test_weights_and_lists_of_key_terms_are_taken_literally_and_told() -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        await (await dial(simulator, QUERY | {"keyterm": "Lume:2"})).hang_up()
        await (await dial(simulator, QUERY | {"keyterm": "Lume,gnocchi"})).hang_up()

    assert len(in_simulator(work).errors) == 2


# --- v1: audio and commands -----------------------------------------------------------------------


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


# --- Flux -----------------------------------------------------------------------------------------


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


# --- faults ---------------------------------------------------------------------------------------

SOCKETS = pytest.mark.parametrize(
    ("endpoint", "path", "query"),
    [("listen", "/v1/listen", LIVE), ("flux", "/v2/listen", EAGER)],
)


@SOCKETS
@pytest.mark.parametrize("status", [401, 402, 429, 500])
def test_an_upgrade_is_refused_with_a_status_as_often_as_ordered(
    endpoint: str, path: str, query: dict[str, str], status: int
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, Fault(Trouble.STATUS, status=status), times=1)
        with pytest.raises(InvalidStatus) as error:
            await dial(simulator, query, path)
        headers = error.value.response.headers
        assert error.value.response.status_code == status
        assert headers["dg-error"]
        assert ("Retry-After" in headers) is (status == 429)
        await (await dial(simulator, query, path)).hang_up()

    assert in_simulator(work).errors == []


@SOCKETS
def test_an_upgrade_is_reset_or_never_answered(
    endpoint: str, path: str, query: dict[str, str]
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, Fault(Trouble.RESET), times=1)
        with pytest.raises((ConnectionError, InvalidMessage, EOFError)):
            await dial(simulator, query, path)
        simulator.faults.order(endpoint, Fault(Trouble.STALL_FIRST), times=1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dial(simulator, query, path), 5)

    assert in_simulator(work).errors == []


@SOCKETS
def test_a_stalled_socket_says_nothing_after_the_first_words(
    endpoint: str, path: str, query: dict[str, str]
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, Fault(Trouble.STALL_MID))
        talk = await dial(simulator, query, path)
        await talk.play(VOICE, 3000)
        await talk.play(QUIET, 3000)
        await talk.send("CloseStream")
        await asyncio.sleep(30)
        spoken = [message for message in talk.of("Results", "StartOfTurn")]
        assert len(spoken) == 1
        assert talk.got[-1][1] is spoken[0]
        assert talk.closed is None
        await talk.hang_up()

    assert in_simulator(work).errors == []


@SOCKETS
def test_a_malformed_answer_is_no_message_of_the_protocol(
    endpoint: str, path: str, query: dict[str, str]
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, Fault(Trouble.MALFORMED))
        talk = await dial(simulator, query, path)
        await talk.play(VOICE, 3000)
        await talk.play(QUIET, 3000)
        await talk.hang_up()
        got = [message for _, message in talk.got if message != talk.got[0][1]]
        assert got
        assert any(isinstance(message, bytes) for message in got)
        assert not any(isinstance(message, dict) and message.get("channel") for message in got)

    in_simulator(work)


@SOCKETS
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(Trouble.CUT), (1006, "")),
        (Fault(Trouble.CLOSE, code=1008, reason="DATA-0000"), (1008, "DATA-0000")),
        (Fault(Trouble.CLOSE, code=1011, reason="NET-0000"), (1011, "NET-0000")),
        (Fault(Trouble.CLOSE, code=1011, reason="NET-0001"), (1011, "NET-0001")),
    ],
)
def test_a_socket_breaks_in_the_middle_of_the_callers_speech(
    endpoint: str, path: str, query: dict[str, str], fault: Fault, code: tuple[int, str]
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, fault, times=1)
        talk = await dial(simulator, query, path)
        await talk.play(QUIET, 400)
        with pytest.raises(ConnectionClosed):
            await talk.play(VOICE, 2000)
        assert await talk.end() == code
        assert asyncio.get_running_loop().time() == pytest.approx(0.7, abs=0.05)
        assert not [message for message in talk.of("Results", "EndOfTurn")]

    simulator = in_simulator(work)
    assert simulator.errors == []
    assert simulator.entries("closed")[0].detail == {"code": code[0], "by": "server"}


@pytest.mark.parametrize("trouble", [Trouble.MALFORMED, Trouble.CUT, Trouble.STALL_MID])
def test_the_answer_to_a_file_breaks(trouble: Trouble) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order("file", Fault(trouble))
        async with httpx.AsyncClient(trust_env=False, timeout=3) as client:
            request = client.post(
                f"{simulator.url}/v1/listen",
                params=QUERY,
                content=VOICE * 50,
                headers={"Authorization": "Token test-key"},
            )
            if trouble is Trouble.MALFORMED:
                with pytest.raises(ValueError, match="Expecting value"):
                    (await request).json()
            else:
                with pytest.raises(httpx.TransportError):
                    await request

    in_simulator(work)
