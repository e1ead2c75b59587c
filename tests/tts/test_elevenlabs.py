"""The voice on ElevenLabs' multi-context socket, against the simulator, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.tts.elevenlabs import ElevenLabsVoice, NotOpen
from services.tts.elevenlabs_speech import Speech
from services.tts.elevenlabs_wire import Chunk, ElevenLabsOptions
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.tts.caller import TEN, Caller, Told, breaker, calling, interrupt, phrases, words
from tests.virtual_time import run_virtual


class House:
    """A call whose voice is ElevenLabs'."""

    def __init__(self, vendor: ElevenLabsSimulator, gate: Breaker | None = None) -> None:
        self.vendor = vendor
        self.told = Told()
        self.gate = gate or breaker()
        options = ElevenLabsOptions(vendor.url, vendor.key, "sarah", settings={"stability": 0.5})
        self.voice = ElevenLabsVoice(options, self.gate, self.told.reports)

    async def speak(self, reply: int, texts: list[str], every_s: float = 0.0) -> Caller:
        caller = Caller()
        await self.voice.speak(reply, phrases(texts, every_s), caller.say)
        return caller


def on_a_call(test: Callable[[House], Awaitable[None]], **given: Any) -> None:
    async def main() -> None:
        async with ElevenLabsSimulator(**given) as vendor:
            house = House(vendor)
            async with calling(house.voice):
                await test(house)
            assert vendor.open_sockets == 0
            assert vendor.errors == []
            assert all(most <= 4 for most in vendor.most_contexts.values())
            assert len(asyncio.all_tasks()) == 1 + len(_of_the_server())

    run_virtual(main())


def _of_the_server() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if "RequestHandler" in str(task.get_coro())]


def test_ten_phrases_are_spoken_without_loss_or_gap() -> None:
    async def test(house: House) -> None:
        caller = await house.speak(1, TEN)
        assert caller.heard == caller.read == words(TEN)
        assert caller.silence_ms() <= 20
        assert caller.parts[0][0] <= 0.1 + 0.150
        assert house.told.steps == [
            ("connected", 0),
            ("context opened", 1),
            ("first audio", 1),
            ("final", 1),
            ("context closed", 1),
        ]
        assert house.told.failures == []

    on_a_call(test)


def test_the_first_phrase_is_heard_before_the_second_is_known() -> None:
    async def test(house: House) -> None:
        caller = await house.speak(1, TEN[:3], every_s=3)
        began = caller.parts[0][0]
        first = [part for at, part in caller.parts if at < began + 2]
        assert words(part.text for part in first) == words(TEN[:1])
        assert caller.heard == caller.read == words(TEN[:3])

    on_a_call(test)


def test_pieces_end_with_whole_words_and_hold_the_audio_of_their_text() -> None:
    async def test(house: House) -> None:
        caller = await house.speak(1, TEN)
        other = Caller()
        for _, part in caller.parts:
            other.parts = [(0.0, part)]
            assert other.heard == other.read
        assert max(len(part.audio) for _, part in caller.parts) < 8 * 1500

    on_a_call(test)


def test_what_is_written_and_what_is_said_may_differ() -> None:
    texts = ["Call (555) 867-5309 before", "Jan. 5th, or write to bob@acme.com today.", "👍 Fine."]

    async def test(house: House) -> None:
        caller = await house.speak(1, texts)
        assert caller.read == words(texts)
        assert "5 5 5, 8 6 7, 5 3 0 9 before January fifth," in " ".join(caller.heard)

    on_a_call(test)


def test_a_reply_with_nothing_to_say_ends_at_once() -> None:
    async def test(house: House) -> None:
        assert (await house.speak(1, [])).parts == []
        assert (await house.speak(2, ["👍"])).read == ["👍"]
        assert house.vendor.entries("context opened") == []

    on_a_call(test)


def test_settings_come_once_and_contexts_are_closed_after_each_reply() -> None:
    async def test(house: House) -> None:
        for reply in range(1, 9):
            await house.speak(reply, TEN[:2])
        opened = house.vendor.entries("context opened")
        assert [entry.detail["context"] for entry in opened] == [f"r{n}" for n in range(1, 9)]
        assert all(entry.detail["settings"] for entry in opened)
        assert len(house.vendor.entries("close context")) == 8
        assert len(house.vendor.entries("connected")) == 1
        assert max(house.vendor.most_contexts.values()) == 1

    on_a_call(test)


@pytest.mark.parametrize("speed", [20, 1, 0.5])
def test_twenty_barge_ins_within_a_minute(speed: float) -> None:
    """However long the vendor goes on sending what nobody wants any more."""

    async def test(house: House) -> None:
        loop = asyncio.get_running_loop()
        waits: list[float] = []
        for reply in range(1, 21):
            caller, began = Caller(), loop.time()
            line = ["This is reply number one,", *TEN]
            speaking = asyncio.create_task(house.voice.speak(reply, phrases(line, 0.1), caller.say))
            await asyncio.sleep(2.7)
            await interrupt(speaking)
            had = len(caller.parts)
            await asyncio.sleep(0.3)
            assert len(caller.parts) == had, "nothing is said after the barge-in"
            assert caller.heard[:5] == line[0].split()[: len(caller.heard)]
            waits.append(caller.parts[0][0] - began)
        usual = waits[0]
        assert max(waits) <= usual + 0.05
        assert house.told.failures == []
        opened = len(house.vendor.entries("connected"))
        assert opened == 1 if speed == 20 else opened <= 6

    on_a_call(test, speed=speed)


def test_a_barge_in_and_the_end_of_the_call_at_once_leave_no_context_open() -> None:
    async def test(house: House) -> None:
        for reply in range(1, 9):
            caller = Caller()
            speaking = asyncio.create_task(house.voice.speak(reply, phrases(TEN, 0.1), caller.say))
            await asyncio.sleep(0.5)
            await interrupt(speaking, again_after=reply - 1)
            had = len(caller.parts)
            await asyncio.sleep(1)
            assert len(caller.parts) == had > 0
        assert len(house.vendor.entries("close context")) == 8
        assert house.told.steps.count(("context closed", 8)) == 1
        assert "final" not in [step for step, _ in house.told.steps], "nobody waited for it"
        assert max(house.vendor.most_contexts.values()) == 1

    on_a_call(test)


def test_three_minutes_of_silence_keep_the_socket() -> None:
    async def test(house: House) -> None:
        await asyncio.sleep(200)
        caller = await house.speak(1, TEN[:1])
        assert caller.heard == words(TEN[:1])
        await asyncio.sleep(200)
        caller = await house.speak(2, TEN[:2], every_s=190)  # a context that waits
        assert caller.heard == words(TEN[:2])
        assert len(house.vendor.entries("connected")) == 1
        assert house.told.failures == []

    on_a_call(test)


def test_a_lost_socket_is_opened_again_behind_the_callers_back() -> None:
    async def test(house: House) -> None:
        house.vendor.cut_sockets()
        await asyncio.sleep(1)
        house.vendor.close_sockets(1008, "input_timeout_exceeded")
        await asyncio.sleep(1)
        house.vendor.close_sockets(1011)
        await asyncio.sleep(1)
        house.vendor.close_sockets(1000)
        await asyncio.sleep(8)
        assert house.told.failures == [
            "elevenlabs 1006",
            "elevenlabs input_timeout_exceeded",
            "elevenlabs 1011",
        ]
        assert (await house.speak(1, TEN)).heard == words(TEN)
        assert house.vendor.open_sockets == 1

    on_a_call(test)


@pytest.mark.parametrize(
    ("fault", "code", "within_s"),
    [
        (Fault(Trouble.STALL_FIRST), "first audio timeout", 1.25),
        (Fault(Trouble.STALL_MID), "stall", 1.75),
        (Fault(Trouble.MALFORMED), "malformed", 0.3),
        (Fault(Trouble.CUT), "1006", 0.3),
        (Fault(Trouble.CLOSE, code=1011), "1011", 0.3),
        (Fault(Trouble.CLOSE, code=1008, reason="quota_exceeded"), "quota_exceeded", 0.3),
        (
            Fault(Trouble.CLOSE, code=1008, reason="max_active_conversations"),
            "max_active_conversations",
            0.3,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_fault_in_a_reply_leaves_whole_words_and_a_new_socket(
    fault: Fault, code: str, within_s: float
) -> None:
    async def test(house: House) -> None:
        house.vendor.faults.order("context", fault, 1)
        caller = Caller()
        began = asyncio.get_running_loop().time()
        with pytest.raises(VendorError) as caught:
            await house.voice.speak(1, phrases(TEN), caller.say)
        assert caught.value.code == code
        assert asyncio.get_running_loop().time() - began <= within_s
        assert caller.heard == caller.read == words(TEN)[: len(caller.read)]
        assert house.told.failures == []  # it is told by whoever goes on
        await asyncio.sleep(0.1)
        assert (await house.speak(2, TEN)).heard == words(TEN)

    on_a_call(test)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(Trouble.STATUS, status=401), "invalid_api_key"),
        (Fault(Trouble.STATUS, status=429), "too_many_concurrent_requests"),
        (Fault(Trouble.STATUS, status=500), "internal_server_error"),
        (Fault(Trouble.STALL_FIRST), "connect timeout"),
        (Fault(Trouble.RESET), "reset"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_without_a_socket_a_reply_goes_elsewhere_at_once(fault: Fault, code: str | None) -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            vendor.faults.order("connect", fault)
            house = House(vendor)
            async with calling(house.voice):
                loop = asyncio.get_running_loop()
                began = loop.time()
                with pytest.raises(NotOpen):
                    await house.speak(1, TEN)
                assert loop.time() - began <= 0.31
                await asyncio.sleep(60)
                asked = len(house.told.failures)
                assert 4 <= asked <= 15
                assert set(house.told.failures) == {f"elevenlabs {code}"}
                vendor.faults.clear()
                await asyncio.sleep(61)
                assert (await house.speak(2, TEN)).heard == words(TEN)
            assert vendor.open_sockets == 0

    run_virtual(main())


def test_a_vendor_that_is_not_there() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            house = House(vendor)
        async with calling(house.voice):
            with pytest.raises(NotOpen):
                await house.speak(1, TEN)
            assert house.told.failures == ["elevenlabs refused"]

    run_virtual(main())


def test_a_socket_that_is_soon_lost_again_and_again_is_not_opened_in_a_frenzy() -> None:
    async def test(house: House) -> None:
        for _ in range(100):
            house.vendor.cut_sockets()
            await asyncio.sleep(0.5)
        assert len(house.vendor.entries("connected")) < 20

    on_a_call(test)


def test_a_call_that_ends_while_speaking_or_connecting_leaves_nothing_open() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            for turns in (*range(40), 1000):
                house = House(vendor)
                running = asyncio.create_task(house.voice.run())
                speaking = asyncio.create_task(house.speak(1, TEN))
                for _ in range(turns):  # of the loop: every step of opening is interrupted
                    await asyncio.sleep(0)
                speaking.cancel()
                running.cancel()
                await asyncio.wait({running, speaking})
                await asyncio.sleep(0.01)
                assert vendor.open_sockets == 0
            assert vendor.errors == []
            assert len(asyncio.all_tasks()) == 1 + len(_of_the_server())

    run_virtual(main())


def test_the_end_is_announced_and_waited_for() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            house = House(vendor)
            async with calling(house.voice):
                await house.speak(1, TEN)
            assert len(vendor.entries("close socket")) == 1
            assert [entry.detail["code"] for entry in vendor.entries("closed")] == [1000]

    run_virtual(main())


def test_if_the_vendor_never_says_final_the_reply_ends_all_the_same() -> None:
    async def test(house: House) -> None:
        socket = next(iter(house.vendor.sockets))
        real = socket.send

        async def send(message: str) -> None:
            if "isFinal" not in message:
                await real(message)

        socket.send = send  # type: ignore[method-assign]
        for reply in range(1, 9):
            assert (await house.speak(reply, TEN)).heard == words(TEN)
            await asyncio.sleep(1)
        assert house.told.failures == []

    on_a_call(test)


def test_slow_audio_without_timing_is_no_stall() -> None:
    async def main() -> None:
        speech = Speech(1, Caller().say, Reports(), "US")
        for phrase in TEN[:2]:
            speech.expect(phrase)
        speech.all_told(was_silent=False)
        for _ in range(4):
            speech.hear(Chunk("r1", b"\x10" * 3200))
            await asyncio.sleep(0.6)
            assert not speech.done.done()
        speech.final()
        assert speech.done.result() is None

    run_virtual(main())
