"""Opening a vendor's WebSocket against servers that do not behave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.http11 import Response

from services.vendors import VendorError
from services.vendors.sockets import CONNECT_S, open_socket
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
