"""The simulated Deepgram, tried with the real SDK; and whom it lets in."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from deepgram.core.api_error import ApiError
from deepgram.core.unchecked_base_model import construct_type
from deepgram.listen.v1.socket_client import V1SocketClientResponse
from deepgram.listen.v1.types import (
    ListenV1Metadata,
    ListenV1Results,
    ListenV1SpeechStarted,
    ListenV1UtteranceEnd,
)
from deepgram.listen.v2.socket_client import V2SocketClientResponse
from deepgram.listen.v2.types import (
    ListenV2Configure,
    ListenV2ConfigureSuccess,
    ListenV2ConfigureThresholds,
    ListenV2Connected,
    ListenV2TurnInfo,
)
from websockets.exceptions import InvalidStatus

from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.vendors.deepgram_client import (
    FLUX,
    LIVE,
    QUERY,
    QUIET,
    TEXTS,
    VOICE,
    dial,
    in_simulator,
    sdk,
)

# --- with the SDK ---------------------------------------------------------------------------------


async def read(socket: Any, into: list[Any]) -> None:
    """All messages of one of the SDK's sockets."""
    into.extend([message async for message in socket])


async def send(socket: Any, pieces: Sequence[bytes]) -> None:
    """Audio, as fast as it is spoken."""
    for piece in pieces:
        await socket.send_media(piece)
        await asyncio.sleep(len(piece) / 8000)


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
            reading = asyncio.create_task(read(socket, got))
            await send(socket, [QUIET] * 10 + [VOICE] * 100 + [QUIET] * 60)
            await socket.send_keep_alive()
            await send(socket, [VOICE] * 30 + [QUIET] * 5)
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
            reading = asyncio.create_task(read(socket, got))
            thresholds = ListenV2ConfigureThresholds(eot_threshold=1.0)
            await socket.send_configure(ListenV2Configure(thresholds=thresholds))
            await send(socket, [VOICE * 4] * 10 + [QUIET * 4] * 10)
            await socket.send_force_end_turn()
            await asyncio.sleep(0.2)
            await socket.send_close_stream()
            await reading  # the library counts no code at all among the good ones
            assert socket._websocket.close_code == 1005

    simulator = in_simulator(work)
    assert simulator.errors == []
    assert isinstance(got[0], ListenV2Connected)
    assert isinstance(got[1], ListenV2ConfigureSuccess)
    assert got[1].thresholds.eot_threshold == 1.0
    turns = [message for message in got if isinstance(message, ListenV2TurnInfo)]
    assert [turn.event for turn in turns if turn.event != "Update"] == ["StartOfTurn", "EndOfTurn"]
    ended = next(turn for turn in turns if turn.event == "EndOfTurn")
    assert (ended.transcript, ended.trigger) == (TEXTS[0], "manual")


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


def test_the_sdk_knows_the_wire_lines_that_parsers_are_tested_with() -> None:
    lines = (Path(__file__).parent.parent / "wire" / "deepgram.jsonl").read_text().splitlines()
    messages = [json.loads(line) for line in lines]
    flux_from = [message["type"] for message in messages].index("Connected")
    for at, message in enumerate(messages):
        union = V1SocketClientResponse if at < flux_from else V2SocketClientResponse
        parsed: Any = construct_type(type_=union, object_=message)
        assert parsed is None if message["type"] == "Brand" else parsed.type == message["type"]


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


@pytest.mark.parametrize("authorization", ["", "{key}", "Bearer {key}", "Token other"])
def test_only_the_key_opens_a_socket(authorization: str) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        with pytest.raises(InvalidStatus) as error:
            await dial(simulator, authorization=authorization.format(key=simulator.key))
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
