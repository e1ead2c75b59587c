"""At what pace a brain's text becomes phrases: in whole sentences, and in time for the voice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from itertools import pairwise

import pytest

from services.call.effects import Purpose, StartReply, Turn
from services.engines.guard import Guard
from services.engines.phrase_feed import GATHER_S
from services.engines.speech import Speech
from services.llm import BrainEvent, UseTool
from tests.desks import FakeDesk, message
from tests.engines.studio import ASKED, SPEAK_S, ScriptedBrain, Studio, play


def streaming(text: str, every_s: float) -> tuple[Studio, list[float]]:
    """A brain whose words come every so often, wherever it is asked for them; when it was asked."""
    asked: list[float] = []
    tokens = [f"{word} " for word in text.split()]

    class Stream(ScriptedBrain):
        async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
            loop, given = asyncio.get_running_loop(), 0
            while given < len(tokens):
                asked.append(loop.time())
                await asyncio.sleep(max(0.0, (given + 1) * every_s - loop.time()))
                come = int(loop.time() / every_s + 1e-6)
                piled_up = "".join(tokens[given:come])
                given = come
                yield piled_up

    studio = Studio()
    studio.engine._brain = Stream(())
    return studio, asked


LONG = "We are open from nine to five today. " + "We are closed on every Sunday. " * 6


def test_while_there_is_enough_to_say_tokens_pile_up() -> None:
    async def work() -> None:
        every_s = 1 / 64
        studio, asked = streaming(LONG, every_s)
        await studio.reply()
        assert " ".join(studio.told.texts) == LONG.strip()
        first_at = studio.told.said[0][0]
        assert first_at == pytest.approx(8 * every_s + SPEAK_S)  # "... today. "
        assert len(asked) < 8 + 2 * (len(LONG.split()) * every_s) / GATHER_S + 2

    play(work)


@pytest.mark.parametrize("every_s", [0.3, 0.5, 0.9])
def test_a_brain_that_is_slower_than_the_voice_is_spoken_in_parts(every_s: float) -> None:
    """Rather than not at all: after eight seconds the call gives a silent reply up."""
    text = "We will be very happy to help you with that on any of the coming weekdays this month."

    async def work() -> None:
        studio, _ = streaming(text, every_s)
        await studio.reply()
        assert " ".join(studio.told.texts) == text
        at = [at for at, _ in studio.told.said]
        assert at[0] <= max(1.5 + 2 * every_s, 4 * every_s) + SPEAK_S + 0.01
        gaps = [later - earlier for earlier, later in pairwise(at)]
        assert max(gaps) < 3.5 + 2 * every_s  # what three words last, and a little

    play(work)


def test_after_a_tool_has_worked_long_a_brain_of_usual_speed_is_spoken_in_sentences() -> None:
    told = [
        "We have an opening at half past nine on Monday morning with Doctor Smith.",
        "If that is too early we could also offer you the same time on the next day.",
        "Which of them do you like better?",
    ]

    async def work() -> None:
        words = [item for word in " ".join(told).split() for item in (f"{word} ", 1 / 15)]
        studio = Studio("One moment. ", UseTool(message()), *words, desk=FakeDesk(takes_s=6))
        studio.engine.commit(1)
        await studio.reply()
        assert studio.told.texts == ["One moment.", *told]

    play(work)


def test_what_has_piled_up_in_pieces_comes_at_once() -> None:
    """However a transport cuts it: a tool that is wanted after it must not wait for each piece."""

    class Buffered(ScriptedBrain):
        async def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
            for word in LONG.split():
                yield f"{word} "

    async def work() -> None:
        studio, loop = Studio(), asyncio.get_running_loop()
        studio.engine._brain = Buffered(())
        speech, began = Speech(1, studio.told.emit, Guard(())), loop.time()
        await studio.engine._think(StartReply(1, Purpose.ANSWER, ASKED), speech)
        assert loop.time() - began <= GATHER_S

    play(work)


def test_a_slow_answer_is_read_token_by_token_when_its_words_run_out() -> None:
    async def work() -> None:
        every_s = 0.5
        studio, asked = streaming(LONG, every_s)
        await studio.reply()
        at_once = [every_s * n for n in range(len(LONG.split()))]
        assert asked == pytest.approx(at_once, abs=GATHER_S + 0.001)

    play(work)
