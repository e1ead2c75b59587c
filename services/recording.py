"""The recording of a streamed call: both sides in one file, on the carrier's clock.

The caller's frames are the clock: 20 ms each, without holes (see ``audio.placement``). What the
agent sends is put where the carrier plays it: at the present moment, or behind what is still being
played; what a ``clear`` threw away was never heard and is not in the file. Only the future of the
agent's side is kept in memory; each second of the past goes to the disk in a thread.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
from pathlib import Path

import numpy as np

from services.audio.mulaw import RATE_HZ, SILENCE
from services.audio.wav import HEADER_BYTES, mulaw_header

log = logging.getLogger(__name__)

WRITE_BYTES = RATE_HZ
"""So much of each side is written at a time: a second."""
_QUIET = SILENCE[:1]


class TapeWriter:
    """Writes the tapes of all calls, in one thread. WAV: mu-law 8 kHz, left the caller, right the
    agent; readable for their owner only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._work: queue.SimpleQueue[tuple[Tape, bytes, bytes] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recordings", daemon=True)
        self._thread.start()

    def open(self, name: str) -> Tape:
        """A tape in the file ``name``, which is made with the first second of sound."""
        return Tape(self, self.folder / name)

    def put(self, tape: Tape, caller: bytes, agent: bytes) -> None:
        """Have a stretch written, equally long on both sides. Never blocks."""
        self._work.put((tape, caller, agent))

    def close(self) -> None:
        """Write what is left, then stop."""
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            tape, caller, agent = item
            try:
                tape.write(caller, agent)
            except OSError as error:  # a full disk must not end a call
                if not tape.failed:
                    log.error("recording %s cannot be written: %s", tape.path.name, error.strerror)
                tape.failed = True


class Tape:
    """The recording of one call. ``caller``, ``agent``, ``clear`` and ``end`` never block."""

    def __init__(self, writer: TapeWriter, path: Path) -> None:
        self.path = path
        self.failed = False
        self._writer = writer
        self._caller = bytearray()  # not handed to the writer yet
        self._agent = bytearray()  # from the same moment on, into the future
        self._written = 0

    def caller(self, frame: bytes) -> None:
        """The caller's next frame: the clock goes on by its length."""
        self._caller += frame
        if len(self._caller) >= WRITE_BYTES:
            self._hand_over()

    def agent(self, audio: bytes) -> None:
        """Audio that was handed to the carrier just now."""
        missing = len(self._caller) - len(self._agent)
        if missing > 0:
            self._agent += _QUIET * missing
        self._agent += audio

    def clear(self) -> None:
        """The carrier threw away what it has not played."""
        del self._agent[len(self._caller) :]

    def end(self) -> None:
        """The call is over: what the carrier has not played will not be heard."""
        self.clear()
        self._hand_over()

    def _hand_over(self) -> None:
        """Have the past written; the agent's future stays."""
        size = len(self._caller)
        caller, agent = bytes(self._caller[:size]), bytes(self._agent[:size])
        del self._caller[:size], self._agent[:size]
        self._writer.put(self, caller, agent.ljust(size, _QUIET))

    def write(self, caller: bytes, agent: bytes) -> None:
        """Append to the file, in the writer's thread. The header is made true each time, so that a
        crash leaves a file that can be played."""
        if self.failed or not caller:
            return  # a call without a sound has no recording
        sides = np.frombuffer(caller, np.uint8), np.frombuffer(agent, np.uint8)
        with open(self.path, "r+b" if self._written else "wb", opener=_private) as file:
            file.seek(HEADER_BYTES + self._written)
            file.write(np.stack(sides, axis=1).tobytes())
            self._written += 2 * len(caller)
            file.seek(0)
            file.write(mulaw_header(self._written, channels=2))


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
