"""The chain of voices: whatever fails, nothing is lost and nothing is said twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from unittest.mock import patch

import pytest
from websockets.asyncio.client import ClientConnection

from services.tts import Voice, elevenlabs_link
from services.tts.chain import VoiceChain
from services.tts.elevenlabs import ElevenLabsVoice
from services.tts.elevenlabs_wire import ElevenLabsOptions
from services.vendors import VendorError
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.tts.caller import (
    TEN,
    Caller,
    Failing,
    Spelling,
    Told,
    breaker,
    calling,
    interrupt,
    phrases,
    words,
)
from tests.tts.test_elevenlabs_rest import rest
from tests.virtual_time import run_virtual

SOCKET_FAULTS = {
    "connect": [
        Fault(Trouble.RESET),
        Fault(Trouble.STALL_FIRST),
        *(Fault(Trouble.STATUS, status=status) for status in (401, 429, 500)),
    ],
    "context": [
        Fault(Trouble.STALL_FIRST),
        Fault(Trouble.STALL_MID),
        Fault(Trouble.MALFORMED),
        Fault(Trouble.CUT),
        *(Fault(Trouble.CLOSE, code=code) for code in (1000, 1001, 1008, 1011)),
        *(
            Fault(Trouble.CLOSE, code=1008, reason=reason)
            for reason in (
                "quota_exceeded",
                "max_active_conversations",
                "input_timeout_exceeded",
                "detected_unusual_activity",
            )
        ),
    ],
}
REST_FAULTS = [
    Fault(Trouble.RESET),
    Fault(Trouble.STALL_FIRST),
    Fault(Trouble.STALL_MID),
    Fault(Trouble.MALFORMED),
    Fault(Trouble.CUT),
    *(Fault(Trouble.STATUS, status=status) for status in (401, 429, 500)),
]


@asynccontextmanager
async def chain(vendor: ElevenLabsSimulator, told: Told) -> AsyncIterator[VoiceChain]:
    """Socket, then REST, then a voice that cannot fail."""
    options = ElevenLabsOptions(vendor.url, vendor.key, "sarah")
    async with rest(vendor, told) as by_request:
        socket = ElevenLabsVoice(options, breaker(), told.reports)
        voices = [(socket, breaker()), (by_request, breaker()), (Spelling(), breaker())]
        voice = VoiceChain(voices, told.reports)
        async with calling(voice):
            yield voice


CELLS = [
    *((where, fault, None) for where, faults in SOCKET_FAULTS.items() for fault in faults),
    *(("connect", Fault(Trouble.STATUS, status=500), fault) for fault in REST_FAULTS),
    *(("context", Fault(Trouble.CUT), fault) for fault in REST_FAULTS),
]


@pytest.mark.parametrize(("where", "fault", "also_rest"), CELLS, ids=lambda value: str(value)[:80])
def test_a_fault_costs_no_word_and_is_told_once(
    where: str, fault: Fault, also_rest: Fault | None
) -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            told, caller = Told(), Caller()
            vendor.faults.order(where, fault)
            if also_rest:
                vendor.faults.order("stream", also_rest)
            async with chain(vendor, told) as voice:
                await voice.speak(1, phrases(TEN, 0.2), caller.say)
                caller.check_got(TEN)
                assert caller.parts[0][0] <= 0.1 + 3.0
                if where == "context":
                    assert len(told.failures) == (2 if also_rest else 1)
                again = Caller()
                began = asyncio.get_running_loop().time()
                await voice.speak(2, phrases(TEN, 0.2), again.say)
                again.check_got(TEN)
                assert again.parts[0][0] - began <= 3.0
            await asyncio.sleep(0.01)
            assert vendor.open_sockets == 0
            assert vendor.requests_now == 0

    run_virtual(main())


def test_a_socket_cut_in_mid_sentence_is_followed_by_rest_with_the_next_word() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            told, caller = Told(), Caller()
            vendor.faults.order("context", Fault(Trouble.CUT), 1)
            async with chain(vendor, told) as voice:
                await voice.speak(1, phrases(TEN), caller.say)
                caller.check_got(TEN)
                assert told.failures == ["elevenlabs 1006"]
                first = vendor.entries("request")[0].detail["text"]
                assert TEN[0].endswith(first)
                assert first != TEN[0], "the socket had said a part of it"
                await asyncio.sleep(1)
                asked = len(vendor.entries("request"))
                await voice.speak(2, phrases(TEN), caller.say)
                assert len(vendor.entries("request")) == asked, "the socket speaks again"

    run_virtual(main())


def test_a_reply_that_waits_for_its_phrases_is_not_lost_with_the_socket() -> None:
    """Also when the phrases come from a generator, which ends if it is stopped while it waits."""

    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            told, caller = Told(), Caller()
            async with chain(vendor, told) as voice:
                speaking = asyncio.create_task(voice.speak(1, phrases(TEN, 5), caller.say))
                await asyncio.sleep(7)
                vendor.cut_sockets()
                await speaking
                caller.check_got(TEN)

    run_virtual(main())


class Queued(AsyncIterator[str]):
    """Phrases as the cascade gives them: whoever waits for one may be stopped."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str | None] = asyncio.Queue()

    async def __anext__(self) -> str:
        phrase = await self.queue.get()
        if phrase is None:
            self.queue.put_nowait(None)
            raise StopAsyncIteration
        return phrase


@pytest.mark.parametrize("cut_at", range(len(TEN)))
def test_phrases_that_come_one_by_one_go_from_voice_to_voice(cut_at: int) -> None:
    """Whether the voice fails while it waits for the phrase, or when it gets it."""

    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            told = Told()
            async with chain(vendor, told) as voice:
                for reply, wait_s in enumerate((0.0, 0.001, 0.2), start=1):
                    caller, queued = Caller(), Queued()
                    speaking = asyncio.create_task(voice.speak(reply, queued, caller.say))
                    for number, text in enumerate(TEN):
                        if number == cut_at:
                            vendor.cut_sockets()
                            await asyncio.sleep(wait_s)
                        queued.queue.put_nowait(text)
                        await asyncio.sleep(1)
                    queued.queue.put_nowait(None)
                    await speaking
                    caller.check_got(TEN)
                    await asyncio.sleep(10)  # the socket is there again

    run_virtual(main())


def test_a_phrase_is_on_the_socket_in_the_turn_of_the_loop_that_hands_it_over() -> None:
    """Nobody else has to wake up for it."""

    async def main() -> None:
        async with ElevenLabsSimulator() as vendor, chain(vendor, Told()) as voice:
            queued, sent = Queued(), list[str]()
            speaking = asyncio.create_task(voice.speak(1, queued, Caller().say))
            await asyncio.sleep(1)
            with patch.object(elevenlabs_link, "send_now", _noting(sent)):
                queued.queue.put_nowait(TEN[0])
                await asyncio.sleep(0)
                assert sum(TEN[0] in message for message in sent) == 1
            queued.queue.put_nowait(None)
            await speaking

    run_virtual(main())


def _noting(sent: list[str]) -> Callable[[ClientConnection, str], bool]:
    real = elevenlabs_link.send_now

    def send_now(socket: ClientConnection, message: str) -> bool:
        sent.append(message)
        return real(socket, message)

    return send_now


@pytest.mark.parametrize("said", range(0, 20, 3))
def test_the_next_voice_begins_with_the_first_word_that_was_not_said(said: int) -> None:
    async def main() -> None:
        told, caller = Told(), Caller()
        voices: list[Voice] = [Failing(said), Failing(4), Spelling()]
        voice = VoiceChain([(each, breaker()) for each in voices], told.reports)
        await voice.speak(1, phrases(TEN[:4], 0.1), caller.say)
        caller.check_got(TEN[:4])
        assert told.failures == ["failing 500"] * 2

    run_virtual(main())


def test_the_next_caller_does_not_ask_a_voice_that_fails() -> None:
    async def main() -> None:
        told = Told()
        bad, gate = Failing(0), breaker()
        voice = VoiceChain([(bad, gate), (Spelling(), breaker())], told.reports)
        for _ in range(5):
            await voice.speak(1, phrases(TEN[:1]), Caller().say)
        assert bad.asked == 3
        await asyncio.sleep(6)
        await voice.speak(1, phrases(TEN[:1]), Caller().say)
        assert bad.asked == 4

    run_virtual(main())


def test_the_last_voice_is_asked_even_if_its_breaker_is_open() -> None:
    async def main() -> None:
        told = Told()
        bad = Failing(2)
        voice = VoiceChain([(bad, breaker())], told.reports)
        for _ in range(5):
            with pytest.raises(VendorError):
                await voice.speak(1, phrases(TEN[:1]), Caller().say)
        assert bad.asked == 5
        assert len(told.failures) == 5

    run_virtual(main())


def test_an_error_of_the_phrases_is_not_taken_for_one_of_the_voice() -> None:
    async def broken() -> AsyncIterator[str]:
        yield TEN[0]
        raise LookupError

    async def main() -> None:
        told, caller = Told(), Caller()
        voice = VoiceChain([(Spelling(), breaker())], told.reports)
        with pytest.raises(LookupError):
            await voice.speak(1, broken(), caller.say)
        assert caller.read == words(TEN[:1])
        assert told.failures == []

    run_virtual(main())


def test_a_barge_in_ends_whatever_voice_speaks() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            told = Told()
            async with chain(vendor, told) as voice:
                for reply, wait_s in enumerate((0.0, 0.01, 0.125, 0.15, 0.3), start=1):
                    if reply % 2:
                        vendor.faults.order("context", Fault(Trouble.CUT), 1)
                    caller = Caller()
                    speaking = asyncio.create_task(voice.speak(reply, phrases(TEN), caller.say))
                    await asyncio.sleep(wait_s)
                    await interrupt(speaking)
                    had = len(caller.parts)
                    await asyncio.sleep(1)
                    assert len(caller.parts) == had
                    vendor.faults.clear()
            await asyncio.sleep(0.01)
            assert vendor.open_sockets == 0
            assert vendor.requests_now == 0

    run_virtual(main())
