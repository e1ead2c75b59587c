"""What an eager reply may do before its turn is over: speak into the dark, and nothing else."""

from __future__ import annotations

import asyncio
import random

from services.call.effects import Purpose, StartReply
from services.call.events import (
    AfterReply,
    AnswerExpected,
    AudioProduced,
    ReplyFinished,
)
from services.call.words.readiness import Expectation
from services.engines.cascade import Lines
from services.llm import Asks, BrainEvent, EndCall, Line, UseTool
from tests.desks import message
from tests.engines.studio import ASKED, Studio, play

MESSAGE = UseTool(message())
EAGER = StartReply(7, Purpose.ANSWER, ASKED, is_eager=True)


def begin(studio: Studio) -> asyncio.Task[None]:
    return asyncio.create_task(studio.engine.reply(EAGER, studio.told.emit))


async def cancel(replying: asyncio.Task[None]) -> None:
    replying.cancel()
    await asyncio.wait({replying})


def test_a_message_is_kept_only_once_the_turn_is_over() -> None:
    async def work() -> None:
        studio = Studio("Thank you. ", MESSAGE, "Anything else?")
        replying = begin(studio)
        await asyncio.sleep(5)
        assert studio.told.all(AudioProduced), "what is said goes on"
        assert not studio.desk.asked
        assert not studio.told.all(ReplyFinished)
        studio.engine.commit(7)
        await replying
        assert studio.desk.done == [message()]
        assert studio.told.events[-1][1] == ReplyFinished(7, AfterReply.LISTEN)

    play(work)


def test_a_message_of_a_reply_that_was_dropped_is_never_kept() -> None:
    async def work() -> None:
        studio = Studio("Thank you. ", MESSAGE, EndCall())
        replying = begin(studio)
        await asyncio.sleep(1)
        await cancel(replying)
        studio.engine.commit(8)  # the next one
        await asyncio.sleep(5)
        assert not studio.desk.asked
        assert not studio.told.all(ReplyFinished)
        assert not studio.brain.is_open

    play(work)


def test_a_goodbye_ends_the_call_only_once_the_turn_is_over() -> None:
    async def work() -> None:
        studio = Studio("Goodbye!", EndCall())
        replying = begin(studio)
        await asyncio.sleep(5)
        assert not studio.told.all(ReplyFinished)
        studio.engine.commit(7)
        await replying
        assert studio.told.events[-1][1] == ReplyFinished(7, AfterReply.HANG_UP)

    play(work)


def test_a_reply_that_only_talks_is_finished_before_that() -> None:
    async def work() -> None:
        studio = Studio(Asks(Expectation.PHONE), "What number can we reach you on?")
        await begin(studio)
        assert studio.told.events[0][1] == AnswerExpected(7, Expectation.PHONE)
        assert studio.told.events[-1][1] == ReplyFinished(7)

    play(work)


def test_the_commit_of_another_reply_commits_nothing() -> None:
    async def work() -> None:
        studio = Studio(MESSAGE)
        replying = begin(studio)
        studio.engine.commit(6)
        await asyncio.sleep(1)
        assert not studio.desk.asked
        await cancel(replying)

    play(work)


def test_a_reply_to_a_turn_that_is_over_waits_for_nothing() -> None:
    async def work() -> None:
        studio = Studio(MESSAGE, EndCall())
        await studio.reply()
        assert studio.desk.done == [message()]
        assert studio.told.events[-1] == (0.0, ReplyFinished(1, AfterReply.HANG_UP))

    play(work)


def test_a_sentence_that_may_not_be_interrupted_is_marked_as_such() -> None:
    async def work() -> None:
        studio = Studio("This call is ", "recorded. How can ", "I help you today?")
        lines = Lines(studio.lines.by_purpose, uninterruptible=("This call is recorded.",))
        studio.engine._lines = lines
        await studio.reply()
        said = [(event.text, event.is_guarded) for event in studio.told.all(AudioProduced)]
        assert said == [("This call is recorded.", True), ("How can I help you today?", False)]

    play(work)


ITEMS: list[BrainEvent | float | Exception] = [
    *("One sentence to say. ", "Another one. ", 0.3, 1.0),
    *(MESSAGE, EndCall(), Asks(Expectation.NAME), Line("A whole line.")),
]


def test_whatever_a_brain_gives_nothing_is_done_before_the_commit_and_all_after_it() -> None:
    async def work() -> None:
        for seed in range(300):
            await one_reply(random.Random(seed))

    play(work)


async def one_reply(source: random.Random) -> None:
    """A random answer, which is committed or dropped after a random time."""
    script = [source.choice(ITEMS) for _ in range(source.randint(1, 6))]
    studio = Studio(*script)
    replying = begin(studio)
    await asyncio.sleep(source.choice([0.0, 0.2, 0.7, 3.0]))
    assert not studio.desk.asked, script
    assert not ends_call(studio), script
    if is_dropped := source.random() < 0.5:
        await cancel(replying)
        await asyncio.sleep(5)
    else:
        studio.engine.commit(7)
        await replying
    kept = not is_dropped and MESSAGE in script
    assert len(studio.desk.asked) == kept, script
    assert bool(ends_call(studio)) == (not is_dropped and EndCall() in script), script


def ends_call(studio: Studio) -> list[ReplyFinished]:
    finished: list[ReplyFinished] = studio.told.all(ReplyFinished)
    return [event for event in finished if event.then is AfterReply.HANG_UP]
