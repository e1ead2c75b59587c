"""Is the caller's turn over, and do these words take the turn from the agent?

Layers, each with its reason for the journal: the words (``words.completeness``), what the agent had
asked for (``words.expectation``), this caller's own pauses (``pauses``). Together they say how much
silence ends the turn. A hard cap on the turn's length stands in ``timings``.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.call.briefing import Briefing
from services.call.pauses import PauseMeter
from services.call.timings import Timings
from services.call.words.completeness import completeness, readiness_of
from services.call.words.echo import is_echo, may_become_echo
from services.call.words.expectation import expected_digits, guess_expectation
from services.call.words.lexicons import lexicon_of
from services.call.words.lexicons.lexicon import consists_of
from services.call.words.readiness import Expectation, Readiness
from services.call.words.shape import ASKS_FOR_TIME
from services.call.words.speech_acts import (
    OverAgent,
    SpeechAct,
    asks_for_time,
    may_become_backchannel,
    over_agent,
)
from services.call.words.wording import plain


@dataclass(frozen=True, slots=True)
class Silence:
    """How much of it ends the turn, counted from the last voiced frame, and why."""

    ms: int
    reason: str
    readiness: Readiness = Readiness.NEUTRAL

    @property
    def is_open(self) -> bool:
        """The words so far lack their end."""
        return self.readiness is Readiness.OPEN


class Endpointing:
    """What is known of one caller's ways, and of what the agent last asked."""

    def __init__(self, timings: Timings, briefing: Briefing) -> None:
        self._timings = timings
        self._of = briefing
        self._pauses = PauseMeter()
        self._asked = Expectation.NONE
        self._digits = 0
        self._agent_said = ""

    @property
    def said_last(self) -> str:
        """The agent's last turn, as it was heard."""
        return self._agent_said

    def agent_said(self, text: str, asked: Expectation | None) -> None:
        """The agent's turn as it was heard, and what it asked for, if the brain has said so."""
        language = self._of.language
        self._agent_said = text
        self._asked = guess_expectation(text, language) if asked is None else asked
        self._digits = expected_digits(text, language)

    def went_on(self, pause_ms: float, *, cut_off: bool = False) -> None:
        """The caller paused for so long amid a turn. ``cut_off``: we had taken it as over."""
        self._pauses.went_on(pause_ms, cut_off=cut_off)

    def silence(self, text: str) -> Silence:
        """What ends a turn that holds these words so far."""
        timings, of = self._timings, self._of
        if not text:
            return self._paced(timings.turn_silence_ms, "no words yet", Readiness.NEUTRAL)
        judged = readiness_of(
            text, self._asked, of.language, of.region, of.is_dialable, digits=self._digits
        )
        if judged.is_open:
            answer = completeness(
                self._asked, text, of.language, of.region, of.is_dialable, digits=self._digits
            )
            wait = timings.half_answer_ms if answer.is_open else timings.open_silence_ms
            if judged.reason == ASKS_FOR_TIME:
                wait = timings.asked_silence_ms
            return Silence(wait, judged.reason, judged.readiness)
        floor = timings.turn_silence_ms
        if judged.is_complete:
            floor = min(floor, timings.complete_silence_ms)
        return self._paced(floor, judged.reason, judged.readiness)

    def _paced(self, floor_ms: int, reason: str, readiness: Readiness) -> Silence:
        """A caller who pauses long amid turns is given longer at their end."""
        patience = self._pauses.patience(floor_ms, self._timings.longest_pause_ms)
        if not patience.extra_ms:
            return Silence(floor_ms, reason, readiness)
        return Silence(floor_ms + patience.extra_ms, f"{reason}, {patience.reason}", readiness)

    def over_agent(
        self, text: str, agent_says: str, *, is_all: bool = True, echoes: bool = False
    ) -> SpeechAct:
        """What words amount to that were said while the agent was saying ``agent_says``.
        ``is_all``: no more of them will come. ``echoes``: the line is known to."""
        language = self._of.language
        act = over_agent(text, language)
        may_listen = act.act is OverAgent.BACKCHANNEL and " " in text.strip()  # "Of course."
        if echoes and may_listen and may_become_echo(text, agent_says, language):
            return SpeechAct(OverAgent.NOTHING, "the agent's own words")
        if act.act is not OverAgent.WORDS:
            return act
        if is_echo(text, agent_says, language, echoes=echoes):
            return SpeechAct(OverAgent.NOTHING, "the agent's own words")
        if not is_all and may_become_echo(text, agent_says, language):
            return SpeechAct(OverAgent.NOTHING, "perhaps the agent's own words")
        if not is_all and may_become_backchannel(text, language):
            return SpeechAct(OverAgent.BACKCHANNEL, "perhaps listens")
        return act

    def repeats(self, text: str, agent_says: str) -> bool:
        """Whether words are the agent's, as they stand, or an echo of them."""
        language = self._of.language
        is_part = may_become_echo(text, agent_says, language)
        return is_part or is_echo(text, agent_says, language, echoes=True)

    def is_echo(self, text: str, *, echoes: bool = False) -> bool:
        """Whether words only repeat what the agent said last."""
        return is_echo(text, self._agent_said, self._of.language, echoes=echoes)

    def is_courtesy(self, text: str) -> bool:
        """Whether words are thanks or a goodbye, and nothing else."""
        return consists_of(lexicon_of(self._of.language).answers.closings, plain(text))

    def asks_for_time(self, text: str) -> bool:
        """Whether the caller wants to be waited for: "just a second"."""
        return asks_for_time(text, self._of.language)


def fill_at(now: float, spoke_until: float, timings: Timings) -> float:
    """When a late answer is bridged, if its turn ended ``now``: the caller has waited since the
    last word, whoever was slow. An answer is given a moment all the same."""
    patient = now + timings.fill_after_ms / 1000
    waited_enough = spoke_until + (timings.fill_after_ms + 550) / 1000
    return min(patient, max(waited_enough, now + 0.3))


def alike(one: str, other: str) -> bool:
    """Whether two transcripts differ only in spelling: a recogniser's second thought."""
    return _letters(one) == _letters(other)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
