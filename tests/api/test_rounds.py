"""When many calls' sockets are read: in rounds, one after the other; on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any
from unittest.mock import patch

import pytest
from websockets.frames import Opcode

from api import rounds
from api.sockets import MESSAGES_A_TURN
from tests.api.socket_wire import (
    Line,
    PaperTransport,
    close,
    frame,
    in_rounds,
    text,
)
from tests.virtual_time import run_virtual


def many(work: Coroutine[Any, Any, None]) -> None:
    """Run on virtual time, in rounds."""
    with in_rounds():
        run_virtual(work)


def test_in_rounds_each_socket_keeps_its_order_and_nothing_is_read_late() -> None:
    async def work() -> None:
        lines = [await Line.open() for _ in range(40)]
        for number in range(30):
            for place, line in enumerate(lines):
                stream = text(f"{place}.{number}")
                line.feed(stream[:7])
                if number % 5 == 0:  # a frame in two pieces may be in two rounds
                    await asyncio.sleep(rounds.ROUND_S / 40)
                line.feed(stream[7:])
            await asyncio.sleep(0.004)
        await asyncio.sleep(2 * rounds.ROUND_S)
        for place, line in enumerate(lines):
            assert line.messages == [f"{place}.{number}" for number in range(30)]

    many(work())


@pytest.mark.parametrize("ending", ["end", "close"])
def test_a_message_that_waits_for_its_round_is_not_lost_with_the_connection(ending: str) -> None:
    async def work() -> None:
        lines = [await Line.open() for _ in range(40)]
        line = lines[0]
        line.feed(text("first"), frame(Opcode.PING), text("last"))
        assert line.messages == []
        if ending == "end":
            line.transport.end()
        else:
            line.feed(close(1000))
        await asyncio.sleep(0.1)
        assert line.messages == ["first", "last"]
        assert line.is_over
        assert not any(other.is_over for other in lines[1:])

    many(work())


def test_a_connection_that_breaks_between_two_rounds_is_over() -> None:
    async def work() -> None:
        lines = [await Line.open() for _ in range(40)]
        lines[0].feed(text("first"))
        await asyncio.sleep(2 * rounds.ROUND_S)
        lines[0].transport.reset()
        await asyncio.sleep(0.1)
        assert lines[0].messages == ["first"]
        assert [line.is_over for line in lines] == [True] + [False] * 39

    many(work())


def test_a_flood_in_a_round_leaves_the_others_their_turn() -> None:
    async def work() -> None:
        lines = [await Line.open() for _ in range(10)]
        lines[0].feed(*[text(str(number)) for number in range(20 * MESSAGES_A_TURN)])
        for number in range(20):
            for line in lines[1:]:
                line.feed(text(str(number)))
            await asyncio.sleep(0.02)
        assert all(len(line.messages) == 20 for line in lines[1:])
        await asyncio.sleep(1)
        assert lines[0].messages == [str(number) for number in range(20 * MESSAGES_A_TURN)]

    many(work())


def test_a_connection_without_a_socket_is_read_as_ever() -> None:
    async def work() -> None:
        with patch.object(PaperTransport, "get_extra_info", lambda *_: None):
            line = await Line.open()
            others = [await Line.open() for _ in range(9)]
            line.feed(text("now"))
            assert line.messages == ["now"]
            assert not others[0].is_over

    many(work())


def test_who_cannot_be_read_is_cut_off_and_the_others_of_the_round_are_read() -> None:
    async def work() -> None:
        broken, good = await Line.open(), await Line.open()
        with patch.object(broken.protocol, "read_frames", side_effect=RuntimeError("a bug")):
            broken.feed(text("x"))
            good.feed(text("last"))
            await asyncio.sleep(0.1)
            assert good.messages == ["last"]
            assert broken.is_over
            assert not good.is_over

    many(work())


def test_few_calls_are_read_at_once_and_the_gathering_ends_with_the_calls() -> None:
    async def work() -> None:
        line = await Line.open()
        line.feed(text("now"))
        assert line.messages == ["now"]
        others = [await Line.open() for _ in range(40)]
        line.feed(text("later"))
        assert line.messages == ["now"]
        for other in others:
            other.transport.end()
        await asyncio.sleep(0.1)
        line.feed(text("now again"))
        assert line.messages == ["now", "later", "now again"]

    with in_rounds(rounds.FEW_CALLS):
        run_virtual(work())
