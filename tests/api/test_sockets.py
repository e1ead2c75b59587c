"""The fast lane says and does what uvicorn's own way would, only sooner, and for many calls."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from socket import socket
from typing import Any

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.websockets import WebSocket
from uvicorn.server import ServerState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Opcode

from api import rounds
from api.media_stream import StarletteSocket
from api.sockets import MESSAGES_A_TURN, ImpatientSockets, fast_lane
from main import MAX_MESSAGE_BYTES
from tests.api.socket_wire import (
    CONFIG,
    Line,
    Message,
    close,
    frame,
    in_rounds,
    odd_frame,
    settle,
    text,
)
from tests.virtual_time import run_virtual

SIZES = (0, 1, 5, 124, 125, 126, 127, 300, 65_535, 65_536)
PROFILE = settings(
    max_examples=350,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    """What uvicorn says of each socket is of no interest here."""
    caplog.set_level(logging.CRITICAL, "uvicorn.error")


# --- the same as uvicorn --------------------------------------------------------------------------

words = st.builds(
    lambda letter, size: (letter * size).encode()[:size].decode(errors="ignore").encode(),
    st.sampled_from(["x", "\u00e9", "\u20ac", "\U0001f600", "\x00"]),
    st.sampled_from(SIZES) | st.integers(0, 400),
)
short = st.binary(max_size=125)
controls = st.builds(frame, st.sampled_from([Opcode.PING, Opcode.PONG]), short)


def in_fragments(opcode: Opcode, parts: Sequence[bytes], between: Sequence[bytes]) -> list[bytes]:
    """A message in several frames; other frames stand between them."""
    last = len(parts) - 1
    frames = []
    for place, part in enumerate(parts):
        frames.append(frame(Opcode.CONT if place else opcode, part, fin=place == last))
        if place < last:
            frames.extend(between)
    return frames


good = st.one_of(
    st.builds(lambda payload: [frame(Opcode.TEXT, payload)], words),
    st.builds(lambda payload: [frame(Opcode.BINARY, payload)], words),
    st.builds(lambda control: [control], controls),
    st.builds(
        in_fragments,
        st.sampled_from([Opcode.TEXT, Opcode.BINARY]),
        st.lists(st.sampled_from([b"", b"one", "\u20ac".encode(), b"y" * 126]), min_size=2),
        st.lists(controls, max_size=2),
    ),
    # a character that is cut in two by the frames
    st.just(in_fragments(Opcode.TEXT, ["\u20ac".encode()[:1], "\u20ac".encode()[1:]], [])),
)
last = st.one_of(
    st.builds(
        lambda code, why: [close(code, why)],
        st.sampled_from([1000, 1001, 4000]),
        st.text(max_size=30),
    ),
    st.sampled_from(
        [
            [frame(Opcode.CLOSE)],
            [close(1005)],  # a code that nobody may send
            [odd_frame(0x88, b"\x03")],  # a close of one byte
            [frame(Opcode.TEXT, b"unmasked", masked=False)],
            [frame(Opcode.PING, b"unmasked", masked=False)],
            [frame(Opcode.TEXT, b"x" * 300, masked=False)],
            *([odd_frame(0x81 | reserved, b"x")] for reserved in (0x40, 0x20, 0x10)),
            [odd_frame(0x89, b"a ping that is too long" * 6)],
            [odd_frame(0x83, b"an opcode that there is not")],
            [odd_frame(0x09, b"a ping in fragments")],
            [frame(Opcode.TEXT, b"\xff\xfe")],
            [frame(Opcode.TEXT, b"\xe2\x82")],
            [frame(Opcode.TEXT, b"\xff"), frame(Opcode.TEXT, b"\xff")],
            in_fragments(Opcode.TEXT, [b"\xff", b"\xff"], []),
            in_fragments(Opcode.TEXT, [b"a", b"b"], [text("a text between two fragments")]),
            [frame(Opcode.CONT, b"of nothing")],
            [frame(Opcode.TEXT, b"a", fin=False), close(1000)],
            [frame(Opcode.TEXT, b"x" * (MAX_MESSAGE_BYTES + 1))],
            [frame(Opcode.BINARY, b"x" * 70_000)],
            in_fragments(Opcode.BINARY, [b"x" * 60_000, b"x" * 60_000], []),
        ]
    ),
)
half = [text("begun, but not all of it comes")[:9]]


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], list[int]]:
    """Frames, and where the stream of their bytes is cut; often near the frames' heads."""
    frames = [made for group in draw(st.lists(good, max_size=12)) for made in group]
    if draw(st.booleans()):
        frames += draw(last)
        frames += draw(st.lists(st.sampled_from([text("too late"), close(1000)])))
    else:
        frames += draw(st.sampled_from([[], half]))
    ends = [0]
    for made in frames:
        ends.append(ends[-1] + len(made))
    near = st.builds(lambda end, off: end + off, st.sampled_from(ends), st.integers(-3, 15))
    cuts = draw(st.lists(near | st.integers(0, ends[-1]), max_size=25))
    return frames, sorted({cut for cut in cuts if 0 < cut < ends[-1]})


def chunks(frames: Sequence[bytes], cuts: Sequence[int]) -> list[bytes]:
    stream = b"".join(frames)
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


async def told(parts: Sequence[bytes], *, is_fast: bool, ready_at: int = 0) -> object:
    """The messages, and what is answered: pongs and a close, byte by byte."""
    ready = asyncio.Event()
    line = await Line.open(is_fast=is_fast, ready=ready)
    for place, part in enumerate(parts):
        if place == ready_at:
            ready.set()
        line.feed(part)
        if place % 3:  # some arrive in the same turn of the loop
            await asyncio.sleep(0)
    ready.set()
    await asyncio.sleep(0.1)
    line.transport.end()
    await asyncio.sleep(0.1)
    assert line.is_over
    return line.messages, line.sent


@given(streams(), st.integers(0, 6), st.booleans())
@PROFILE
def test_it_gives_the_same_messages_and_answers_as_uvicorn_does(
    stream: tuple[list[bytes], list[int]], ready_at: int, is_gathered: bool
) -> None:
    """uvicorn gets whole frames: of a chunk with an error in it, it would lose what came before."""
    frames, cuts = stream
    expected = run_virtual(told(frames, is_fast=False))
    few = 0 if is_gathered else rounds.FEW_CALLS
    with in_rounds(few):
        found = run_virtual(told(chunks(frames, cuts), is_fast=True, ready_at=ready_at))
    assert found == expected


# --- before and after -----------------------------------------------------------------------------


async def test_a_frame_of_which_half_came_before_the_lane_was_taken_is_whole() -> None:
    ready = asyncio.Event()
    line = await Line.open(ready=ready)
    stream = text("start") + text("media")
    line.feed(stream[:-8])
    await settle()
    ready.set()
    await settle()
    line.feed(stream[-8:], text("stop"))
    await settle()
    assert line.messages == ["start", "media", "stop"]
    assert not line.sent


async def test_a_message_in_fragments_may_begin_before_the_lane_is_taken() -> None:
    ready = asyncio.Event()
    line = await Line.open(ready=ready)
    line.feed(text("start"), frame(Opcode.TEXT, b"in ", fin=False))
    await settle()
    ready.set()
    await settle()
    line.feed(frame(Opcode.CONT, b"two"), text("stop"))
    await settle()
    assert line.messages == ["start", "in two", "stop"]


async def test_a_peer_that_left_before_the_lane_was_taken_is_not_waited_for() -> None:
    ready = asyncio.Event()
    line = await Line.open(ready=ready)
    line.feed(text("start"), close(1000))
    await settle()
    ready.set()
    await settle()
    assert line.is_over
    assert line.messages == ["start"]


@pytest.mark.parametrize("is_early", [True, False])
async def test_what_take_raises_ends_it_and_nothing_more_is_taken(is_early: bool) -> None:
    def take(message: Message) -> None:
        if message == "bad":
            raise ValueError("a bug")

    ready = asyncio.Event()
    line = await Line.open(take, ready=ready)
    if not is_early:
        ready.set()
        await settle()
    line.feed(text("good"), text("bad"), text("never"))
    ready.set()
    await settle()
    line.feed(text("taken"))
    await settle()
    assert line.messages == ["good", "bad"]
    assert str(line.error) == "a bug"


async def test_a_cancelled_call_takes_nothing_more_and_can_still_be_closed_in_order() -> None:
    taken: list[Message] = []
    line = await Line.open(ready=asyncio.Event())  # the app waits; the test is the app
    lane = fast_lane(line.websocket)
    assert lane is not None
    taking = asyncio.create_task(lane.deliver(taken.append))
    await settle()
    line.feed(text("one"))
    taking.cancel()
    await settle()
    line.feed(text("two"), text("three"))
    await line.websocket.close(1000)
    line.feed(text("four"), frame(Opcode.TEXT, b"\xff"), close(1000))
    await settle()
    assert taken == ["one"]
    assert line.sent == b"\x88\x02\x03\xe8"
    assert line.transport.is_closing()


async def test_after_our_close_nothing_more_is_taken() -> None:
    line = await Line.open()
    await line.websocket.close(1000)
    line.feed(text("void"), frame(Opcode.TEXT, b"\xff"))
    await settle()
    assert line.messages == []
    assert line.sent == b"\x88\x02\x03\xe8"
    line.feed(close(1000))
    await settle()
    assert line.is_over


async def test_pings_are_answered_in_order_between_messages() -> None:
    line = await Line.open()
    pings = [frame(Opcode.PING, bytes([number])) for number in range(100)]
    line.feed(*(part for ping in pings for part in (ping, text("x"))))
    await asyncio.sleep(0.01)
    assert line.sent == b"".join(bytes([0x8A, 1, number]) for number in range(100))
    assert line.messages == ["x"] * 100


# --- a flood --------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_early", [True, False])
async def test_others_have_their_turn_during_a_flood(is_early: bool) -> None:
    most_in_a_row = in_a_row = 0

    def take(message: Message) -> None:
        nonlocal in_a_row, most_in_a_row
        in_a_row += 1
        most_in_a_row = max(most_in_a_row, in_a_row)

    ready = asyncio.Event()
    line = await Line.open(take, ready=ready)
    if not is_early:
        ready.set()
        await settle()
    line.feed(*(text(str(number)) for number in range(1000)), text("end"))
    ready.set()
    while "end" not in line.messages:
        in_a_row = 0
        await asyncio.sleep(0)
    assert most_in_a_row <= MESSAGES_A_TURN
    assert line.messages == [*map(str, range(1000)), "end"]
    assert not line.transport.paused


async def test_a_flood_is_not_read_on_while_others_have_their_turn() -> None:
    line = await Line.open()
    line.feed(*[text("x")] * (MESSAGES_A_TURN + 1))
    assert line.transport.paused
    await settle()
    assert not line.transport.paused
    assert len(line.messages) == MESSAGES_A_TURN + 1


async def test_a_peer_that_closes_after_a_flood_is_closed_to() -> None:
    line = await Line.open()
    line.feed(*[text("x")] * 100, close(1000, "bye"))
    await settle()
    assert len(line.messages) == 100
    assert line.sent == b"\x88\x05\x03\xe8bye"
    assert line.is_over


# --- sending --------------------------------------------------------------------------------------


async def test_what_cannot_leave_at_once_waits_its_turn() -> None:
    line = await Line.open()
    socket = StarletteSocket(line.websocket)
    await socket.send("one")
    line.protocol.pause_writing()
    lane = fast_lane(line.websocket)
    assert lane is not None
    assert not lane.send_now("never")
    waiting = asyncio.create_task(socket.send("two"))
    await settle()
    assert not waiting.done()
    assert line.sent == b"\x81\x03one"
    line.protocol.resume_writing()
    await waiting
    await socket.send("three")
    assert line.sent == b"\x81\x03one\x81\x03two\x81\x05three"


@pytest.mark.parametrize("ending", ["ours", "theirs", "loss"])
async def test_a_closed_socket_is_sent_nothing(ending: str) -> None:
    line = await Line.open()
    socket = StarletteSocket(line.websocket)
    if ending == "ours":
        await socket.close()
    elif ending == "theirs":
        line.feed(close(1000))
    else:
        line.transport.reset()
    await settle()
    sent = line.sent
    await socket.send("into the void")
    assert line.sent == sent


# --- with a real client ---------------------------------------------------------------------------


@asynccontextmanager
async def client_of() -> AsyncIterator[ClientConnection]:
    """A client of the ``websockets`` library on the loop of a server that echoes in the lane."""
    made: list[ImpatientSockets] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        lane = fast_lane(websocket)
        assert lane is not None

        def echo(message: Message) -> None:
            assert lane.send_now(message if isinstance(message, str) else message.hex())

        await lane.deliver(echo)

    def new() -> ImpatientSockets:
        protocol = ImpatientSockets(CONFIG, ServerState(), {})
        protocol.app = app
        made.append(protocol)
        return protocol

    loop = asyncio.get_running_loop()
    server = await loop.create_server(new, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with connect(f"ws://127.0.0.1:{port}/", proxy=None, compression=None) as client:
            yield client
    finally:
        server.close()
        for protocol in made:
            protocol.transport.abort()


def test_a_clients_library_understands_what_is_sent() -> None:
    async def work() -> None:
        async with client_of() as client:
            for size in (0, 125, 126, 65_535, 65_536):
                await client.send("x" * size)
                assert await client.recv() == "x" * size
            await client.send(["in ", "fragments"])
            assert await client.recv() == "in fragments"
            await client.send(b"\x01\x02")
            assert await client.recv() == "0102"
            await (await client.ping())
            await client.close(4001)
            assert (client.close_code, client.protocol.close_rcvd_then_sent) == (4001, False)

    run_virtual(work())


def test_a_message_that_is_too_long_is_refused_as_such() -> None:
    async def work() -> None:
        async with client_of() as client:
            await client.send("x" * (MAX_MESSAGE_BYTES + 1))
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1009

    run_virtual(work())


async def test_a_server_that_stops_ends_its_calls() -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket] | None = None) -> None:
            await super().startup(sockets)
            started.set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        lane = fast_lane(websocket)
        assert lane is not None
        await lane.deliver(lambda message: None)
        ended.set()

    server = Server(
        uvicorn.Config(
            app, "127.0.0.1", 0, ws=ImpatientSockets, lifespan="off", log_config=None, loop="none"
        )
    )
    serving = asyncio.create_task(server.serve())
    await started.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    async with connect(f"ws://127.0.0.1:{port}/", proxy=None) as client:
        server.should_exit = True
        async with asyncio.timeout(5):
            await ended.wait()
            with pytest.raises(ConnectionClosed):
                await client.recv()
        assert client.close_code == 1012
    await serving


# --- what is left of it ---------------------------------------------------------------------------


async def test_nothing_is_kept_of_a_closed_socket() -> None:
    line = await Line.open()
    line.feed(text("x"), close(1000))
    await settle()
    assert line.is_over
    kept = weakref.ref(line.protocol)
    del line
    await settle()
    gc.collect()
    assert kept() is None


def test_nothing_is_kept_of_a_loop_that_has_ended() -> None:
    async def work() -> weakref.ref[asyncio.AbstractEventLoop]:
        line = await Line.open()
        line.feed(close(1000))
        await settle()
        return weakref.ref(asyncio.get_running_loop())

    kept = run_virtual(work())
    gc.collect()
    assert kept() is None
