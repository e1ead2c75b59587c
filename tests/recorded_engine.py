"""A stand-in engine and recogniser for calls that are held turn by turn."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from services.audio.mulaw import SILENCE
from services.call.effects import Purpose, StartReply, Turn
from services.call.events import AfterReply, AudioProduced, FillerReady, ReplyFinished
from services.engines import Emit
from services.stt.turn_audio import Piece


class FakeEngine:
    """Says its purpose's name, or the next of the given answers, ``answer_s`` later."""

    def __init__(self, *answers: str | Exception | AfterReply, answer_s: float = 0.5) -> None:
        self.answers = list(answers)
        self.answer_s = answer_s
        self.asked: list[StartReply] = []
        self.finished: list[tuple[Turn, ...]] = []
        self.is_running = False
        self.turns = 0

    async def run(self, emit: Emit) -> None:
        self.is_running = True
        try:
            await asyncio.Event().wait()
        finally:
            self.is_running = False

    async def reply(self, request: StartReply, emit: Emit) -> None:
        self.asked.append(request)
        await asyncio.sleep(self.answer_s)
        is_answer = request.purpose is Purpose.ANSWER
        answer = self.answers.pop(0) if is_answer else request.purpose.value
        if isinstance(answer, Exception):
            raise answer
        then = answer if isinstance(answer, AfterReply) else AfterReply.LISTEN
        text = then.value if isinstance(answer, AfterReply) else answer
        for word in text.split():
            emit(AudioProduced(request.reply, SILENCE * 10, word))
        emit(ReplyFinished(request.reply, then))

    def filler(self, reply: int) -> FillerReady | None:
        return FillerReady(reply, SILENCE * 20, "moment")

    def turn_committed(self) -> None:
        self.turns += 1

    async def finish(self, turns: tuple[Turn, ...]) -> None:
        self.finished.append(turns)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a recorded call does not use {name}")


class FakeWords:
    """Hears the given texts, one for each recording."""

    name = "words"
    idle = False

    def __init__(self, *texts: str | Exception) -> None:
        self._texts = list(texts)

    async def words(self, pieces: Sequence[Piece]) -> str:
        assert all(piece.audio for piece in pieces)
        text = self._texts.pop(0)
        if isinstance(text, Exception):
            raise text
        return text
