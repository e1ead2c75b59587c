"""What words said over the agent do: command it, encourage it, take the turn, or nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from services.call.words.lexicons import lexicon_of
from services.call.words.lexicons.lexicon import consists_of
from services.call.words.wording import Ending, ending_of, lowered, plain

_NEVER_SAID = re.compile(
    r"""amara\.org|^(?:subtitles?|captions?)\sby\b|^thank(?:s|\syou)\sfor\swatching\W*$
    |^untertitel(?:ung)?\b.*(?:\bder\b|\bim\b|\bvon\b|20\d\d)|^subt[íi]tulos (?:realizados|por)\b
    |^sous-titres? (?:réalisés?|par)\b|^you\W*$|^please\ssubscribe\b""",
    re.VERBOSE,
)
"""What recognisers of the Whisper family write when they hear noise: they were trained on films."""
_JUDGED = 300
_DISSENT = re.compile(r"\b(?:n?uh-uh|mm-mm|nuh uh)\b")


class OverAgent(Enum):
    """What an utterance over the agent's speech amounts to."""

    COMMAND = "command"  # stop at once
    BACKCHANNEL = "backchannel"  # "I am listening": speak on
    WORDS = "words"  # the caller takes the turn
    NOTHING = "nothing"  # noise


@dataclass(frozen=True, slots=True)
class SpeechAct:
    """A verdict, with its reason for the journal."""

    act: OverAgent
    reason: str


def over_agent(text: str, language: str) -> SpeechAct:
    """What words said while the agent speaks amount to; interim ones too."""
    text = text[:_JUDGED]
    joined = plain(text)
    if not any(character.isalnum() for character in joined):
        return SpeechAct(OverAgent.NOTHING, "no words")
    if _NEVER_SAID.search(lowered(text)):
        return SpeechAct(OverAgent.NOTHING, "a recogniser's dream")
    if _DISSENT.search(lowered(text)):
        return SpeechAct(OverAgent.WORDS, "dissent")
    of = lexicon_of(language).over_agent
    if consists_of(of.go_on, joined):
        return SpeechAct(OverAgent.BACKCHANNEL, "tells the agent to go on")
    if consists_of(of.backchannels, joined):
        return SpeechAct(OverAgent.BACKCHANNEL, "listens")
    if of.commands.search(joined):
        return SpeechAct(OverAgent.COMMAND, "a command")
    if of.commands.search(_without_lead_ins(joined, of.lead_ins)):
        return SpeechAct(OverAgent.COMMAND, "a command after a lead-in")
    reason = "a question" if ending_of(text) == Ending.QUESTION else "words"
    return SpeechAct(OverAgent.WORDS, reason)


def may_become_backchannel(text: str, language: str) -> bool:
    """Whether words that are not all yet begin one: "I", of "I see"."""
    of = lexicon_of(language).over_agent
    before, _, last = plain(text).rpartition(" ")
    return last in of.backchannels_begun and (not before or consists_of(of.backchannels, before))


def _without_lead_ins(joined: str, lead_ins: re.Pattern[str]) -> str:
    while match := lead_ins.match(joined):
        joined = joined[match.end() :].lstrip()
    return joined


def asks_for_time(text: str, language: str) -> bool:
    """Whether the caller asks the agent to wait: "just a second", "let me get my diary"."""
    of, joined = lexicon_of(language).endings, plain(text[-_JUDGED:])
    return bool(of.asks_for_time.search(joined)) and not of.no_time_asked.search(joined)
