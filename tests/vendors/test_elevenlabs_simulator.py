"""The simulated ElevenLabs' sockets, tried with a plain client."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from elevenlabs.types.audio_output_multi import AudioOutputMulti
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.legible import text_of
from tests.virtual_time import run_virtual

KEY = ElevenLabsSimulator.usual_key
MULTI = "/v1/text-to-speech/voice/multi-stream-input"
SINGLE = "/v1/text-to-speech/voice/stream-input"
QUERY = "?model_id=eleven_flash_v2_5&output_format=ulaw_8000&auto_mode=true&inactivity_timeout=180"
SENTENCE = "We are open from nine to five on weekdays. "


class Talk:
    """A plain client: what it heard, by context."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.messages: list[dict[str, Any]] = []

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def until(self, name: str) -> dict[str, Any]:
        """Read up to the first message that has ``name`` set."""
        while True:
            self.messages.append(json.loads(await self.socket.recv()))
            if self.messages[-1].get(name):
                return self.messages[-1]

    async def rest(self) -> tuple[int, str]:
        """Read all the rest; the code and the reason of the close."""
        try:
            while True:
                self.messages.append(json.loads(await self.socket.recv()))
        except ConnectionClosed as closed:
            return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")

    def audio(self, context: str | None = None) -> bytes:
        return b"".join(
            base64.b64decode(message["audio"])
            for message in self.messages
            if message.get("audio") and message.get("contextId") == context
        )


def on_socket(
    work: Callable[[ElevenLabsSimulator, Talk], Awaitable[None]],
    path: str = MULTI,
    query: str = QUERY,
    fault: tuple[str, Fault] | None = None,
    **options: Any,
) -> None:
    """Run ``work`` on virtual time with an open socket; nothing may stay open after it."""

    async def run() -> None:
        async with ElevenLabsSimulator(**options) as simulator:
            if fault is not None:
                simulator.faults.order(*fault)
            url = simulator.url.replace("http", "ws") + path + query
            headers = {"xi-api-key": simulator.key}
            async with connect(url, additional_headers=headers, proxy=None) as socket:
                await work(simulator, Talk(socket))
            await asyncio.sleep(0.1)
            assert simulator.open_sockets == 0
            assert not simulator.sockets

    run_virtual(run())


def test_a_context_speaks_what_it_was_told_and_its_alignment_covers_its_audio() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        await talk.send(text=" ", context_id="r1", voice_settings={"speed": 1.1})
        await talk.send(text=SENTENCE, context_id="r1")
        await talk.send(text="Anything else? ", context_id="r1")
        await talk.send(context_id="r1", close_context=True)
        assert (await talk.until("isFinal")) == {"isFinal": True, "contextId": "r1"}
        assert text_of(talk.audio("r1")) == SENTENCE + "Anything else? "
        assert len(talk.messages) > 5
        for message in talk.messages[:-1]:
            alignment = message["alignment"]
            audio = base64.b64decode(message["audio"])
            assert "".join(alignment["chars"]) == text_of(audio)
            assert alignment["charStartTimesMs"][0] == 0
            lasts = alignment["charStartTimesMs"][-1] + alignment["charDurationsMs"][-1]
            assert lasts == len(audio) / 8
        texts = ["".join(message["alignment"]["chars"]) for message in talk.messages[:-1]]
        in_words = [a[-1] != " " and b[0] != " " for a, b in zip(texts, texts[1:], strict=False)]
        assert in_words.count(False) == 1  # between the two texts
        assert simulator.errors == []
        assert simulator.entries("first audio")[0].at == pytest.approx(0.12, abs=0.01)

    on_socket(work)


def test_text_waits_for_a_flush_or_a_full_buffer_unless_in_auto_mode() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        config = {"chunk_length_schedule": [50]}
        await talk.send(text=" ", context_id="a", generation_config=config)
        await talk.send(text="Too short. ", context_id="a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talk.until("audio"), 5)
        await talk.send(text=SENTENCE, context_id="a")
        await talk.until("audio")
        await talk.send(text="Bye. ", context_id="a", flush=True)
        await talk.send(text="Never said. ", context_id="a")
        await talk.send(context_id="a", close_context=True)
        await talk.until("isFinal")
        assert text_of(talk.audio("a")) == f"Too short. {SENTENCE}Bye. "
        assert simulator.entries("close context")[0].detail["dropped"] == "Never said."

    on_socket(work, query=QUERY.replace("auto_mode=true", "auto_mode=false"))


def test_a_closed_context_keeps_speaking_what_it_was_told_and_its_name_is_free() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        for text in (SENTENCE, "Again. "):
            await talk.send(text=text, context_id="r")
            await talk.send(context_id="r", close_context=True)
        await talk.until("isFinal")
        await talk.until("isFinal")
        assert simulator.most_contexts == {1: 2}
        assert sorted(text_of(talk.audio("r"))) == sorted(SENTENCE + "Again. ")
        await talk.send(close_socket=True)
        assert await talk.rest() == (1000, "")

    on_socket(work)


def test_the_sixth_context_ends_the_socket_also_if_closed_ones_still_speak() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        for number in range(6):
            await talk.send(text=SENTENCE, context_id=f"r{number}")
            await talk.send(context_id=f"r{number}", close_context=True)
        code, _ = await talk.rest()
        assert code == 1008
        assert talk.messages[-1]["error"] == "max_active_conversations"
        assert simulator.most_contexts == {1: 5}
        assert simulator.errors == ["max_active_conversations"]

    on_socket(work)


def test_a_context_without_input_ends_the_socket_unless_it_is_kept_alive() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        begin = asyncio.get_running_loop().time()
        await talk.send(text=" ", context_id="a")
        await talk.send(text=" ", context_id="b")
        await asyncio.sleep(15)
        await talk.send(text="")  # for all
        await asyncio.sleep(15)
        await talk.send(text="", context_id="a")
        code, reason = await talk.rest()
        assert (code, reason) == (1008, "No new text input within the timeout of 20 seconds.")
        assert talk.messages[-1]["error"] == "input_timeout_exceeded"
        assert asyncio.get_running_loop().time() - begin == pytest.approx(35, abs=0.1)

    on_socket(work, query="?output_format=ulaw_8000")


def test_a_socket_without_contexts_is_kept_alive_the_same_way() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        await asyncio.sleep(15)
        await talk.send(text="")
        await talk.rest()
        assert asyncio.get_running_loop().time() == pytest.approx(35, abs=0.1)

    on_socket(work, query="?output_format=ulaw_8000")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"text": "", "context_id": "a"}, {"text": " ", "context_id": "a", "voice_settings": {}}),
        ({"text": "Hi. ", "context_id": "a"}, {"text": "x", "generation_config": {}}),
        ({"text": "Hi. ", "contextId": "a"}, None),
        ({"context_id": "a"}, None),
        ({"text": 1, "context_id": "a"}, None),
        ({"text": " ", "context_id": "a", "voice_settings": {"speed": 2}}, None),
        ({"text": " ", "generation_config": {"chunk_length_schedule": [10]}}, None),
    ],
)
def test_a_message_that_the_service_would_not_take_ends_the_socket(
    first: dict[str, Any], second: dict[str, Any] | None
) -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        await talk.send(**first)
        if second is not None:
            await talk.send(**{"context_id": "a"} | second | {"voice_settings": {"speed": 1}})
        assert (await talk.rest())[0] == 1008
        assert talk.messages[-1]["error"] == "invalid_message"
        assert len(simulator.errors) == 1

    on_socket(work)


def test_the_single_context_socket_speaks_and_closes_with_an_empty_text() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        await talk.send(text=" ", voice_settings={"stability": 0.5})
        await talk.send(text=SENTENCE, try_trigger_generation=True)
        await talk.send(text="Bye. ")
        await talk.send(text=" ")
        await talk.send(text="")
        assert await talk.rest() == (1000, "")
        assert text_of(talk.audio()).strip() == SENTENCE + "Bye."
        assert talk.messages[-1] == {"audio": None, "isFinal": True}
        assert simulator.errors == []

    on_socket(work, path=SINGLE, query="?output_format=ulaw_8000")


@pytest.mark.parametrize(
    ("query", "key", "status"),
    [
        (QUERY, "wrong", 401),
        ("", KEY, 400),
        ("?output_format=ulaw_8000&inactivity_timeout=181", KEY, 400),
        ("?output_format=ulaw_8000&optimize_streaming_latency=3", KEY, 400),
        ("?output_format=ulaw_8000&model_id=eleven_v3", KEY, 400),
        ("?output_format=ulaw_8000&auto_mode=True", KEY, 400),
    ],
)
def test_a_socket_with_a_wrong_key_or_query_is_not_opened(
    query: str, key: str, status: int
) -> None:
    async def run() -> None:
        async with ElevenLabsSimulator() as simulator:
            url = simulator.url.replace("http", "ws") + MULTI + query
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, additional_headers={"xi-api-key": key}, proxy=None)
            assert refused.value.response.status_code == status
            assert "detail" in json.loads(refused.value.response.body or b"")

    run_virtual(run())


async def _speak_into_a_fault(talk: Talk) -> tuple[int, str]:
    await talk.send(text=SENTENCE, context_id="r")
    await talk.send(context_id="r", close_context=True)
    return await asyncio.wait_for(talk.rest(), 10)


@pytest.mark.parametrize("endpoint", ["multi", "context"])
@pytest.mark.parametrize(
    ("fault", "code", "error"),
    [
        (Fault(Trouble.CUT), 1006, None),
        (Fault(Trouble.CLOSE, code=1006), 1006, None),
        (Fault(Trouble.CLOSE, code=1000), 1000, None),
        (Fault(Trouble.CLOSE, code=1011, reason="broken"), 1011, None),
        (Fault(Trouble.CLOSE, code=1008, reason="quota_exceeded"), 1008, "quota_exceeded"),
    ],
)
def test_a_socket_ends_in_the_middle_of_the_audio(
    fault: Fault, code: int, error: str | None, endpoint: str
) -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        assert (await _speak_into_a_fault(talk))[0] == code
        heard = text_of(talk.audio("r"))
        assert heard
        assert heard != SENTENCE
        assert SENTENCE.startswith(heard)
        assert talk.messages[-1].get("error") == error
        assert simulator.errors == []

    on_socket(work, fault=(endpoint, fault))


def test_a_stalled_socket_says_nothing_or_nothing_more() -> None:
    async def never(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        with pytest.raises(TimeoutError):
            await _speak_into_a_fault(talk)
        assert not talk.messages

    async def no_more(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        with pytest.raises(TimeoutError):
            await _speak_into_a_fault(talk)
        assert len(talk.messages) == 1

    on_socket(never, fault=("multi", Fault(Trouble.STALL_FIRST)))
    on_socket(no_more, fault=("multi", Fault(Trouble.STALL_MID)))


def test_a_malformed_message_takes_the_place_of_audio() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        with pytest.raises(json.JSONDecodeError):
            await _speak_into_a_fault(talk)
        await talk.until("isFinal")
        assert len(text_of(talk.audio("r"))) < len(SENTENCE)

    on_socket(work, fault=("multi", Fault(Trouble.MALFORMED)))


def test_a_handshake_fails_or_is_never_answered() -> None:
    async def run() -> None:
        async with ElevenLabsSimulator() as simulator:
            url = simulator.url.replace("http", "ws") + MULTI + QUERY
            headers = {"xi-api-key": simulator.key}
            for fault, error in (
                (Fault(Trouble.STATUS, status=429), InvalidStatus),
                (Fault(Trouble.STALL_FIRST), TimeoutError),
                (Fault(Trouble.RESET), Exception),
            ):
                simulator.faults.order("connect", fault, times=1)
                with pytest.raises(error):
                    await connect(url, additional_headers=headers, proxy=None, open_timeout=2)
            async with connect(url, additional_headers=headers, proxy=None):
                pass

    run_virtual(run())


def test_open_sockets_are_closed_when_a_test_says_so() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        await talk.send(text="")
        await asyncio.sleep(1)
        simulator.close_sockets(1011, "restart")
        assert await talk.rest() == (1011, "restart")

    async def cut(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        simulator.cut_sockets()
        assert (await talk.rest())[0] == 1006

    on_socket(work)
    on_socket(cut)


def test_a_real_voice_is_cut_into_messages_with_proportional_times() -> None:
    async def work(simulator: ElevenLabsSimulator, talk: Talk) -> None:
        await talk.send(text=SENTENCE, context_id="r")
        await talk.send(close_socket=True)
        await talk.rest()
        assert len(talk.audio("r")) == 20_011
        texts = ["".join(message["alignment"]["chars"]) for message in talk.messages[:-1]]
        assert "".join(texts) == SENTENCE
        assert simulator.entries("first audio")[0].at == pytest.approx(0.12, abs=0.01)

    on_socket(work, voice=lambda text: b"\x10" * 20_011)


def _wire() -> list[dict[str, Any]]:
    path = Path(__file__).parent.parent / "wire" / "elevenlabs.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("line", _wire(), ids=lambda line: line["about"])
def test_the_wire_lines_say_what_the_sdk_reads_in_them(line: dict[str, Any]) -> None:
    message, expect = line.get("message"), line["expect"] or {}
    if "bytes" not in expect or "documentation" in line["about"] or "other" in line["about"]:
        return
    output = AudioOutputMulti.model_validate(message)
    assert output.context_id == expect["context"]
    assert len(base64.b64decode(output.audio)) == expect["bytes"]
    alignment = output.alignment
    assert "".join((alignment and alignment.chars) or ()) == expect["text"]
    assert (alignment and alignment.char_start_times_ms) == expect.get("starts")
    assert (alignment and alignment.char_durations_ms) == expect.get("durations")
