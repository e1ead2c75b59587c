"""The words of a transcript, made comparable: recognisers write the same thing in many ways."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ASKED_AGAIN = 64
"""Texts of which the answer is kept: all that judge a transcript ask the same of it, and the next
question about a turn is often about the same words."""
_NOISE = re.compile(r"\[[^\]]*\]|\([^)\d]*\)|\*[^*]*\*|<[^>]*>|[♪♫]+[^♪♫]*[♪♫]+|[♪♫]")
"""What a recogniser writes about sounds: [BLANK_AUDIO], (coughs), *sighs*, <noise>. Brackets round
digits are an area code."""
_HALF_OF_DAY = re.compile(r"\b([ap])\.? ?m\b\.?(?!')")
_DRAWN_OUT = re.compile(r"([^\W\d_])\1{2,}")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*'?|\+(?=\s*\d)")
_TITLE = re.compile(r"\b(?:dr|mr|mrs|ms|st|prof|sr|sra)\.$", re.IGNORECASE)
_PAUSES = (",", "-", "–", "—", "…", "..", ":", ";", "、", "，")
_QUESTIONS = ("?", "？", "؟")
_STOPS = (".", "!", "。", "！", "।", "۔")


@lru_cache(maxsize=ASKED_AGAIN)
def without_noise(text: str) -> str:
    """The text without what the recogniser wrote about sounds that are no words."""
    return " ".join(_NOISE.sub(" ", unicodedata.normalize("NFKC", text)).split())


@lru_cache(maxsize=ASKED_AGAIN)
def lowered(text: str) -> str:
    """Lower case, plain apostrophes, "am" and "pm" without stops, drawn-out letters once
    ("okaaay"). Punctuation stays."""
    words = re.sub("[‘’`´]", "'", without_noise(text)).lower()
    return _DRAWN_OUT.sub(r"\1", _HALF_OF_DAY.sub(r"\1m", words))


def words_of(text: str) -> list[str]:
    """The words, without punctuation; what is joined by hyphens is several."""
    return _WORD.findall(lowered(text))


def plain(text: str) -> str:
    """The words, each after one space."""
    return " ".join(words_of(text))


class Ending:
    """What punctuation a text ends with; the recogniser's opinion, and often only a habit."""

    PAUSE = "pause"
    STOP = "stop"
    QUESTION = "question"
    NONE = "none"


def ending_of(text: str) -> str:
    """One of :class:`Ending`. "Mr." and the stop of "a.m." end nothing."""
    stripped = without_noise(text).rstrip("\"'”’») ")
    if stripped.endswith(_PAUSES):
        return Ending.PAUSE
    if stripped.endswith(_QUESTIONS):
        return Ending.QUESTION
    if stripped.endswith(_STOPS) and not _TITLE.search(stripped):
        return Ending.STOP
    return Ending.NONE


def has_words(text: str) -> bool:
    """Whether a transcript holds a letter or a digit at all."""
    return any(character.isalnum() for character in text)
