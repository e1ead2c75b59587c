"""Opening ElevenLabs' socket: what a server finds out when it starts, and what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from websockets.asyncio.server import ServerConnection, serve

from services.tts.elevenlabs_link import Link, check, connected
from services.tts.elevenlabs_wire import Chunk, ElevenLabsOptions
from services.vendors import VendorError
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.tts.caller import BAD_KEYS
from tests.virtual_time import run_virtual


def options(url: str, key: str = ElevenLabsSimulator.usual_key) -> ElevenLabsOptions:
    return ElevenLabsOptions(url, key, "sarah")


def test_a_key_that_is_taken_shows_and_the_socket_is_closed_politely() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            await check(options(vendor.url))
            assert len(vendor.entries("close socket")) == 1
            assert [entry.detail["code"] for entry in vendor.entries("closed")] == [1000]
            assert vendor.open_sockets == 0
            assert vendor.errors == []
            assert asyncio.get_running_loop().time() < 0.1

    run_virtual(main())


@pytest.mark.parametrize(
    ("fault", "code", "at_once"),
    [
        (Fault(Trouble.STATUS, status=401), "invalid_api_key", True),
        (Fault(Trouble.STATUS, status=429), "too_many_concurrent_requests", False),
        (Fault(Trouble.STALL_FIRST), "connect timeout", True),
        (Fault(Trouble.RESET), "reset", False),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_socket_that_is_not_opened_says_why(fault: Fault, code: str, at_once: bool) -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            vendor.faults.order("connect", fault)
            with pytest.raises(VendorError) as caught:
                await check(options(vendor.url))
            assert (caught.value.step, caught.value.code) == ("connect", code)
            assert caught.value.at_once == at_once
            assert asyncio.get_running_loop().time() <= 1.5

    run_virtual(main())


def test_a_vendor_that_is_not_there() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            pass
        with pytest.raises(VendorError, match="refused"):
            await check(options(vendor.url))

    run_virtual(main())


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_no_header_can_hold_is_not_sent(key: str) -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            with pytest.raises(VendorError) as caught:
                await check(options(vendor.url, key))
            assert (caught.value.step, caught.value.code) == ("connect", "bad key")
            assert caught.value.at_once
            assert "secr" not in str(caught.value)
            assert vendor.log == []
            assert vendor.connections == 0

    run_virtual(main())


Answers = Callable[[ServerConnection], Awaitable[None]]


async def refuses(socket: ServerConnection) -> None:
    await socket.send('{"message": "No.", "error": "quota_exceeded", "code": 1008}')
    await socket.close(1008)


async def breaks(socket: ServerConnection) -> None:
    socket.transport.abort()


async def breaks_down(socket: ServerConnection) -> None:
    await socket.close(1011)


async def is_another(socket: ServerConnection) -> None:
    await socket.send("Welcome!")


async def does_not_close(socket: ServerConnection) -> None:
    await socket.recv()
    await socket.wait_closed()


@pytest.mark.parametrize(
    ("answers", "code", "at_once"),
    [
        (refuses, "quota_exceeded", True),
        (breaks, "1006", False),
        (breaks_down, "1011", False),
        (is_another, "malformed", False),
        (does_not_close, "", False),
    ],
)
def test_a_socket_may_be_refused_after_it_was_opened(
    answers: Answers, code: str, at_once: bool
) -> None:
    async def main() -> None:
        async with serve(answers, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            found: VendorError | None = None
            try:
                await check(options(f"http://127.0.0.1:{port}"))
            except VendorError as error:
                found = error
            assert (found.code if found else "") == code
            assert bool(found and found.at_once) == at_once
            assert asyncio.get_running_loop().time() <= 2.1

    run_virtual(main())


def test_a_check_that_is_given_up_leaves_nothing_open() -> None:
    async def main() -> None:
        async with ElevenLabsSimulator() as vendor:
            for turns in range(30):  # of the loop: every step is interrupted
                checking = asyncio.create_task(check(options(vendor.url)))
                for _ in range(turns):
                    await asyncio.sleep(0)
                checking.cancel()
                await asyncio.wait({checking})
            await asyncio.sleep(0.01)
            assert vendor.open_sockets == 0

    run_virtual(main())


class Nobody:
    """Listens to nothing."""

    def hear(self, chunk: Chunk) -> None: ...
    def final(self) -> None: ...
    def fail(self, error: VendorError) -> None: ...


@pytest.mark.parametrize(("times", "code"), [(0, 1000), (1, 1000), (2, 1006)])
def test_a_call_that_ends_while_a_socket_takes_leave_does_not_cut_it(times: int, code: int) -> None:
    """Only who is told twice hurries."""

    async def main() -> None:
        async with ElevenLabsSimulator(speed=1.2) as vendor:
            asked = options(vendor.url)
            link = Link(await connected(asked, None), asked, lambda: None)
            tending = asyncio.create_task(link.run())
            link.open("r1", Nobody())
            link.say("r1", "There is a lot to be said about this, and it takes its time. ")
            await asyncio.sleep(0.5)
            link.leave()
            for _ in range(times):
                await asyncio.sleep(0.1)
                tending.cancel()
            await asyncio.wait({tending})
            await asyncio.sleep(0.1)
            assert [entry.detail["code"] for entry in vendor.entries("closed")] == [code]
            assert vendor.open_sockets == 0
            assert not [task for task in asyncio.all_tasks() if "elevenlabs" in task.get_name()]

    run_virtual(main())
