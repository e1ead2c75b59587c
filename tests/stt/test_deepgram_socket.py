"""Deepgram's live sockets: how they are opened, and how it is told that they cannot be."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import pytest

from services.stt.deepgram import DeepgramOptions, DeepgramTranscriber
from services.stt.deepgram_socket import check, open_socket
from services.stt.flux import FluxOptions, FluxTranscriber
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker
from services.vendors.urls import socket_url
from tests.simulators.vendors import deepgram as simulators
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import BAD_KEYS, on_the_line
from tests.virtual_time import run_virtual

KINDS = [DeepgramOptions, FluxOptions]
ENDPOINTS = {DeepgramOptions: "listen", FluxOptions: "flux"}
BOTH = pytest.mark.parametrize("options", KINDS)


class Shared(ssl.SSLContext):
    """A context that counts the connections it was used for."""

    used = 0

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        self.used += 1
        return super().wrap_bio(*args, **kwargs)


@BOTH
def test_a_good_key_is_let_in_and_the_socket_is_closed_politely(options: Any) -> None:
    async def main() -> None:
        async with DeepgramSimulator() as deepgram:
            await check(options(deepgram.key, deepgram.url))
            await asyncio.sleep(0.01)
            assert deepgram.open_sockets == 0
            assert len(deepgram.entries("connected")) == 1
            assert len(deepgram.entries("close stream")) == 1
            assert deepgram.entries("closed")[-1].detail["by"] == "server"
            assert deepgram.errors == []

    run_virtual(main())


@BOTH
@pytest.mark.parametrize("why", ["Invalid credentials.", "INVALID_AUTH"])
def test_a_refused_key_is_told_by_its_status(
    options: Any, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        async with DeepgramSimulator() as deepgram:
            with pytest.raises(VendorError) as failed:
                await check(options("another-key", deepgram.url))
            assert (failed.value.step, failed.value.code) == ("connect", "401")
            assert failed.value.at_once

    monkeypatch.setitem(simulators._REFUSALS, 401, ("INVALID_AUTH", why))
    run_virtual(main())


@BOTH
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(Trouble.STATUS, 402), "402"),
        (Fault(Trouble.STATUS, 429), "429"),
        (Fault(Trouble.RESET), "reset"),
        (Fault(Trouble.STALL_FIRST), "connect timeout"),
    ],
)
def test_a_check_that_fails_says_why(options: Any, fault: Fault, code: str) -> None:
    async def main() -> None:
        async with DeepgramSimulator() as deepgram:
            deepgram.faults.order(ENDPOINTS[options], fault, times=1)
            with pytest.raises(VendorError) as failed:
                await check(options(deepgram.key, deepgram.url))
            assert failed.value.code == code

    run_virtual(main())


def test_a_check_that_is_called_off_leaves_no_socket() -> None:
    async def main() -> None:
        async with DeepgramSimulator(final_ms=250) as deepgram:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await check(DeepgramOptions(deepgram.key, deepgram.url))
            await asyncio.sleep(0.01)
            assert len(deepgram.entries("connected")) == 1
            assert deepgram.open_sockets == 0

    run_virtual(main())


@BOTH
@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_no_header_can_hold_is_not_sent(options: Any, key: str) -> None:
    async def main() -> None:
        async with DeepgramSimulator() as deepgram:
            with pytest.raises(VendorError, match="deepgram: connect: bad key") as failed:
                await check(options(key, deepgram.url))
            assert failed.value.at_once
            assert deepgram.connections == 0

    run_virtual(main())


@pytest.mark.parametrize(
    ("make", "options"),
    [(DeepgramTranscriber, DeepgramOptions), (FluxTranscriber, FluxOptions)],
)
def test_calls_use_the_tls_that_they_are_given(make: Any, options: Any) -> None:
    async def main() -> None:
        tls, reports = Shared(ssl.PROTOCOL_TLS_CLIENT), Reports()
        async with DeepgramSimulator() as deepgram:
            asked = options(deepgram.key, deepgram.url.replace("http:", "https:"))
            breaker = Breaker("deepgram", asyncio.get_running_loop().time)
            async with on_the_line(make(asked, reports, breaker, tls=tls), reports) as caller:
                await caller.pause(100)
            assert tls.used >= 1
            assert {step for _, step, _ in caller.failures} == {"connect"}  # it has no TLS itself

    run_virtual(main())


def test_without_any_the_library_makes_its_own() -> None:
    async def main() -> None:
        async with DeepgramSimulator() as deepgram:
            url = socket_url(deepgram.url).replace("ws:", "wss:")
            with pytest.raises(VendorError, match="deepgram: connect: SSLError"):
                await open_socket(f"{url}/v1/listen", deepgram.key)

    run_virtual(main())
