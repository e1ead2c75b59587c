"""Random calls from a tape of bytes: each byte makes one choice, so hypothesis can shrink them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller, Conversation, Phase
from services.call.effects import Effect, Purpose, Speaker, Turn
from services.call.events import AfterReply, Event
from services.call.timings import Timings
from services.call.words.readiness import Expectation
from tests.call.carrier import FakeCarrier
from tests.call.rules import Rules
from tests.call.said import UTTERANCES, Said, mark
from tests.call.script import ANSWER, ScriptedCall
from tests.call.voice import (
    Plan,
    asks,
    breaks_off,
    drips,
    fails,
    guards,
    says,
    speaks,
    stalls,
)

T = TypeVar("T")


class Tape:
    """A source of choices. When it is used up, the first option is always chosen."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    @property
    def is_used_up(self) -> bool:
        return self._place >= len(self._data)

    def pick(self, options: Sequence[T]) -> T:
        if self.is_used_up:
            return options[0]
        self._place += 1
        return options[self._data[self._place - 1] % len(options)]


# --- a faithful world: every party keeps to its protocol ------------------------------------------

PLANS: list[Plan] = [
    says(ANSWER),
    says("Yes.", "We are.", after=0.05),
    drips("We are open from nine to five."),
    drips("It is the blue house by the river.", every=1.2),
    says("We do.", after=3.5),
    says("Thank you, goodbye.", then=AfterReply.HANG_UP),
    says("I will put you through.", then=AfterReply.TRANSFER),
    speaks([["Let me see.", "It is", "Monday."]], after=0.4, every=1.5),
    fails(),
    breaks_off("I think that", "we are"),
    stalls("One thing:"),
    stalls(),
    guards("This call is recorded.", "How can I help you?"),
    asks("What number can we reach you on?", Expectation.PHONE),
]
ACTIONS = (
    ["wait"] * 9
    + ["speech"] * 10
    + ["digit", "digit", "type", "tool", "repeat", "idle", "order_is_given"]
)
WAITS = [0.5, 0.02, 0.1, 0.25, 0.6, 0.9, 1.3, 2.0, 4.0]
EARLIER = (Turn(Speaker.CALLER, "put me through"), Turn(Speaker.AGENT, "One moment."))
WORDS = [
    "what are your hours",
    "",
    "mhm",
    "yes",
    "stop please",
    "...",
    "on sunday",
    "uh-huh okay",
] + [
    *("I would like to", "just a second", "555 12", "We are open from nine"),
]
FINAL_AFTER = [0.15, 0.02, 0.15, 0.4, 1.0, 2.5, 6.0, None]
TIMINGS = [
    Timings(),
    Timings(max_call_s=25),
    Timings(eager_replies=0),
    Timings(turn_silence_ms=1200, transcript_wait_ms=400, digit_pause_ms=700, eager_replies=1),
    Timings(fill_after_ms=300, give_up_ms=1500, idle_ms=3000, mark_every_ms=80),
]


class RandomCall(ScriptedCall):
    """A call in which caller, recogniser, voice and carrier do what the tape says."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        carrier = (
            FakeCarrier()
            if tape.pick([True, False, True])
            else FakeCarrier(
                echo_after_s=tape.pick([0.05, 0.4, 1.9]), loses_marks=tape.pick([False, True])
            )
        )
        super().__init__(
            timings=tape.pick(TIMINGS), carrier=carrier, filler=tape.pick(["One moment.", ""])
        )
        self._speaking = False
        self._final: Event | None = None
        self._said = Said()
        self._words_at = 0.0

    def run(self) -> None:
        opening = self._tape.pick([Purpose.GREETING, Purpose.NOBODY_THERE, Purpose.OUTBOUND])
        self.starts(opening, EARLIER if opening is Purpose.NOBODY_THERE else ())
        while not self._tape.is_used_up and not self.conversation.ended:
            getattr(self, f"_{self._tape.pick(ACTIONS)}")()
        if self._speaking:
            self._speech()
        self.wait_until(lambda: self.conversation.ended, at_most=120)
        self._said.check(self.conversation.history)

    def feed(self, event: Event) -> list[Effect]:
        if self.conversation.phase is Phase.LIVE:
            self._said.delivered(event)
        if isinstance(event, on.TranscriptFinal):
            self._final = event
        return super().feed(event)

    def _plan(self, purpose: Purpose) -> Plan:
        if purpose is not Purpose.ANSWER and self._tape.pick([0, 1, 2, 3, 4]) != 4:
            return super()._plan(purpose)
        return self._tape.pick(PLANS)

    # --- actions ----------------------------------------------------------------------------------

    def _wait(self) -> None:
        self.wait(self._tape.pick(WAITS))

    def _idle(self) -> None:
        self.wait(self._tape.pick([5.0, 9.0]))

    def _speech(self) -> None:
        if self._speaking:
            self.speech_stops()
            self._schedule_words()
        else:
            self.speech_starts()
        self._speaking = not self._speaking

    def _schedule_words(self) -> None:
        number = self.utterance
        text = self._tape.pick(UTTERANCES).format(mark(number))
        after = self._tape.pick(FINAL_AFTER)
        if after is None:
            if self._tape.pick([True, False]):
                self._in_order(0.3, on.TranscriptFailed(number, "VendorError"))
            return
        if self._tape.pick([False, False, True]):
            self.feed(on.TranscriptInterim(number, number, text))
        first = self._tape.pick([number, max(1, number - 1)])
        self._in_order(after, on.TranscriptFinal(first, number, text))
        if self._tape.pick([False, False, False, True]):  # a recogniser that ends turns itself
            self.later(after, on.TurnEnded(number))
        if self._tape.pick([False, False, False, True]):  # and says before that they may end
            self.feed(on.TurnMayEnd(number, text))
            if self._tape.pick([False, False, True]):
                self.later(after / 2, on.TurnGoesOn(number))

    def _in_order(self, after: float, event: Event) -> None:
        """A recogniser answers for one utterance after the other."""
        self._words_at = max(self._words_at, self.now + after)
        self.at(self._words_at, event)

    def _digit(self) -> None:
        self.feed(on.DigitPressed(self._tape.pick(["1", "5", "#", "*"])))

    def _type(self) -> None:
        self.types(self._tape.pick(["hello", " ", "are you open"]))

    def _tool(self) -> None:
        reply = max(self.plans) - self._tape.pick([0, 1])
        self.feed(on.ToolStarted(reply, "confirm"))
        self.later(self._tape.pick([0.3, 2.5, 9.0]), on.ToolUsed(reply, "confirm", "ok", 9))

    def _order_is_given(self) -> None:
        if self._tape.pick([True, False, False, False, False, False]):
            orders = [on.TransferOrdered(), on.HangUpOrdered(), on.MachineAnswered(message=True)]
            self.feed(self._tape.pick([*orders, on.MachineAnswered()]))

    def _repeat(self) -> None:
        if self._final is not None:
            self.feed(self._final)


# --- a mad world: anything may happen -------------------------------------------------------------

State = tuple[Phase, Caller, Agent]

LEGAL: frozenset[State] = frozenset(
    {(Phase.WAITING, Caller.QUIET, Agent.IDLE), (Phase.ENDED, Caller.QUIET, Agent.IDLE)}
    | {(Phase.LIVE, Caller.QUIET, agent) for agent in set(Agent) - {Agent.HELD, Agent.EAGER}}
    | {
        (Phase.LIVE, caller, agent)
        for caller in (Caller.SPEAKING, Caller.PAUSED)
        for agent in Agent
    }
    | {(Phase.CLOSING, Caller.QUIET, agent) for agent in (Agent.THINKING, Agent.SPEAKING)}
)
"""Every state that a call may be in. While the caller's turn is open the agent says nothing, unless
it may not be interrupted (``rules`` holds that)."""


@dataclass(slots=True)
class MadCall:
    """The bare core, fed with anything at all; only its deadlines are kept to."""

    conversation: Conversation
    rules: Rules
    now: float = 0.0
    marks: tuple[str, ...] = ()

    @classmethod
    def new(cls, timings: Timings) -> MadCall:
        conversation = Conversation(timings)
        return cls(conversation, Rules(conversation))

    @property
    def state(self) -> State:
        return self.conversation.phase, self.conversation.caller, self.conversation.agent

    def feed(self, event: Event) -> None:
        self.rules.before(event)
        effects = self.conversation.handle(event, self.now)
        self.rules.after(event, effects, self.now)
        assert self.state in LEGAL
        sent = tuple(effect.mark for effect in effects if isinstance(effect, do.SendMark))
        self.marks = (self.marks + sent)[-8:]

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (deadline := self.conversation.deadline) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.feed(on.DeadlinePassed())
        self.now = end

    def step(self, tape: Tape) -> None:
        self.wait(tape.pick([0.0, 0.0, 0.01, 0.1, 0.3, 0.6, 1.0, 3.0, 9.0]))
        self.feed(any_event(tape, self.rules.live, self.marks))


def any_start(tape: Tape) -> Event:
    """A call that comes in, one that we make, or one that has come back to us."""
    opening = tape.pick([Purpose.GREETING, Purpose.OUTBOUND, Purpose.NOBODY_THERE])
    return on.CallStarted("+1", "+2", opening, EARLIER if tape.pick([False, True]) else ())


def any_event(tape: Tape, live: int | None, marks: Sequence[str]) -> Event:
    """Any event at all, with plausible or absurd content."""
    reply = tape.pick([live or 1, live or 1, live or 1, live or 2, 0, 1, -1, 99])
    number = tape.pick([1, 2, 3, 4, 5, 0, -3, 99])
    kind = tape.pick(KINDS) if tape.pick([*range(20)]) else tape.pick(ORDERS)
    if kind in {on.TokenProduced, on.AudioSent}:
        return kind(reply)
    if kind in {on.AudioProduced, on.FillerReady}:
        size = tape.pick([0, 1, 100, 160, 1600, 1601, 9000])
        text = tape.pick(["", "one two three", "well,", " ", "..."])
        if kind is on.FillerReady:
            return on.FillerReady(reply, b"\x55" * size, text)
        is_guarded = tape.pick([False, False, True])
        return on.AudioProduced(reply, b"\x55" * size, text, is_guarded=is_guarded)
    if kind is on.AnswerExpected:
        return on.AnswerExpected(reply, tape.pick(list(Expectation)))
    if kind is on.ReplyFinished:
        return on.ReplyFinished(reply, tape.pick(list(AfterReply)))
    if kind is on.ReplyFailed:
        return on.ReplyFailed(reply, "Error")
    if kind is on.ToolStarted:
        return on.ToolStarted(reply, "confirm")
    if kind is on.ToolUsed:
        return on.ToolUsed(reply, "confirm", "ok", 20)
    if kind is on.MachineAnswered:
        return on.MachineAnswered(tape.pick([True, False]))
    if kind in {on.TransferOrdered, on.HangUpOrdered}:
        return kind()
    if kind is on.MarkPlayed:
        return on.MarkPlayed(tape.pick(["", "1.0.1", "x", *marks]))
    if kind is on.DigitPressed:
        return on.DigitPressed(tape.pick(["1", "#", "*", "##"]))
    if kind is on.CallerTyped:
        return on.CallerTyped(tape.pick(["hello", "", " "]))
    if kind in {on.SpeechStarted, on.SpeechStopped}:
        return kind(number, tape.pick([0, 200, 9000]))
    if kind in {on.TranscriptInterim, on.TranscriptFinal}:
        return kind(tape.pick([number, 1, 99]), number, tape.pick(WORDS))
    if kind is on.TranscriptFailed:
        return on.TranscriptFailed(number, "Error")
    if kind in {on.TurnEnded, on.TurnGoesOn}:
        return kind(number)
    if kind is on.TurnMayEnd:
        return on.TurnMayEnd(number, tape.pick(WORDS))
    if kind is on.VendorFailed:
        return on.VendorFailed("vendor", "step", "429")
    if kind is on.CallStarted:
        return any_start(tape)
    return on.DeadlinePassed()


_COMMON = [
    on.AudioProduced,
    on.MarkPlayed,
    on.SpeechStarted,
    on.SpeechStopped,
    on.TranscriptFinal,
    on.TranscriptInterim,
]
KINDS: list[Any] = _COMMON * 4 + [
    on.ReplyFinished,
    on.ReplyFinished,
    on.ReplyFailed,
    on.TokenProduced,
    on.AudioSent,
    on.FillerReady,
    on.ToolStarted,
    on.ToolUsed,
    on.DigitPressed,
    on.CallerTyped,
    on.TranscriptFailed,
    on.TurnEnded,
    on.TurnEnded,
    on.TurnMayEnd,
    on.TurnMayEnd,
    on.TurnGoesOn,
    on.AnswerExpected,
    on.VendorFailed,
    on.CallStarted,
    on.DeadlinePassed,
]
ORDERS: list[Any] = [on.TransferOrdered, on.HangUpOrdered, on.MachineAnswered]
