"""``python -m benchmarks.eager``: what replies that begin before the turn is certain save and cost.

The same calls are held with ``EAGER_REPLIES=0`` and ``=2``, for Deepgram's Nova and for Flux with
its eager events: the whole server, with recorded human prompts, against the vendors' simulators of
``tests/simulators`` on virtual time. So the figures are the same in every run, and hold for the
simulators' latencies: first token 250 ms, first audio of the voice 120 ms, words 60 ms.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from services.call import effects as do
from services.call import events as on
from services.call.effects import Effect
from services.call.events import Event
from services.call.timings import Timings
from services.receptionist.tools import Tool
from services.records.eager import EagerCount, EagerFold
from tests.simulators.mulaw import decode
from tests.simulators.sound import segments
from tests.simulators.vendors.flux import Turns
from tests.simulators.vendors.openai import Reply, ToolCall
from tests.vendors.calls import Call, recorded, vendors
from tests.virtual_time import run_virtual

RECOGNISERS = ("deepgram", "flux")
EAGER_REPLIES = 2
FLUX_EAGER_THRESHOLD = 0.4
FLUX_END_MS = 600
"""The silence after which the simulated Flux is sure. Its eager event then comes some 200 ms before
the end, as Deepgram says of it. At 260 ms, the end that Deepgram publishes, our own segmenter's
pause of 200 ms is hardly shorter: there is nothing to gain."""

_GAP_MS = {"deepgram": 300, "flux": 150}
"""The pause between two stretches of the simulated recogniser; the prompts have none so long."""
_TOLERANCE_MS = 1.0


@dataclass(frozen=True, slots=True)
class Scripted:
    """A turn of the caller: recorded prompts with pauses between them, and what each is heard as;
    then what the model says. ``early``: what it would say to the first part alone."""

    prompts: tuple[str, ...]
    words: tuple[str, ...]
    answer: str
    pause_ms: int = 0
    early: Reply = "That is good to know."


TURNS = (
    Scripted(("hours",), ("When are you open?",), "From nine to five. We close at noon on Friday."),
    Scripted(
        ("location", "tomorrow"),
        ("I need an appointment.", "Tomorrow would be best."),
        "I see. The practice will call you back about it.",
        pause_ms=400,
    ),
    Scripted(("hello",), ("Do you have parking?",), "Yes, behind the house. It costs nothing."),
    Scripted(("sunday",), ("Are you open on Sunday?",), "No, we are closed on Sundays. Sorry."),
    Scripted(
        ("monday", "location"),
        ("please ask Maria to call me back", "No, just tell me where you are."),
        "We are at Market Street. The tram stops there.",
        pause_ms=380,
        early=ToolCall("take_message", {"name": "", "number": "5551234567", "message": "Call."}),
    ),
    Scripted(("location",), ("Where are you?",), "At Market Street, number five."),
    Scripted(
        ("vm-goodbye", "hours"),
        ("That was all, goodbye.", "Oh, what does a filling cost?"),
        "A filling costs one hundred dollars. It takes half an hour.",
        pause_ms=360,
        early=["Goodbye.", ToolCall("end_call", "{}")],
    ),
    Scripted(("tomorrow",), ("Is the doctor in tomorrow?",), "Yes, she is. From eight to twelve."),
)
"""One after the other, and again. Of every eight, three pause so long that a reply is begun."""


@dataclass(slots=True)
class Held:
    """A call that was held, with its figures; times in ms."""

    name: str
    count: EagerCount = field(default_factory=EagerCount)
    responses: list[float] = field(default_factory=list)
    """Of each turn: from the caller's last voiced sample to the agent's first at the phone."""
    leads: list[float] = field(default_factory=list)
    """Of each eager reply that was used: from its beginning to the end of the turn."""
    waited: int = 0
    """Used replies whose first audio was there before the end of the turn, and had to wait."""
    tokens: int = 0
    """All that the model has cost."""
    wrong: list[str] = field(default_factory=list)
    """What was noticed of a turn that was not committed."""


@cache
def voiced_until(prompt: str) -> float:
    """Seconds to the last voiced sample of a prompt."""
    return segments(decode(b"".join(recorded(prompt))))[-1].end_ms / 1000


def turn(number: int) -> Scripted:
    """The caller's turn of that number, from 0."""
    return TURNS[number % len(TURNS)]


def answer(messages: list[dict[str, Any]]) -> Reply:
    """What the model says: to the end of a turn its answer, to its beginning something else."""
    said = str(messages[-1]["content"])
    for one in TURNS:
        if said.endswith(one.words[-1]):
            return one.answer
        if said.endswith(one.words[0]):
            return one.early
    return "I am sorry?"


async def hold(
    recogniser: str, eager: int, turns: int, folder: Path, flux_end_ms: float = FLUX_END_MS
) -> Held:
    """One call of so many turns, on a virtual loop."""
    hears = [words for number in range(turns) for words in turn(number).words]
    ears = {"gap_ms": _GAP_MS[recogniser], "turns": Turns(flux_end_ms)}
    settings: dict[str, Any] = {"stt": recogniser}
    if recogniser == "flux":
        settings["flux_eager_threshold"] = FLUX_EAGER_THRESHOLD
    timings = Timings(eager_replies=eager, max_call_s=36_000)
    held = Held(f"{recogniser}, EAGER_REPLIES={eager}")
    async with (
        vendors(folder, hears, answer, timings, simulated={"deepgram": ears}, **settings) as world,
        world.call() as call,
    ):
        await call.agent_is_done()
        for number in range(turns):
            held.responses.append(await _respond(call, turn(number)))
        held.wrong += [f"hung up: {reason}" for reason in call.hung_up]
    held.wrong += released(call.entries)
    if call.failures:
        held.wrong.append(f"{len(call.failures)} failures of vendors")
    _measure(held, call.entries)
    return held


async def _respond(call: Call, scripted: Scripted) -> float:
    """Speak a turn and hear its answer: how long the caller waited, ms."""
    clock, began = call.phone.loop.time, 0.0
    for place, prompt in enumerate(scripted.prompts):
        if place:
            await call.listen(scripted.pause_ms)
        began = clock()
        await call.say(prompt)
    ended, sent = began + voiced_until(scripted.prompts[-1]), call.phone.sent
    before = next((at for at, _ in reversed(sent)), 0.0)
    assert before < began, "the agent spoke over the caller"
    start = len(sent)

    def first() -> float | None:
        return next((at for at, body in sent[start:] if body["event"] == "media"), None)

    await call.until(lambda: first() is not None)
    await call.agent_is_done()
    return ((first() or 0.0) - ended) * 1000


# --- folds over the journal -----------------------------------------------------------------------

Entries = Sequence[tuple[float, Event, Sequence[Effect]]]


def _measure(held: Held, entries: Entries) -> None:
    fold, began, with_audio = EagerFold(), dict[int, float](), set[int]()
    for now, event, effects in entries:
        fold.feed(event, effects)
        if isinstance(event, on.AudioProduced):
            with_audio.add(event.reply)
        elif isinstance(event, on.VendorStep):
            held.tokens += event.tokens
        for effect in effects:
            if isinstance(effect, do.StartReply) and effect.is_eager:
                began[effect.reply] = now
            elif isinstance(effect, do.CommitReply):
                held.leads.append((now - began[effect.reply]) * 1000)
                held.waited += effect.reply in with_audio
    held.count = fold.count


def released(entries: Entries) -> list[str]:
    """What was noticed of eager replies whose turn was not committed: there must be nothing."""
    uncommitted, found = set[int](), list[str]()
    for now, event, effects in entries:
        is_early = isinstance(event, on.ToolStarted) and event.reply in uncommitted
        if is_early and Tool(event.tool).changes_something:
            found.append(f"{now:.2f} s: {event.tool} was begun")
        for effect in effects:
            match effect:
                case do.StartReply(reply=reply, is_eager=True):
                    uncommitted.add(reply)
                case do.CommitReply(reply=reply):
                    uncommitted.discard(reply)
                case do.SendAudio(reply=reply) if reply in uncommitted:
                    found.append(f"{now:.2f} s: audio of reply {reply} was sent")
    return found


# --- on against off -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same turns without eager replies and with them."""

    off: Held
    on: Held

    @property
    def saved(self) -> float:
        """By how much the response falls, the median over the turns, ms."""
        pairs = zip(self.off.responses, self.on.responses, strict=False)
        return median(off - on for off, on in pairs)

    @property
    def lead(self) -> float:
        """The median eager lead, ms."""
        return median(self.on.leads or [0.0])

    @property
    def is_good(self) -> bool:
        """Nothing was noticed too early, and the whole lead was saved."""
        is_silent = not (self.off.wrong or self.on.wrong)
        return is_silent and self.saved >= self.lead - _TOLERANCE_MS

    def lines(self) -> list[str]:
        """For people."""
        count, eager = self.on.count, self.on
        wasted = count.wasted_tokens * 100 / eager.tokens if eager.tokens else 0.0
        each = [was - now for was, now in zip(self.off.responses, eager.responses, strict=True)]
        more = (eager.tokens / self.off.tokens - 1) * 100 if self.off.tokens else 0.0
        return [
            *(_line(held) for held in (self.off, eager)),
            f"  the response falls by {self.saved:.0f} ms in the median (turn by turn "
            f"{min(each):.0f} to {max(each):.0f}), median eager lead {self.lead:.0f} ms; first "
            f"audio had to wait for the turn's end in {eager.waited} of {count.used}",
            f"  begun {count.begun}, used {count.used} "
            f"({count.used * 100 / max(1, count.begun):.0f} %), dropped {count.dropped}; wasted "
            f"{count.wasted_tokens} tokens, {wasted:.0f} % of all; {more:.0f} % more than without",
            *(f"  WRONG: {what}" for what in (*self.off.wrong, *eager.wrong)),
            "  no audio, message or end of the call of a turn that was not committed"
            if not (self.off.wrong or eager.wrong)
            else "",
        ]


def _line(held: Held) -> str:
    return (
        f"{held.name}: {len(held.responses)} turns, response median {median(held.responses):.0f}, "
        f"p95 {np.percentile(held.responses, 95):.0f} ms"
    )


def compare(
    recogniser: str, turns: int, folder: Path, flux_end_ms: float = FLUX_END_MS
) -> Comparison:
    """Hold the calls of one recogniser."""
    held = [
        run_virtual(hold(recogniser, eager, turns, folder / str(eager), flux_end_ms))
        for eager in (0, EAGER_REPLIES)
    ]
    return Comparison(*held)


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.eager", description=__doc__)
    parser.add_argument("--turns", type=int, default=64, help="of each call (default 64)")
    parser.add_argument(
        "--flux-end-ms",
        type=float,
        default=FLUX_END_MS,
        help=f"the silence after which the simulated Flux ends a turn (default {FLUX_END_MS})",
    )
    options = parser.parse_args()
    good = True
    for recogniser in RECOGNISERS:
        with TemporaryDirectory() as folder:
            found = compare(recogniser, options.turns, Path(folder), options.flux_end_ms)
        print("\n".join(filter(None, found.lines())), flush=True)
        good = good and found.is_good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
