"""A scripted call on a virtual clock: a caller, a voice and a carrier around the real core.

``ScriptedCall`` delivers every event at its time, wakes the core exactly when its deadline has
come, and holds each step to the rules of the house (``rules``). Times are seconds.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from itertools import count
from typing import TypeVar

from services.call import effects as do
from services.call import events as on
from services.call.conversation import Agent, Caller, Conversation
from services.call.effects import Effect, Purpose, Turn
from services.call.events import Event
from services.call.timings import Timings
from tests.call.carrier import FakeCarrier
from tests.call.rules import FRAME_BYTES, Rules
from tests.call.voice import Plan, Timed, audio_of, full_audio, says, text_of, word_ends

GREETING = "Hello, this is the Blue Door."
REPAIR = "Sorry, I did not catch that."
PROMPT = "Are you still there?"
IDLE_GOODBYE = "I will hang up now. Goodbye."
TIME_LIMIT = "I have to end the call now. Goodbye."
APOLOGY = "Sorry, could you say that again?"
TRANSFER = "I will put you through now."
NOBODY_THERE = "Nobody took the call. May I take a message?"
OUTBOUND = "Hello, this is the Blue Door calling."
VOICEMAIL = "This is the Blue Door. Please call us back."
ANSWER = "We are open from nine to five, and on Sunday we are closed."
FILLER = "One moment."

PLAIN = Timings(
    turn_silence_ms=550, complete_silence_ms=550, open_silence_ms=550, asked_silence_ms=550,
    half_answer_ms=550, longest_pause_ms=550, eager_replies=0,
)  # fmt: skip
"""Only silence ends a turn, and no reply begins before that."""

BYTES_PER_MS = 8
SILENCE_MS = 200
"""The silence after which the ears report a pause."""

E = TypeVar("E", bound=Effect)
Entry = tuple[float, Event, list[Effect]]


class ScriptedCall:
    """One call. ``answers`` are used up in order; after them every answer is ``ANSWER``."""

    def __init__(
        self,
        *answers: Plan,
        timings: Timings | None = None,
        carrier: FakeCarrier | None = None,
        filler: str = FILLER,
    ) -> None:
        self.conversation = Conversation(timings or PLAIN)
        self.carrier = carrier or FakeCarrier()
        self.rules = Rules(self.conversation)
        self.answers = deque(answers)
        self.lines = {
            Purpose.GREETING: says(GREETING, after=0.0),
            Purpose.REPAIR: says(REPAIR, after=0.0),
            Purpose.IDLE_PROMPT: says(PROMPT, after=0.0),
            Purpose.IDLE_GOODBYE: says(IDLE_GOODBYE, after=0.0),
            Purpose.TIME_LIMIT: says(TIME_LIMIT, after=0.0),
            Purpose.APOLOGY: says(APOLOGY, after=0.0),
            Purpose.TRANSFER: says(TRANSFER, after=0.0),
            Purpose.NOBODY_THERE: says(NOBODY_THERE, after=0.0),
            Purpose.OUTBOUND: says(OUTBOUND, after=0.0),
            Purpose.VOICEMAIL: says(VOICEMAIL, after=0.0),
        }
        self.now = 0.0
        self.log: list[Entry] = []
        self.plans: dict[int, Timed] = {}
        self.utterance = 0
        self._eager: tuple[int, Plan] | None = None
        self._filler = filler
        self._filled: dict[int, int] = {}
        self._audio: dict[int, bytes] = {}
        self._agenda: list[tuple[float, int, Event]] = []
        self._order = count()

    # --- time -------------------------------------------------------------------------------------

    def at(self, when: float, event: Event) -> None:
        """Let an event happen at a time to come."""
        heapq.heappush(self._agenda, (max(when, self.now), next(self._order), event))

    def later(self, seconds: float, event: Event) -> None:
        self.at(self.now + seconds, event)

    def wait(self, seconds: float) -> None:
        """Let time pass, with all that happens in it."""
        end = self.now + seconds
        while (due := self._next()) is not None and due[0] <= end:
            when, event = due
            self.now = max(self.now, when)
            self.feed(event())
        self.now = end

    def wait_until_nobody_speaks(self) -> None:
        """Until the agent has said all that it has to say."""
        self.wait_until(lambda: self.agent is Agent.IDLE and self.caller is Caller.QUIET)

    def wait_until(self, wanted: Callable[[], bool], at_most: float = 60.0) -> None:
        """Let things happen, one by one, until something is so; it must come to be."""
        end = self.now + at_most
        while not wanted():
            due = self._next()
            assert due is not None, "nothing more will happen"
            assert due[0] <= end, "it takes too long"
            when, event = due
            self.now = max(self.now, when)
            self.feed(event())

    def wait_until_agent(self, state: Agent) -> None:
        self.wait_until(lambda: self.conversation.agent is state)

    def _next(self) -> tuple[float, Callable[[], Event]] | None:
        """The next thing to happen; of several at one time, the clock comes last."""
        due: list[tuple[float, int, Callable[[], Event]]] = []
        if self._agenda:
            due.append((self._agenda[0][0], 0, lambda: heapq.heappop(self._agenda)[2]))
        if (echo := self.carrier.next_echo()) is not None:
            due.append((echo, 1, lambda: on.MarkPlayed(self.carrier.echo())))
        if (deadline := self.conversation.deadline) is not None:
            due.append((deadline, 2, on.DeadlinePassed))
        if not due:
            return None
        when, _, event = min(due, key=lambda item: item[:2])
        return when, event

    # --- the world around the core ----------------------------------------------------------------

    def feed(self, event: Event) -> list[Effect]:
        """One event, now; its effects are performed and held to the rules."""
        if isinstance(event, on.FillerReady) and event.reply == self.rules.live:
            self._expect_filler(event)
        self.rules.before(event)
        effects = self.conversation.handle(event, self.now)
        self.log.append((self.now, event, effects))
        self.rules.after(event, effects, self.now)
        if self.rules.spoke_on_from is not None and self.rules.live is not None:
            self._check_resumption(self.rules.live, self.rules.spoke_on_from)
        cancelled = any(isinstance(effect, do.CancelReply) for effect in effects)
        for effect in effects:
            self._perform(effect)
            if isinstance(effect, do.ReportHeard) and not cancelled:
                self._check_whole(effect.reply)
        return effects

    def _expect_filler(self, event: on.FillerReady) -> None:
        """The line is heard where the reply's own audio has come to its end, if it has."""
        reply = self.conversation._agent.reply
        assert reply is not None
        is_eager = self.conversation.agent is Agent.EAGER
        if reply.then is None and reply.playback.nothing_playing and not is_eager:
            at, audio = len(reply.playback._audio), self._audio[event.reply]
            self._audio[event.reply] = audio[:at] + event.audio + audio[at:]
            if not at:
                self._filled[event.reply] = len(event.audio)

    def _has_audio(self, reply: int) -> bool:
        return any(
            isinstance(event, on.AudioProduced) and event.reply == reply and event.audio
            for _, event, _ in self.log
        )

    def _perform(self, effect: Effect) -> None:
        self.carrier.perform(effect, self.now)
        match effect:
            case do.StartReply(reply=reply, purpose=purpose):
                plan = self._plan(purpose)
                self._eager = (reply, plan) if effect.is_eager else None
                self.plans[reply] = plan(reply)
                self._audio[reply] = full_audio(self.plans[reply]) + b"\xff" * 159
                for after, event in self.plans[reply]:
                    self.later(after, event)
            case do.CommitReply():
                self._eager = None
            case do.CancelReply(reply=reply):
                if self._eager and self._eager[0] == reply:  # nobody heard it: it is still to come
                    self.answers.appendleft(self._eager[1])
                self._eager = None
                self._agenda = [
                    entry for entry in self._agenda if getattr(entry[2], "reply", None) != reply
                ]
                heapq.heapify(self._agenda)
            case do.FillSilence(reply=reply) if self._filler:
                filler = audio_of(self._filler, reply + 100)
                self.later(0.0, on.FillerReady(reply, filler, self._filler))
            case do.SendAudio(reply=reply, offset=offset, audio=audio):
                expected = self._audio[reply][offset : offset + len(audio)]
                assert audio == expected, "another audio than that of the reply"
            case do.ReportHeard(reply=reply, text=text):
                self._check_heard(reply, text.split())
            case do.HangUp():
                assert not self.carrier.is_audible(self.now + 1e-6), "the last words are cut off"

    def _check_heard(self, reply: int, words: list[str]) -> None:
        """What counts as heard was said, and the carrier has played it."""
        assert words == text_of(self.plans[reply]).split()[: len(words)], "words not said"
        assert words == self.truly_heard(reply)[: len(words)], "words not played"

    def _check_whole(self, reply: int) -> None:
        """A reply that nobody cut off was played from its first byte to its last."""
        reached = 0
        for begin, end in self.carrier.played(reply, self.now):
            assert begin <= reached, "a part was never played"
            reached = max(reached, end)
        assert reached >= len(self._audio[reply]) - FRAME_BYTES, "its end was never played"

    def _check_resumption(self, reply: int, speaks_on_from: int) -> None:
        """A held reply speaks on from the word at which it was cut: nothing lost, nothing twice."""
        played = self.carrier.furthest(reply, self.now)
        assert speaks_on_from <= played + BYTES_PER_MS, "something was never said"
        if not self.carrier.is_prompt:
            return
        filled = self._filled.get(reply, 0)
        spoken = word_ends(self.plans[reply])
        cut = [filled + begin for _, begin, end in spoken if filled + end > played + BYTES_PER_MS]
        earliest = min([played, *cut]) - FRAME_BYTES - BYTES_PER_MS
        assert speaks_on_from >= earliest, "a word is said twice"

    def _plan(self, purpose: Purpose) -> Plan:
        if purpose is Purpose.ANSWER:
            return self.answers.popleft() if self.answers else says(ANSWER)
        return self.lines[purpose]

    # --- what people do ---------------------------------------------------------------------------

    def starts(self, opening: Purpose = Purpose.GREETING, earlier: tuple[Turn, ...] = ()) -> None:
        self.feed(on.CallStarted("+15550001", "+15550002", opening, earlier))

    def starts_and_greets(self) -> None:
        """The call starts, and the caller listens to the whole greeting."""
        self.starts()
        self.wait_until_agent(Agent.IDLE)

    def speech_starts(self) -> None:
        self.utterance += 1
        self.feed(on.SpeechStarted(self.utterance, voiced_ms=60))

    def speech_stops(self) -> None:
        self.feed(on.SpeechStopped(self.utterance, silence_ms=SILENCE_MS))

    def caller_says(
        self,
        text: str,
        *,
        for_s: float = 1.0,
        interim_after: float | None = None,
        final_after: float | None = 0.15,
    ) -> None:
        """An utterance of ``for_s``; its final comes ``final_after`` its end, or never."""
        self.speech_starts()
        number = self.utterance
        if interim_after is not None:
            self.later(interim_after, on.TranscriptInterim(number, number, text))
        self.wait(for_s)
        self.speech_stops()
        if final_after is not None:
            self.later(final_after, on.TranscriptFinal(number, number, text))

    def noise(self, for_s: float = 0.4, *, final_after: float | None = 0.15) -> None:
        """A cough, a door: sound without words."""
        self.caller_says("", for_s=for_s, final_after=final_after)

    def presses(self, digits: str, every: float = 0.3) -> None:
        for digit in digits:
            self.feed(on.DigitPressed(digit))
            self.wait(every)

    def types(self, text: str) -> None:
        self.feed(on.CallerTyped(text))

    def hangs_up(self) -> list[Effect]:
        return self.feed(on.CallerHungUp())

    # --- what came of it --------------------------------------------------------------------------

    @property
    def agent(self) -> Agent:
        return self.conversation.agent

    @property
    def caller(self) -> Caller:
        return self.conversation.caller

    @property
    def history(self) -> list[str]:
        """The conversation, as ``caller: words`` and ``agent: words``."""
        return [f"{turn.speaker.value}: {turn.text}" for turn in self.conversation.history]

    @property
    def live(self) -> int | None:
        return self.rules.live

    def found(self, kind: type[E]) -> Iterator[tuple[float, E]]:
        """All effects of a kind, with their times."""
        for now, _, effects in self.log:
            for effect in effects:
                if isinstance(effect, kind):
                    yield now, effect

    def all(self, kind: type[E]) -> list[E]:
        return [effect for _, effect in self.found(kind)]

    def last(self, kind: type[E]) -> tuple[float, E]:
        return list(self.found(kind))[-1]

    def purposes(self) -> list[Purpose]:
        return [effect.purpose for effect in self.all(do.StartReply)]

    def commits(self) -> list[str]:
        """The turns that were committed with words."""
        return [effect.text for effect in self.all(do.CommitTurn) if effect.text]

    def truly_heard(self, reply: int, now: float | None = None) -> list[str]:
        """The words of a reply that the carrier has played to their end."""
        heard = self.carrier.furthest(reply, self.now if now is None else now)
        heard -= self._filled.get(reply, 0)
        return [word for word, _, end in word_ends(self.plans[reply]) if end <= heard]
