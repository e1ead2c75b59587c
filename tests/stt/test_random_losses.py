"""Random calls over sockets that break, stall and lag: no word is lost, none comes twice."""

from __future__ import annotations

import asyncio
import random

import pytest

from services.stt.deepgram import DeepgramOptions, DeepgramTranscriber
from services.stt.flux import FluxOptions, FluxTranscriber
from services.stt.live import LiveTranscriber
from services.vendors import Reports
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.stt.caller import VOCABULARY, Caller, break_connections, hears, on_the_line
from tests.stt.chained import Second, chain
from tests.stt.live import new_breaker
from tests.virtual_time import run_virtual

TURNS = 4
ENDPOINTS = {"deepgram": "listen", "flux": "flux"}


async def trouble(deepgram: DeepgramSimulator, endpoint: str, dice: random.Random) -> None:
    """One thing after the other goes wrong, for as long as this runs."""
    while True:
        await asyncio.sleep(dice.uniform(0.3, 6))
        deepgram.faults.clear()
        kind = dice.choice([Trouble.CUT, Trouble.RESET, Trouble.STATUS, Trouble.STALL_FIRST, None])
        if kind:
            deepgram.faults.order(endpoint, Fault(kind), times=dice.randint(1, 3))
        if dice.random() < 0.7:
            break_connections(deepgram)


def a_turn(dice: random.Random) -> list[list[str]]:
    """The words of a turn, by utterance; no word follows itself."""
    said = [dice.choice(VOCABULARY)]
    while len(said) < dice.randint(2, 7):
        said.append(dice.choice([word for word in VOCABULARY if word != said[-1]]))
    cut = dice.randint(1, len(said))
    return [part for part in (said[:cut], said[cut:]) if part]


async def random_call(vendor: str, seed: int) -> None:
    dice = random.Random(seed)
    reports = Reports()
    latency = {"final_ms": dice.choice([20, 60, 150]), "interim_ms": 40}
    async with DeepgramSimulator(hears=hears, **latency) as deepgram:
        live = _live(vendor, deepgram, reports)
        transcriber = chain(live, reports, Second(), patience_ms=900)
        async with on_the_line(transcriber, reports) as caller:
            troubles = asyncio.create_task(trouble(deepgram, ENDPOINTS[vendor], dice))
            for _ in range(TURNS):
                await _speak_a_turn(caller, dice)
            troubles.cancel()
        caller.check_one_answer_each()


def _live(vendor: str, deepgram: DeepgramSimulator, reports: Reports) -> LiveTranscriber:
    breaker = new_breaker(vendor)
    if vendor == "flux":
        return FluxTranscriber(FluxOptions(deepgram.key, deepgram.url), reports, breaker)
    return DeepgramTranscriber(DeepgramOptions(deepgram.key, deepgram.url), reports, breaker)


async def _speak_a_turn(caller: Caller, dice: random.Random) -> None:
    turn = a_turn(dice)
    for words in turn:
        await caller.say(*words, pause_ms=20 * dice.randint(11, 40))
    await caller.pause(2000)
    assert caller.commit() == " ".join(word for words in turn for word in words)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("vendor", ["deepgram", "flux"])
def test_each_word_comes_once(vendor: str, seed: int) -> None:
    run_virtual(random_call(vendor, seed))
