"""Deepgram's file interface through its real SDK, against the simulator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from services.stt.deepgram_file import DeepgramFile
from services.stt.turn_audio import Piece
from services.vendors import VendorError
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import hears, tone
from tests.virtual_time import run_virtual

PIECES = (Piece(tone("one") * 10), Piece(tone("two") * 10))


@asynccontextmanager
async def file_at(url: str, key: str = "test-key", **options: Any) -> AsyncIterator[DeepgramFile]:
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
    ids=lambda value: value.trouble.value if isinstance(value, Fault) else str(value),
)
def test_each_trouble_has_its_code_and_is_not_tried_again(
    fault: Fault, code: str, at_once: bool
) -> None:
    async def main() -> None:
        async with DeepgramSimulator(hears=hears) as deepgram, file_at(deepgram.url) as file:
            deepgram.faults.order("file", fault, times=1)
            with pytest.raises(VendorError) as failed:
                await file.words(PIECES)
            assert (failed.value.vendor, failed.value.code) == ("deepgram", code)
            assert failed.value.at_once is at_once
            assert await file.words(PIECES) == "one two"

    run_virtual(main())


def test_nobody_there_is_refused() -> None:
    async def main() -> None:
        async with file_at("http://127.0.0.1:9") as file:
            with pytest.raises(VendorError, match="refused"):
                await file.words(PIECES)

    run_virtual(main())
