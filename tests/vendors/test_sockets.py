"""A vendor's WebSocket: opened against servers that do not behave, and sent on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from unittest.mock import patch

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError, ConnectionClosedOK
from websockets.http11 import Response

from services.vendors import VendorError
from services.vendors.sockets import CONNECT_S, open_socket, send
from tests.virtual_time import run_virtual

KEY = {"x-vendor-key": "secret"}


def refusal(response: Response) -> VendorError:
    return VendorError("vendor", "connect", str(response.status_code))


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """A server that gives everybody this answer: its address, and what it was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        if not answer:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/", asked
        await asyncio.sleep(0.01)  # what was open is closed


async def failure(url: str) -> VendorError:
    with pytest.raises(VendorError) as caught:
        await open_socket("vendor", url, KEY, refusal)
    return caught.value


def test_no_redirect_is_followed_and_nobody_else_is_given_the_key() -> None:
    async def main() -> None:
        async with answering(b"") as (elsewhere, told):
            head = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n"
            async with answering(head.encode()) as (url, asked):
                assert (await failure(url)).code == "302"
                assert b"secret" in asked[0]
            assert told == []

    run_virtual(main())


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: mailto:x\r\nContent-Length: 0\r\n\r\n", "302"),
        (b"HTTQ/9 what\r\n\r\n", "malformed"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "malformed"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "503"),
        (b"HTTP/1.1 200", "reset"),
    ],
)
def test_an_answer_that_is_no_upgrade_is_a_failure(answer: bytes, code: str) -> None:
    async def main() -> None:
        async with answering(answer) as (url, _):
            error = await failure(url)
            assert (error.step, error.code, error.at_once) == ("connect", code, False)

    run_virtual(main())


def test_no_answer_at_all_is_given_up() -> None:
    async def main() -> None:
        async with answering(b"") as (url, _):
            error = await failure(url)
            assert (error.code, error.at_once) == ("connect timeout", True)
            assert asyncio.get_running_loop().time() == pytest.approx(CONNECT_S, abs=0.01)

    run_virtual(main())


@pytest.mark.parametrize("url", ["ws://a..b/", f"ws://{'a' * 70}.example/", "http://example/"])
def test_a_name_that_is_none_is_a_failure_like_others(url: str) -> None:
    error = run_virtual(failure(url))
    assert (error.code, error.at_once) == ("bad url", True)


# --- sending --------------------------------------------------------------------------------------


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[ClientConnection, ServerConnection]]:
    """A socket, and its other end."""
    ends: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def serving(end: ServerConnection) -> None:
        ends.put_nowait(end)
        await end.wait_closed()

    async with serve(serving, "127.0.0.1", 0, compression=None) as server:
        url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        socket = await open_socket("vendor", url, KEY, refusal)
        yield socket, await ends.get()
        socket.transport.abort()


async def send_often(socket: ClientConnection, message: bytes, often: int) -> None:
    for _ in range(often):
        await send(socket, message)
        await asyncio.sleep(0)


@pytest.mark.parametrize("message", ["", "words, naïve ones", b"", b"\xff\x00", b"x" * 70_000])
def test_a_message_arrives_as_it_was_sent(message: str | bytes) -> None:
    async def main() -> None:
        async with connected() as (socket, end):
            with patch.object(ClientConnection, "send") as long_way:
                await send(socket, message)
            assert await end.recv() == message
            assert not long_way.called

    run_virtual(main())


def test_a_message_does_not_come_between_the_fragments_of_another() -> None:
    async def main() -> None:
        async with connected() as (socket, end):
            rest = asyncio.Event()

            async def fragments() -> AsyncIterator[str]:
                yield "one "
                await rest.wait()
                yield "message"

            first = asyncio.create_task(socket.send(fragments()))
            await asyncio.sleep(0.01)
            second = asyncio.create_task(send(socket, "another"))
            await asyncio.sleep(0.01)
            assert not second.done()
            rest.set()
            await asyncio.gather(first, second)
            assert [await end.recv(), await end.recv()] == ["one message", "another"]

    run_virtual(main())


def test_who_sends_waits_for_one_who_does_not_read() -> None:
    async def main() -> None:
        async with connected() as (socket, end):
            end.transport.pause_reading()
            message = b"x" * 100_000
            sending = asyncio.create_task(send_often(socket, message, 1000))
            await asyncio.sleep(1)
            assert not sending.done()
            assert socket.transport.get_write_buffer_size() < 3 * len(message)
            end.transport.resume_reading()
            for _ in range(1000):
                assert await end.recv() == message
            await sending

    run_virtual(main())


@pytest.mark.parametrize("ending", ["closed", "cut", "left"])
def test_on_a_line_that_is_down_it_is_said_so(ending: str) -> None:
    async def main() -> None:
        async with connected() as (socket, end):
            if ending == "closed":
                await end.close(1008, "no")
            elif ending == "cut":
                end.transport.abort()
                await socket.wait_closed()
            else:
                socket.transport.abort()  # the library has not been told yet
            with pytest.raises(ConnectionClosedError) as caught:
                await send_often(socket, b"", 2)  # the first may still be taken, and is lost
            assert (caught.value.rcvd.code if caught.value.rcvd else None) == (
                1008 if ending == "closed" else None
            )

    run_virtual(main())


def test_one_who_closes_while_we_send_is_told_apart_from_one_who_fails() -> None:
    async def main() -> None:
        async with connected() as (socket, end):
            closing = asyncio.create_task(end.close())
            with pytest.raises(ConnectionClosedOK):
                await send_often(socket, b"more", 1000)
            await closing

    run_virtual(main())
