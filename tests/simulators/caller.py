"""The caller: performs a script on an open media stream."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tests.simulators.record import Clip
from tests.simulators.script import (
    BargeIn,
    ExpectHangUp,
    HangUp,
    PlayWav,
    PressKeys,
    Say,
    Script,
    SendRaw,
    Utterance,
    Wait,
    WaitAgent,
)
from tests.simulators.stream import MediaStream, StreamEnded

KEY_INTERVAL_MS = 200


class ScriptFailed(Exception):
    """The call did not go as the script says; the text says where and why."""


class Caller:
    """One caller on one stream. ``clips`` holds everything that will be spoken."""

    def __init__(self, stream: MediaStream, clips: Mapping[Utterance, Clip]) -> None:
        self._stream = stream
        self._clips = clips
        self._acted_ms = 0.0  # the end of the last thing that the agent could answer

    async def perform(self, script: Script) -> None:
        """Do everything in order. Raises ScriptFailed."""
        for index, action in enumerate(script):
            try:
                await self._do(action)
            except StreamEnded:
                following = script[index + 1] if index + 1 < len(script) else None
                if isinstance(action, WaitAgent) and isinstance(following, ExpectHangUp):
                    continue  # a server hangs up at once when its goodbye was played
                raise ScriptFailed(f"the server ended the call during {action}") from None

    async def _do(self, action: object) -> None:
        stream = self._stream
        match action:
            case Say() | PlayWav():
                await self._speak(action, None)
            case BargeIn(after_ms, utterance, timeout_s):
                begin = await self._agent_audible(timeout_s)
                await stream.until(begin + after_ms)
                await self._speak(utterance, begin + after_ms)
            case PressKeys(digits):
                for digit in digits:
                    await stream.press(digit)
                    await stream.until(stream.now_ms + KEY_INTERVAL_MS)
                self._acted_ms = stream.now_ms
            case Wait(seconds):
                await stream.until(stream.now_ms + seconds * 1000)
            case WaitAgent(silence_ms, timeout_s):
                await self._agent_finished(silence_ms, timeout_s)
            case SendRaw(message):
                await stream.send(message)
            case HangUp(mode):
                await stream.hang_up(mode)
            case ExpectHangUp(timeout_s):
                await self._server_hangs_up(timeout_s)
            case _:
                raise TypeError(f"not an action: {action!r}")

    async def _speak(self, utterance: Utterance, at_ms: float | None) -> None:
        spoken = self._stream.speak(self._clips[utterance], at_ms)
        await self._stream.until(spoken.end_ms)
        self._acted_ms = spoken.end_ms

    async def _agent_audible(self, timeout_s: float) -> float:
        """When the agent's present speech began; if it is silent, wait for its next."""
        stream = self._stream
        deadline = stream.now_ms + timeout_s * 1000
        while stream.now_ms < deadline:
            speech = stream.playback.speech
            if speech is not None and speech.end_ms > stream.now_ms:
                return speech.start_ms
            await stream.changed(deadline)
        raise ScriptFailed(f"barge-in: the agent was not audible within {timeout_s:g} s")

    async def _agent_finished(self, silence_ms: float, timeout_s: float) -> None:
        stream = self._stream
        deadline = stream.now_ms + timeout_s * 1000
        while stream.now_ms < deadline:
            finished = math.inf
            speech = stream.playback.speech
            if speech is not None and speech.end_ms > self._acted_ms:
                finished = speech.end_ms + silence_ms
            if finished <= stream.now_ms and stream.playback.next_mark_ms is None:
                self._acted_ms = stream.now_ms
                return
            # Once the silence is long enough, only an echo can be missing: that is a change, too.
            await stream.changed(min(deadline, finished) if finished > stream.now_ms else deadline)
        heard = "did not finish" if self._spoke() else "said nothing"
        raise ScriptFailed(f"wait-agent: the agent {heard} within {timeout_s:g} s")

    def _spoke(self) -> bool:
        speech = self._stream.playback.speech
        return speech is not None and speech.end_ms > self._acted_ms

    async def _server_hangs_up(self, timeout_s: float) -> None:
        try:
            await self._stream.ended(timeout_s)
        except TimeoutError:
            raise ScriptFailed(
                f"expect-hangup: the server did not end the call within {timeout_s:g} s"
            ) from None
