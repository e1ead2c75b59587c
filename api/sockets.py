"""How uvicorn keeps our WebSockets: patient with nobody, and with a fast lane for media.

A call's socket brings 50 messages a second, and each takes uvicorn, its queue, ASGI and a task's
wake-up some 60 us before our own work begins. So a media socket may take the fast lane: the usual
frame (a whole text message, masked, complete) is read right here and handed over where it arrives,
in some 5 us. Whatever is unusual (control frames, fragments, binary messages, errors), and all that
comes before the fast lane is taken, goes through the ``websockets`` library, one whole frame at a
time: nothing is decided twice, and no frame is ever begun by one and ended by the other.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from typing import Any

from starlette.websockets import WebSocket
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from api.rounds import rounds_of

try:
    from websockets.speedups import apply_mask  # C
except ImportError:
    from websockets.utils import apply_mask

log = logging.getLogger(__name__)

ABORT_AFTER_S = 15.0
"""How long a socket may take to close once its call is over."""
MESSAGES_A_TURN = 32
"""What one socket may have handled before the other calls get their turn."""
FAST_LANE = "voice.fast_lane"
"""The ASGI extension under which a socket offers its fast lane."""

Take = Callable[[str | bytes], None]
"""Takes one message: text, or bytes for a binary one. Never blocks."""

_WHOLE_TEXT = 0x81  # FIN and opcode 1, no reserved bits (RFC 6455, 5.2)
_MEDIUM_TEXT = b"\x81\xfe"  # a whole text, masked, its size in the next two bytes
_MOST_16 = 0xFFFF
_MASKED = 0x80
_EXTENDED_16 = 126
_EXTENDED_64 = 127
_read = os.read
_CHUNK = 65_536  # bytes; in a round a call has one message of some 300


class ImpatientSockets(WebSocketsSansIOProtocol):
    """uvicorn's own protocol with two differences. A peer that has stopped reading cannot keep its
    socket open: after an orderly close has had its time, the connection is cut. And there is the
    fast lane: see :meth:`deliver`."""

    _take: Take | None = None
    _settle: Callable[[], None]
    _gone: asyncio.Future[None]
    _unread = b""
    _turn_is_over = False
    _in_rounds = False
    _in_fragments = False
    _file = -1  # the connection's, while it is read in rounds

    async def run_asgi(self) -> None:
        self.scope["extensions"][FAST_LANE] = {"socket": self}
        await super().run_asgi()
        self.loop.call_later(ABORT_AFTER_S, self.transport.abort)

    # --- the fast lane ----------------------------------------------------------------------------

    async def deliver(self, take: Take, settle: Callable[[], None] = lambda: None) -> None:
        """Hand every message to ``take`` as it arrives; returns once the peer is gone. ``settle``
        is called when all messages of a round were taken, also those of the other sockets in it.

        To be called once, after the handshake. What they raise is raised here.
        """
        if not await self._hand_over_early(take, settle):
            return
        self._settle = settle
        self._gone = self.loop.create_future()
        self._take = take
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        rounds = rounds_of(self.loop)
        try:
            rounds.enter(self)
            await self._gone
        finally:
            self._take, self._settle = _drop, _nothing
            rounds.leave(self)

    async def _hand_over_early(self, take: Take, settle: Callable[[], None]) -> bool:
        """Hand over what came before; False if the peer is gone already."""
        handed_over = 0
        while not self.queue.empty():
            message: Any = self.queue.get_nowait()
            if message["type"] == "websocket.disconnect":
                return False
            text = message.get("text")
            take(text if text is not None else message["bytes"])
            settle()
            handed_over += 1
            if handed_over % MESSAGES_A_TURN == 0:
                await asyncio.sleep(0)
        return True

    def send_now(self, text: str) -> bool:
        """Send a text message without waiting; False if it has to wait or cannot be sent."""
        if not self.writable.is_set() or self.close_sent or self.transport.is_closing():
            return False
        payload = text.encode()
        size = len(payload)
        if size < _EXTENDED_16:
            head = bytes((_WHOLE_TEXT, size))
        elif size < 65_536:
            head = bytes((_WHOLE_TEXT, _EXTENDED_16)) + size.to_bytes(2, "big")
        else:
            head = bytes((_WHOLE_TEXT, _EXTENDED_64)) + size.to_bytes(8, "big")
        self.transport.write(head + payload)
        return True

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:
            super().data_received(data)  # the request, which uvicorn hands on in one piece
            return
        self._unread = self._unread + data if self._unread else data
        if not self._turn_is_over:
            self.read_now()

    # --- rounds -----------------------------------------------------------------------------------

    def begin_rounds(self) -> None:
        """From now on the loop watches the connection no more: :meth:`look` does."""
        if not (self._in_rounds or self.transport.is_closing()):
            self._in_rounds = True
            self._file = self.transport.get_extra_info("socket").fileno()
            self.transport.pause_reading()

    def end_rounds(self) -> None:
        """From now on the loop does."""
        if self._in_rounds:
            self._in_rounds = False
            if not (self._turn_is_over or self.transport.is_closing()):
                self.transport.resume_reading()

    def look(self) -> bool:
        """Read what has come; whether that was anything. What is to be done about an end or a
        failure of the connection is for the loop to say."""
        if not self._in_rounds or self._turn_is_over or self.transport.is_closing():
            return False
        try:
            data = _read(self._file, _CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self.end_rounds()
            return False
        self._unread = self._unread + data if self._unread else data
        self.read_frames()
        return True

    # --- frames -----------------------------------------------------------------------------------

    def read_now(self) -> None:
        """Outside a round."""
        self.read_frames()
        self.settle()

    def settle(self) -> None:
        """What was read is taken."""
        if self._take is None:
            return
        try:
            self._settle()
        except Exception as error:
            self._broke(error)

    def read_frames(self) -> None:
        """All whole frames there are, or as many as one turn allows."""
        data, at, limit = self._unread, 0, self.config.ws_max_size
        fits = limit >= _MOST_16
        has_lane = self._take is not None
        for _ in range(MESSAGES_A_TURN):
            if fits and data.startswith(_MEDIUM_TEXT, at):  # as nearly always
                head, size, is_text = 8, int.from_bytes(data[at + 2 : at + 4], "big"), True
            else:
                head, size = _measure(data, at, limit)
                is_text = head > 2 and data[at] == _WHOLE_TEXT
            begin = at + head
            end = begin + size
            if not head or end > len(data):
                break
            if has_lane and is_text and not self._in_fragments:
                self._read_text(apply_mask(data[begin:end], data[begin - 4 : begin]))
            else:
                self._read_unusual(data[at:end])
            at = end
        else:
            if not self.transport.is_closing():
                self._take_turns()
        self._unread = data[at:]

    def _take_turns(self) -> None:
        """Let the other calls in between; until then nothing more is read."""
        self._turn_is_over = True
        if not self._in_rounds:
            self.transport.pause_reading()
        self.loop.call_soon(self._next_turn)

    def _next_turn(self) -> None:
        self._turn_is_over = False
        if not self.transport.is_closing():
            if not (self.read_paused or self._in_rounds):
                self.transport.resume_reading()
            self.read_now()

    def _read_unusual(self, frame: bytes) -> None:
        is_data = frame[0] & 0x0F <= 2
        if is_data:
            self._in_fragments = not frame[0] & 0x80
        if not self.transport.is_closing():  # it may have to be answered
            super().data_received(frame)

    def send_receive_event_to_app(self) -> None:
        """A message that came through the library."""
        if self._take is None:
            super().send_receive_event_to_app()
            return
        data = b"".join(self.frames)
        self.frames = []
        if self.curr_msg_data_type == "bytes":
            self._tell(data)
        else:
            self._read_text(data)

    def _read_text(self, payload: bytes) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            if self.conn.state is State.OPEN:
                self.conn.send_close(1007)
                self.handle_parser_exception()
        else:
            self._tell(text)

    def _tell(self, message: str | bytes) -> None:
        assert self._take is not None
        if self.conn.state is not State.OPEN:
            return  # one side has closed: what comes now is void
        try:
            self._take(message)
        except Exception as error:
            self._broke(error)

    def _broke(self, error: Exception) -> None:
        """A bug in the call: it ends there, not here."""
        self._take, self._settle = _drop, _nothing
        if not self._gone.done():
            self._gone.set_exception(error)

    def handle_close(self, event: Any) -> None:
        super().handle_close(event)
        self._is_gone()

    def handle_parser_exception(self) -> None:
        super().handle_parser_exception()
        self._is_gone()

    def eof_received(self) -> None:
        self.read_now()  # what waits for its round must not be lost with the connection

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        try:
            self.read_now()
        finally:
            self._is_gone()

    def shutdown(self) -> None:
        super().shutdown()
        self._is_gone()

    def _is_gone(self) -> None:
        if self._take is not None and not self._gone.done():
            self._take, self._settle = _drop, _nothing
            self._gone.set_result(None)


def fast_lane(websocket: WebSocket) -> ImpatientSockets | None:
    """The fast lane of a socket, if the server that runs us offers one."""
    offered = websocket.scope.get("extensions", {}).get(FAST_LANE)
    return offered["socket"] if offered else None


def _drop(message: str | bytes) -> None:
    """Nobody listens any more."""


def _nothing() -> None:
    """Nor is there anything to do."""


def _measure(data: bytes, at: int, max_size: int) -> tuple[int, int]:
    """The sizes of head, with its mask, and payload of the frame at ``at``; (0, 0) if the head is
    not all there yet.

    What is too long, or not masked as a client's frame must be, is (2, all that is there): the
    library shall see it at once and refuse it.
    """
    there = len(data) - at
    if there < 2:
        return 0, 0
    second = data[at + 1]
    size, head = second & 0x7F, 6
    if size == _EXTENDED_16:
        head = 8
    elif size == _EXTENDED_64:
        head = 14
    if there < head - 4:
        return 0, 0
    if head > 6:
        size = int.from_bytes(data[at + 2 : at + head - 4], "big")
    if size > max_size or not second & _MASKED:
        return 2, there - 2
    return head, size
