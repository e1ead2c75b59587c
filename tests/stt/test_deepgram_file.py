"""Deepgram's file interface through its real SDK, against the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.stt.deepgram_file import DeepgramFile
from services.vendors import VendorError
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import BAD_KEYS, PIECES, check_trouble, fault_id, hears
from tests.virtual_time import run_virtual


@asynccontextmanager
async def file_at(
    url: str, key: str = DeepgramSimulator.usual_key, **options: Any
) -> AsyncIterator[DeepgramFile]:
    file = DeepgramFile(key, url, **options)
    try:
        yield file
    finally:
        await file.close()


def test_the_turn_is_sent_as_raw_mulaw() -> None:
    async def main() -> None:
        async with (
            DeepgramSimulator(hears=hears) as deepgram,
            file_at(deepgram.url, language="multi", keyterms=("Anna", "Hibari Inn")) as file,
        ):
            assert await file.words(PIECES) == "one two"
            request = deepgram.entries("file")[0].detail
            assert request["bytes"] == 3200
            assert ("encoding", "mulaw") in request["query"]
            assert ("sample_rate", "8000") in request["query"]
            assert ("language", "multi") in request["query"]
            assert ("keyterm", "Hibari Inn") in request["query"]
            assert deepgram.errors == []

    run_virtual(main())


@pytest.mark.parametrize(
    ("fault", "code", "at_once"),
    [
        (Fault(Trouble.STATUS, 401), "401", True),
        (Fault(Trouble.STATUS, 402), "402", True),
        (Fault(Trouble.STATUS, 429), "429", False),
        (Fault(Trouble.STATUS, 500), "500", False),
        (Fault(Trouble.RESET), "reset", False),
        (Fault(Trouble.CUT), "reset", False),
        (Fault(Trouble.STALL_FIRST), "timeout", True),
        (Fault(Trouble.STALL_MID), "timeout", True),
        (Fault(Trouble.MALFORMED), "malformed", False),
    ],
    ids=fault_id,
)
def test_each_trouble_has_its_code_and_is_not_tried_again(
    fault: Fault, code: str, at_once: bool
) -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, file_at(deepgram.url) as file:
            deepgram.faults.order("file", fault, times=1)
            await check_trouble(file, code, at_once=at_once)

    run_virtual(main())


@pytest.mark.parametrize("key", BAD_KEYS)
def test_a_key_that_no_header_can_hold_is_not_sent(key: str) -> None:
    async def main() -> None:
        async with DeepgramSimulator() as deepgram, file_at(deepgram.url, key) as file:
            with pytest.raises(VendorError, match="deepgram: transcribe: bad key") as failed:
                await file.words(PIECES)
            assert failed.value.at_once
            assert deepgram.connections == 0

    run_virtual(main())


def test_nobody_there_is_refused() -> None:
    async def main() -> None:
        async with file_at("http://127.0.0.1:9") as file:
            with pytest.raises(VendorError, match="refused"):
                await file.words(PIECES)

    run_virtual(main())
