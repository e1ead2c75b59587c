"""WebSocket frames of a client that must cost nothing (RFC 6455), without extensions.

The masking key is zero: legal, and the payload is its own masked form.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA

_FIN, _MASKED = 0x80, 0x80
_LONGEST_SHORT, _LENGTH_16, _LENGTH_64 = 125, 126, 127
_NO_MASK = bytes(4)


class NotAFrame(Exception):
    """What came is not what a server sends that was offered no extension."""


def frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """One whole message, masked with zeros; at most 65,535 bytes of payload."""
    size = len(payload)
    if size <= _LONGEST_SHORT:
        head = bytes((_FIN | opcode, _MASKED | size))
    else:
        head = struct.pack(">BBH", _FIN | opcode, _MASKED | _LENGTH_16, size)
    return head + _NO_MASK + payload


class Frames:
    """Bytes of a server into the payloads of its frames."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Opcode and payload of each frame that is complete now. Raises NotAFrame."""
        buffer = self._buffer + data if self._buffer else data
        at, end = 0, len(buffer)
        while at + 2 <= end:
            first, size = buffer[at], buffer[at + 1]
            if not first & _FIN or first & 0x70 or size & _MASKED:
                raise NotAFrame(f"a frame that begins with {buffer[at : at + 2].hex()}")
            begin = at + 2
            if size == _LENGTH_16:
                begin += 2
                size = int.from_bytes(buffer[at + 2 : begin]) if begin <= end else end
            elif size == _LENGTH_64:
                begin += 8
                size = int.from_bytes(buffer[at + 2 : begin]) if begin <= end else end
            if begin + size > end:
                break
            yield first & 0x0F, buffer[begin : begin + size]
            at = begin + size
        self._buffer = buffer[at:]
