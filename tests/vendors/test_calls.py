"""Whole calls on the three simulated vendors: what is heard, what is kept, what is left behind."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from services.call import events as on
from services.call.effects import ClearPlayback, StartReply
from services.call.timings import Timings
from services.replay import replay
from tests.simulators.vendors.__main__ import vendor_steps
from tests.simulators.vendors.openai import Reply, ToolCall
from tests.vendors.calls import Call, World, on_virtual_time, own_tasks, vendors

PATIENT = Timings(idle_ms=10_000_000, max_call_s=3600)
"""For calls in which long silences are what is tried."""
TAKEN = {"name": "Anna", "number": "5551234567", "message": "Please call me back."}
QUESTIONS = (
    "What are your hours on Friday?",
    "Please tell Maria to call Anna back at 5551234567.",
    "No, that is all. Goodbye.",
)
ANSWERS: Sequence[Reply] = (
    "On Friday, we are open from eight to two.",
    ["One second. ", ToolCall("take_message", TAKEN)],
    "I have noted that. Anything else?",
    ["Thank you for calling. Goodbye.", ToolCall("end_call", "{}")],
)


def of(vendor: str, steps: list[str]) -> list[str]:
    """The steps of one vendor; how many tokens there were is left out."""
    named = [step.removeprefix(f"{vendor} ") for step in steps if step.startswith(vendor)]
    return [re.sub(r"\d+\+\d+", "some", step) for step in named]


# --- one call -------------------------------------------------------------------------------------


@on_virtual_time
async def test_a_call_with_a_question_a_message_and_a_goodbye(folder: Path) -> None:
    async with vendors(folder, QUESTIONS, ANSWERS) as world, world.call() as call:
        await call.agent_is_done()
        await call.ask("hours")
        await call.ask("please-try-call-later")
        await call.say("vm-goodbye")
        await call.until(call.task.done)
        assert call.hung_up == ["goodbye"]
        assert call.desk.messages == [{**TAKEN, "urgent": "no", "complete": "yes"}]
    greeting, *talk = call.history
    assert greeting.startswith("Thanks for calling")
    assert talk == [
        QUESTIONS[0],
        "On Friday, we are open from eight to two.",
        QUESTIONS[1],
        "One second. I have noted that. Anything else?",
        QUESTIONS[2],
        "Thank you for calling. Goodbye.",
    ]
    assert [text.strip() for text in call.said()] == call.history[::2]
    assert call.failures == []
    check_steps(call)
    journal = call.journal_file.read_text().splitlines()
    count, differences = replay(journal)
    assert (count, differences) == (len(call.entries), [])


def check_steps(call: Call) -> None:
    """Every vendor step is in the journal, in the order in which it must be."""
    spoken = ["context opened", "first audio", "final", "context closed"]
    asked = ["request gpt-5.4-mini", "first token", "usage some tokens", "done"]
    assert of("deepgram", call.steps()) == ["connected", *["finalize", "final words"] * 3]
    assert of("elevenlabs", call.steps()) == ["connected", *spoken * 3]
    for reply, requests in (2, 1), (3, 2), (4, 1):
        steps = call.steps(reply)
        assert of("elevenlabs", steps) == spoken
        assert of("openai", steps) == asked * requests
        assert steps[0].startswith("openai request")
        assert steps.index("openai first token") < steps.index("elevenlabs context opened")
        assert steps[-1] == "elevenlabs context closed"
    told = vendor_steps(call.journal_file)
    assert [line.split(" s  ")[1].split()[0] for line in told] == [
        step.split()[0] for step in call.steps()
    ]
    times = [float(line.split(" s ")[0]) for line in told]
    assert times == sorted(times)


@on_virtual_time
async def test_after_an_interruption_the_model_is_given_only_what_was_heard(folder: Path) -> None:
    long = "We are open on weekdays from eight to five, and on Saturday from nine to one."
    asked = ["When are you open?", "And where are you?"]
    async with vendors(folder, asked, [long, "At Market Street."]) as world, world.call() as call:
        await call.agent_is_done()
        await call.say("hours")
        await call.agent_speaks()
        await call.listen(1500)
        await call.ask("location")
        played = call.said()[-2]
        heard = call.history[2]
        assert long.startswith(heard)
        assert 3 <= len(heard.split()) < len(long.split())
        # A word counts once it was heard to its end.
        assert heard.split() in (played.split(), played.split()[:-1])
        messages = world.openai.entries("request")[-1].detail["messages"]
        talk = [(message["role"], message["content"]) for message in messages[-3:]]
        *before, (role, content) = talk
        assert before == [("user", asked[0]), ("assistant", heard)]
        assert (role, content[-len(asked[1]) :]) == ("user", asked[1])
        assert f"they did not hear: “{long[len(heard) + 1 :]}”" in content
        assert call.history[3:] == [asked[1], "At Market Street."]
        assert "elevenlabs context closed" in call.steps(2)


# --- a long call ----------------------------------------------------------------------------------


async def talk_of_ten_minutes(folder: Path, *, frames: bool) -> None:
    """A question every half minute or so, and three minutes of silence in the middle."""
    hears = [f"Question number {number}?" for number in range(100)]
    answers = [f"This is answer number {number}, as you wished." for number in range(100)]
    async with vendors(folder, hears, answers, PATIENT) as world:
        async with world.call() as call:
            await call.agent_is_done()
            clock, asked = call.phone.loop.time, 0
            while clock() - call.began < 600:
                await call.ask("hours")
                asked += 1
                if asked == 7:
                    await (call.listen(180_000, burst=10) if frames else call.no_frames(180_000))
                await call.listen(25_000, burst=10)
            assert clock() - call.began >= 600
            assert call.failures == []
            assert len(call.waits_ms) == asked > 12
            assert max(call.waits_ms) - min(call.waits_ms) <= 50
            connected = sorted(step for step in call.steps() if "connect" in step)
            assert connected == ["deepgram connected", "elevenlabs connected"]
            assert call.history[-2:] == [hears[asked - 1], answers[asked - 1]]
        check_sockets(world, frames=frames)


def check_sockets(world: World, *, frames: bool) -> None:
    """One socket at each vendor from the start to the end, kept awake, closed as they like it. The
    server's start tries another, and closes it at once."""
    for vendor in world.deepgram, world.elevenlabs:
        (tried, opened), (given_up, closed) = vendor.entries("connected"), vendor.entries("closed")
        assert given_up.link == tried.link
        assert given_up.at < opened.at
        assert closed.at - opened.at > 600
        assert closed.detail["code"] in {1000, 1005}
    assert len(world.elevenlabs.entries("keepalive")) >= 180 // 20
    assert frames or len(world.deepgram.entries("keepalive")) >= 180 // 5
    assert set(world.elevenlabs.most_contexts.values()) == {1}
    assert len(world.elevenlabs.entries("final")) == len(world.elevenlabs.entries("context opened"))
    assert closed.detail["contexts"] == 0


@on_virtual_time
async def test_a_long_call_keeps_its_sockets_through_a_long_silence(folder: Path) -> None:
    await talk_of_ten_minutes(folder, frames=True)


@on_virtual_time
async def test_a_carrier_that_sends_nothing_during_silence_costs_no_socket(folder: Path) -> None:
    await talk_of_ten_minutes(folder, frames=False)


# --- barge-ins ------------------------------------------------------------------------------------

NAMES = [
    "alpha",
    "bravo",
    "delta",
    "hotel",
    "india",
    "oscar",
    "romeo",
    "tango",
    "apple",
    "bread",
    "chair",
    "dance",
    "eagle",
    "flame",
    "grape",
    "horse",
    "lemon",
    "mango",
    "night",
    "ocean",
    "pearl",
]
"""Of equal length, so that each answer's first sentence takes the model as long."""


async def twenty_barge_ins(folder: Path, speed: float) -> None:
    """``speed``: how fast the voice is made, in real times; it is made to its end in any case."""
    hears = [f"Tell me about {name}." for name in NAMES]
    answers = [". ".join([" ".join([name] * 8)] * 6) + "." for name in NAMES]
    voice = {"elevenlabs": {"speed": speed}}
    async with vendors(folder, hears, answers, simulated=voice) as world, world.call() as call:
        await call.agent_is_done()
        began = call.phone.loop.time()
        for _ in NAMES[:-1]:
            await call.say("hello")
            await call.agent_speaks()
            await call.listen(700)
        assert call.phone.loop.time() - began <= 60
        await call.say("hello")
        await call.agent_speaks()
        await call.listen(3000)
        assert len(call.effects(ClearPlayback)) == len(NAMES) - 1
        spoken = [set(re.findall("[a-z]+", text.lower())) for text in call.said()[1:]]
        whole = [words & set(NAMES) for words in spoken]  # the last word of each may be cut
        assert whole == [{name} for name in NAMES]
        assert len(call.waits_ms) == len(NAMES)
        assert max(call.waits_ms) <= median(call.waits_ms) + 50
        assert call.failures == []
        assert max(world.elevenlabs.most_contexts.values()) <= 4


@on_virtual_time
async def test_twenty_barge_ins_within_a_minute(folder: Path) -> None:
    await twenty_barge_ins(folder, speed=20)


@on_virtual_time
async def test_twenty_barge_ins_while_the_voice_goes_on_with_what_nobody_hears(
    folder: Path,
) -> None:
    await twenty_barge_ins(folder, speed=1.2)


# --- many calls -----------------------------------------------------------------------------------


@on_virtual_time
async def test_two_hundred_calls_leave_nothing_behind(folder: Path) -> None:
    def answer(messages: list[dict[str, Any]]) -> str:
        return "We are open on Friday from eight to two. On Saturday from nine to one."

    async with vendors(folder, ["Are you open?"], answer) as world:
        shared = world.server.engines._shared
        for number in range(200):
            async with world.call() as call:
                await call.listen(200, burst=5)
                if number % 2:
                    await call.say("hello", burst=5)
                    silence_ms = 300 * (number % 8)  # it waits, thinks or speaks
                    await call.listen(silence_ms, burst=5)
            assert call.failures == []
            if number == 20:
                tasks, breakers = len(own_tasks()), len(shared._breakers)
        assert (len(own_tasks()), len(shared._breakers)) == (tasks, breakers)
        assert breakers < 12
        assert len(world.deepgram.entries("connected")) == 1 + 200  # the start's, and the calls'
        assert len(world.elevenlabs.entries("connected")) == 1 + 200
        assert world.server.engines.failures == {}
        assert len(asyncio.all_tasks()) < 40


# --- Flux -----------------------------------------------------------------------------------------


flux = partial(vendors, stt="flux", simulated={"deepgram": {"gap_ms": 150}})


def end_of_turn_ms(call: Call) -> list[float]:
    """From the end of the caller's voice to the beginning of each answer's work."""
    found, voice_ended = [], 0.0
    for now, event, effects in call.entries:
        if isinstance(event, on.SpeechStopped):
            voice_ended = now - event.silence_ms / 1000
        if voice_ended and any(isinstance(effect, StartReply) for effect in effects):
            found.append((now - voice_ended) * 1000)
    return found


@on_virtual_time
async def test_flux_ends_the_turn_before_our_own_silence_does(folder: Path) -> None:
    hears, answers = ["When are you open?", "And where?"], ["From nine.", "At Market Street."]
    async with flux(folder, hears, answers) as world, world.call() as call:
        await call.agent_is_done()
        await call.ask("hours")
        await call.ask("location")
        assert call.history[1:] == [hears[0], answers[0], hears[1], answers[1]]
        assert call.events(on.TurnEnded) == [on.TurnEnded(1), on.TurnEnded(2)]
        assert all(ms < world.server.timings.turn_silence_ms - 50 for ms in end_of_turn_ms(call))
        assert call.failures == []


@on_virtual_time
async def test_flux_tells_early_that_a_turn_may_end_if_asked_to(folder: Path) -> None:
    async with (
        flux(folder, ["When are you open?"], ["From nine."], flux_eager_threshold=0.4) as world,
        world.call() as call,
    ):
        await call.agent_is_done()
        await call.ask("hours")
        assert on.TurnMayEnd(1, "When are you open?") in call.events(on.TurnMayEnd)
        kinds = [type(event) for _, event, _ in call.entries]
        assert kinds.index(on.TurnMayEnd) < kinds.index(on.TurnEnded)
        assert call.history[-1] == "From nine."
