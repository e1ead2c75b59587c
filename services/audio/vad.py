"""Voice activity: how much voice ends with this frame?

Two detectors in a row. WebRTC's takes 2 us a frame and hears every voice, but also much that is
none. Silero's network tells the two apart even in noise, for 45 us or more every 32 ms; it runs
only while WebRTC's gate is open and a little longer, so that a silent line costs next to nothing.
Where Silero's weights are missing, WebRTC decides alone, in its strictest mode.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

import webrtcvad

from services.audio.mulaw import FRAME_MS, RATE_HZ, decode_pcm
from services.audio.silero import CONTEXT_SAMPLES, WINDOW_SAMPLES, Asked, Silero, State

GATE_MODE = 1
"""WebRTC's mode as a gate. It opens before soft first sounds, where mode 2 opens 40 ms later; noise
holds it open, which costs only Silero's time."""
ALONE_MODE = 3
"""WebRTC's mode without Silero: the only one that common noise does not hold open."""
ALONE_MS = 140
"""Voice before WebRTC alone is believed: it makes 80 ms of a click, 120 of a burst of 40."""

CONFIRM = 0.4
"""Probability at which Silero's windows become voice: the true start is about 60 ms ago by then."""
RELEASE = 0.3
"""Probability below which they are voice no longer."""
LAG_MS = 60
"""How far Silero is behind the voice (median of 36 human prompts at 10 dB SNR up to clean)."""

_is_speech = webrtcvad._webrtcvad.process
"""What ``Vad.is_speech`` calls, after checks that cost as much as the work."""

_FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
_SAMPLE_BYTES = 2
_WINDOW_BYTES = WINDOW_SAMPLES * _SAMPLE_BYTES
_CONTEXT_BYTES = CONTEXT_SAMPLES * _SAMPLE_BYTES
_PREROLL_BYTES = _CONTEXT_BYTES + 6 * _WINDOW_BYTES
"""What Silero is fed when the gate opens: cold, it hears the first voice 20-40 ms later."""
_LINGER_FRAMES = 15
"""How long Silero goes on after the gate has closed."""


class Vad(Protocol):
    """The detector of one call."""

    def hear(self, frame: bytes) -> int:
        """The voice that lasts until the end of this frame (160 bytes of mu-law), in ms; 0 if none.

        It grows by 20 a frame. The first value of a stretch holds more: certainty takes time.
        """

    def hear_soon(self, frame: bytes) -> None:
        """This very frame is to be heard, after those that were announced before it: begin what is
        done for several calls together. Need not be called."""


class WebRtcVad:
    """WebRTC's detector alone. It is late for a barge-in, and lasting noise is voice to it."""

    def __init__(self, mode: int = ALONE_MODE) -> None:
        self._vad = webrtcvad.Vad(mode)
        self._voice_ms = 0

    def hear(self, frame: bytes) -> int:
        voice = self._vad.is_speech(decode_pcm(frame), RATE_HZ)
        self._voice_ms = self._voice_ms + FRAME_MS if voice else 0
        return self._voice_ms if self._voice_ms >= ALONE_MS else 0

    def hear_soon(self, frame: bytes) -> None:
        """There is nothing of the kind."""


@dataclass(slots=True)
class _Passed:
    """A frame that the gate knows. ``windows``: those that end with it; None: the gate is shut."""

    opens: bool
    windows: list[Asked] | None


class GatedVad:
    """WebRTC's gate with Silero behind it."""

    def __init__(self, silero: Silero, mode: int = GATE_MODE) -> None:
        self._silero = silero
        self._gate = webrtcvad.Vad(mode)._vad
        self._pcm = bytes(_PREROLL_BYTES)  # gate shut: the last of the line; open: not yet a window
        self._before: State | Asked = silero.start()
        self._frames_left = 0  # of Silero's running; 0: the gate is shut
        self._passed: deque[_Passed] = deque()
        self._open_ms = 0
        self._voice_ms = 0

    def hear_soon(self, frame: bytes) -> None:
        pcm = decode_pcm(frame)
        self._pcm += pcm
        opens = False
        if _is_speech(self._gate, RATE_HZ, pcm, _FRAME_SAMPLES):
            opens = not self._frames_left
            self._frames_left = _LINGER_FRAMES
        elif self._frames_left:
            self._frames_left -= 1
        if not self._frames_left:
            self._pcm = self._pcm[-_PREROLL_BYTES:]
            self._passed.append(_SHUT)
            return
        if opens:
            self._pcm = self._pcm[-_PREROLL_BYTES:]
            self._before = self._silero.start()
        windows = []
        while len(self._pcm) >= _CONTEXT_BYTES + _WINDOW_BYTES:
            window = self._pcm[: _CONTEXT_BYTES + _WINDOW_BYTES]
            self._before = asked = self._silero.ask(window, self._before)
            windows.append(asked)
            self._pcm = self._pcm[_WINDOW_BYTES:]
        self._passed.append(_Passed(opens, windows))

    def hear(self, frame: bytes) -> int:
        if not self._passed:
            self.hear_soon(frame)
        passed = self._passed.popleft()
        if passed.windows is None:
            self._voice_ms = 0
            return 0
        if passed.opens:
            self._open_ms = 0
        self._open_ms += FRAME_MS
        if self._voice_ms:
            self._voice_ms += FRAME_MS
        for asked in passed.windows:
            probability, state = self._silero.answer(asked)
            if asked is self._before:
                self._before = state  # nothing is kept of the windows before it
            self._judge(probability)
        return self._voice_ms

    def _judge(self, probability: float) -> None:
        if probability < RELEASE:
            self._voice_ms = 0
        elif probability > CONFIRM and not self._voice_ms:
            self._voice_ms = min(self._open_ms, LAG_MS)


_SHUT = _Passed(opens=False, windows=None)


def make_vad(silero: Silero | None, mode: int = GATE_MODE) -> Vad:
    """The detector for one call; ``mode`` is the gate's and counts only with Silero behind it."""
    return GatedVad(silero, mode) if silero else WebRtcVad(ALONE_MODE)
