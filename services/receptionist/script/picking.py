"""Which of some times or appointments a caller means: "the first one", "two PM", "Wednesday then".

Works on words made comparable by ``words.normalise``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from services.receptionist.calendar.days import MONTHS, full_date, ordinal
from services.receptionist.calendar.schedule import WEEKDAYS
from services.receptionist.understanding.lexicon import Heard
from services.receptionist.understanding.wishes import HOURS, tells_clock, tells_day

_HOURS = ("twelve", *HOURS.split("|")[:-1])
_MINUTES = {
    5: "oh five",
    10: "ten",
    15: "fifteen",
    20: "twenty",
    25: "twenty five",
    30: "thirty",
    35: "thirty five",
    40: "forty",
    45: "forty five",
    50: "fifty",
    55: "fifty five",
}
_MORE = rf"(?!:\d| (?:past|to|oh|\d\d|{'|'.join(_MINUTES.values())})\b)"
"""What makes an hour the beginning of another time."""
_PLACES = (
    (re.compile(r"\b(?:first|1st|earlier|earliest|sooner|soonest|former)\b"), 0),
    (re.compile(r"\b(?:second|2nd)\b"), 1),
    (re.compile(r"\b(?:third|3rd)\b"), 2),
    (re.compile(r"\b(?:last|later|latest|latter)\b"), -1),
)
_TOO_EARLY = re.compile(
    r"\b(?:not (?:that|so|this|quite so|too)|too) early\b"
    r"|\b(?:anything|something|bit|any|even) later\b"
)
_TOO_LATE = re.compile(
    r"\b(?:not (?:that|so|this|quite so|too)|too) late\b"
    r"|\b(?:anything|something|bit|any|even) (?:earlier|sooner)\b"
)
_NUMBERED = re.compile(r"\b(?:number|option) (one|two|three|[123])\b")
_IN_ORDER = re.compile(r"\b(?:earlier|earliest|sooner|soonest|later|latest)\b")
_NUMBER = re.compile(rf"\b(?:\d{{1,2}}|{'|'.join(_HOURS)})\b(?! one)")
_HOUR_ONLY = re.compile(rf"(?:at |the )?(?:\d{{1,2}}|{'|'.join(_HOURS)})(?: one)?$")
_SOME_ONE = re.compile(
    r"\b(?:that|this|first|second|third|last|which|other|later|earlier|latest|earliest) one\b"
)
_ANY = re.compile(r"\b(?:either|any|whichever|whatever|all the same|not (?:mind|care|matter))\b")
_NEITHER = re.compile(r"\b(?:neither|none)\b|\bnot? (?:of|either)\b|\bdo not suit\b|\bnot work\b")


def refuses_all(words: str) -> bool:
    """Whether none of the times will do."""
    return bool(_NEITHER.search(words))


def beyond(words: str, starts: Sequence[str]) -> str:
    """A wish for a time later or earlier than all of these (ISO), on the same day; '' if there is
    no such wish, or another one beside it."""
    is_later, is_earlier = _TOO_EARLY.search(words), _TOO_LATE.search(words)
    if not starts or not (is_later or is_earlier) or tells_day(words):
        return ""
    if tells_clock(_IN_ORDER.sub("", words)):
        return ""
    if is_later:
        at = max(datetime.fromisoformat(start) for start in starts) + timedelta(minutes=1)
    else:
        at = min(datetime.fromisoformat(start) for start in starts)
    day = full_date(at.date()).lower().replace(",", "")
    return f"{'after' if is_later else 'before'} {at:%H:%M} on {day}"


def taken_up(
    heard: Heard, offered: Sequence[str], agrees: re.Pattern[str], misses: int
) -> list[int] | None:
    """As :func:`picked`; a yes to the only time, or to several for want of better words
    (``agrees``, or a yes after ``misses``), takes the first: it is read back anyway."""
    places = picked(heard.words, offered)
    if places is None and (
        agrees.search(heard.words) or (heard.answer and (misses or len(offered) == 1))
    ):
        return [0]
    return places


def picked(words: str, starts: Sequence[str]) -> list[int] | None:
    """The places of the times (ISO) that were meant. Empty: another time was asked for; None: the
    words tell nothing of the kind."""
    if refuses_all(words):
        return None
    at = [datetime.fromisoformat(start) for start in starts]
    if numbered := _NUMBERED.search(words):
        place = int(numbered[1]) - 1 if numbered[1].isdigit() else _HOURS.index(numbered[1]) - 1
        return [place] if 0 <= place < len(at) else []
    without_order = _IN_ORDER.sub("", words)
    told_day, told_clock = tells_day(words), tells_clock(without_order) or _bare(words)
    fit = list(range(len(at)))
    if told_day:
        fit = [place for place in fit if _is_day(words, at[place])]
    if told_clock:
        exact = [place for place in fit if _is_time(words, at[place])]
        whole = (
            [place for place in exact if not at[place].minute] if _HOUR_ONLY.match(words) else []
        )
        fit = whole or exact or [place for place in fit if _is_part_of_day(words, at[place])]
    among = fit or list(range(len(at)))
    in_order = next((place for pattern, place in _PLACES if pattern.search(words)), None)
    if in_order is not None and len(among) > 1 and -len(among) <= in_order < len(among):
        return [among[in_order]]
    if told_day or told_clock:
        return fit
    return [0] if at and _ANY.search(words) else None


def _bare(words: str) -> bool:
    """Whether a number is told that is no "one" of "the other one"."""
    return bool(_NUMBER.search(words)) and not _SOME_ONE.search(words)


def _is_day(words: str, at: datetime) -> bool:
    number = rf"(?:{at.day}|{ordinal(at.day)})"
    named = rf"\b{WEEKDAYS[at.weekday()]}s?\b|\b{MONTHS[at.month - 1]} (?:the )?{number}\b"
    return bool(re.search(rf"{named}|\bthe {number}\b", words))


def _is_time(words: str, at: datetime) -> bool:
    halves = {True: r"\bpm\b|afternoon|evening|night", False: r"\bam\b|morning"}
    if re.search(halves[at.hour < 12], words) and not re.search(halves[at.hour >= 12], words):
        return False
    hour, following = _hour(at.hour), _hour(at.hour + 1)
    minute = at.minute
    if minute == 0:
        whole = rf"(?<!past )(?<!quarter to )(?<!\d:)(?<!\d )\b{hour}\b{_MORE}"
        noon = r"|\bnoon\b|\bmidday\b" if at.hour == 12 else ""
        return bool(re.search(whole + noon, words))
    spoken = _MINUTES.get(minute, str(minute))
    ways = [rf"\b{hour}[: ](?:{minute:02}|{spoken})\b", rf"\b{at.hour}:{minute:02}\b"]
    ways += [rf"\bhalf(?: past)? {hour}\b"] if minute == 30 else []
    ways += [rf"\bquarter (?:past|after) {hour}\b"] if minute == 15 else []
    ways += [rf"\bquarter (?:to|before) {following}\b"] if minute == 45 else []
    ways += [rf"^(?:the |at )?{hour}(?: one)?$"]
    return any(re.search(way, words) for way in ways)


def _is_part_of_day(words: str, at: datetime) -> bool:
    if re.search(r"\bmorning\b", words):
        return at.hour < 12
    if re.search(r"\bafternoon\b", words):
        return 12 <= at.hour < 18
    return at.hour >= 17 if re.search(r"\bevening\b", words) else False


def _hour(hour: int) -> str:
    twelfth = hour % 12
    return rf"(?:{twelfth or 12}|{_HOURS[twelfth]})"
