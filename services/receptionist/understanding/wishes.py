"""When a caller would like to come: the part of an utterance that tells it, for the tools.

Only finds the words; what they mean is the business of ``when``. Works on words made comparable by
``words.normalise``.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from services.receptionist.calendar.days import HOLIDAYS, MONTHS, full_date
from services.receptionist.calendar.schedule import WEEKDAYS

HOURS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
_N = rf"(?:\d{{1,2}}|{HOURS})"
_MINUTES = r"(?:fifteen|twenty|thirty|forty five|forty|fifty|oh five|ten|[0-5]\d)"
_COUNT = rf"(?:an?|half an|the|a couple of|a few|{_N})"
_ORDINAL = (
    r"(?:\d{1,2}(?:st|nd|rd|th)|(?:twenty |thirty )?(?:first|second|third|fourth|fifth|sixth"
    r"|seventh|eighth|ninth)|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth"
    r"|seventeenth|eighteenth|nineteenth|twentieth|thirtieth)"
)
_DAY = re.compile(
    rf"\b(?:(?:last )?(?:{'|'.join(WEEKDAYS)})s?|today|tonight|yesterday|day after tomorrow"
    r"|tomorrow|week ?ends?"
    rf"|(?:{_ORDINAL} (?:of )?)?(?:{'|'.join(MONTHS)})(?: (?:the )?(?:{_ORDINAL}|\d{{1,2}}\b))?"
    rf"|(?:the|on) {_ORDINAL}(?! (?:one|slot|time|option|available|possible))"
    rf"|\d{{4}} \d\d \d\d|\d{{1,2}}/\d{{1,2}}"
    r"|(?:this|next|following|coming|last) (?:week|month|year)"
    rf"|(?:{_COUNT} )?(?:days?|weeks?|months?) (?:later|earlier|from now|before|after|sooner)"
    rf"|in {_COUNT} (?:days?|weeks?|months?)|week (?:from|after)"
    r"|(?:next|following|same|previous) day|(?:day|week) (?:after|before)"
    r"|any ?day|week ?days?|lunch ?time today"
    rf"|{HOLIDAYS})\b"
)
_CLOCK = re.compile(
    rf"\b(?:(?:half|quarter|{_N}|twenty|twenty five)(?: minutes)? (?:past|to|after|before) {_N}"
    rf"|\d{{1,2}}:\d\d(?: [ap]m)?|{_N}(?: {_MINUTES})? (?:am|pm|o clock|in the \w+|at night)"
    rf"|{_N} {_MINUTES}|half {_N}|(?:at|past|around|about|by|after|before|until|between|make it)"
    rf" (?:\d{{1,4}}|{HOURS})(?! (?:days?|weeks?|months?|years?|hours?|minutes|of))"
    rf"(?: {_MINUTES})?(?: (?:am|pm|o clock))?"
    r"|(?:after|before) lunch|noon|midday|midnight|lunch ?time|night"
    r"|(?:early |late |mid )*(?:morning|afternoon|evening)s?"
    r"|same (?:time|hour)"
    rf"|(?:{_COUNT} )?(?:hours?|minutes) (?:later|earlier|before|after|sooner)"
    r"|(?<!see you )(?:later|earlier|sooner)(?! (?:appointment|booking))"
    r")\b"
)
_SOONEST = re.compile(
    r"\b(?:as soon as (?:possible|you can)|asap|(?:first|next|earliest|soonest)(?: possible)?"
    r" (?:available|possible|opening|slot|free|appointment|time|one|date|day)\b(?: \w+)?"
    r"|the (?:earliest|soonest)|how soon|any ?time|whenever|right (?:now|away)|straight away|now)\b"
)
_BARE = re.compile(
    r"^(?:(?:at|to|for|say|maybe|perhaps|let us say|make it|no(?! one\b)|sorry|rather|i said"
    rf"|i meant|better) )*({_N}|\d{{3,4}})\b"
)
_INDIFFERENT = re.compile(
    r"\b(?:whatever|whichever|any|anything|you (?:choose|pick|decide)|no preference|flexible"
    r"|not (?:mind|care|matter)|all the same)\b"
)
_RUN_TOGETHER = re.compile(r"(?<!\d )\b([1-9]|1[0-2])([0-5]\d)\b(?! \d)")
"""A time as recognisers write it: "915"."""
_JOINED = re.compile(rf"\b(?:and|or|to|until) {_N}\b(?! {_MINUTES})")
_LINKS = frozenset(
    """at on in the of or by around about after before from until next this coming following a
    between early late mid same""".split()  # noqa: SIM905
)
_BARE_WEEKDAY = re.compile(
    rf"(?<!next )(?<!this )(?<!coming )(?<!last )\b({'|'.join(WEEKDAYS)})s?\b"
)
_SAME_TIME = re.compile(r"\b(?:at )?(?:the )?same (?:time|hour)\b")


def tells_day(words: str) -> bool:
    """Whether a day is named."""
    return bool(_DAY.search(words))


def tells_clock(words: str) -> bool:
    """Whether a time of day is named."""
    return bool(_CLOCK.search(words) or _BARE.search(words))


def when_in(words: str, *, is_answer: bool = False) -> str:
    """The words that tell when; '' if none do. In an answer a number alone is a time of day."""
    spans = [
        match.span() for pattern in (_DAY, _CLOCK, _SOONEST) for match in pattern.finditer(words)
    ]
    if is_answer and (bare := _BARE.search(words)):
        spans.append(bare.span(1))
    if not spans:
        return ""
    spans += [match.span() for match in _JOINED.finditer(words)]
    told = [False] * len(words.split())
    starts = [match.start() for match in re.finditer(r"\S+", words)]
    for start, end in spans:
        for place, at in enumerate(starts):
            told[place] |= start <= at < end
    wish = " ".join(_with_links(words.split(), told)).removeprefix("make it ")
    return _RUN_TOGETHER.sub(r"\1:\2", wish)


def any_time(words: str) -> str:
    """A wish for the first free time, if the caller does not mind when; else ''."""
    return "as soon as possible" if _INDIFFERENT.search(words) else ""


def in_context(words: str, day: str, time: str, today: date) -> str:
    """The same, with the day (ISO) or the time of day that was talked about, if it names none."""
    if time:
        words = _SAME_TIME.sub(f"at {time}", words)
    words = near_day(words, day, today)
    if tells_day(words):
        has_time = tells_clock(words) or _SOONEST.search(words)
        return words if has_time or not time else f"{words} at {time}"
    if day and tells_clock(words):
        return f"{words} on {full_date(date.fromisoformat(day))}"
    return words


def near_day(words: str, day: str, today: date) -> str:
    """The same; a bare weekday is the one nearest to the day (ISO) that is being talked about."""
    weekday = _BARE_WEEKDAY.search(words)
    if not day or not weekday or len(_DAY.findall(words)) != 1:
        return words
    near = _nearest(WEEKDAYS.index(weekday[1]), date.fromisoformat(day), today)
    return words.replace(weekday[0], full_date(near).lower().replace(",", ""))


def _nearest(weekday: int, to: date, today: date) -> date:
    ahead = (weekday - to.weekday()) % 7
    before = to + timedelta(days=ahead - 7)
    return before if ahead > 3 and before >= today else to + timedelta(days=ahead)


def _with_links(words: list[str], told: list[bool]) -> list[str]:
    """The words that tell something, and the small ones before each of them."""
    kept: list[str] = []
    waiting: list[str] = []
    for word, tells in zip(words, told, strict=True):
        if tells:
            kept += [*waiting, word]
            waiting = []
        elif word in _LINKS:
            waiting.append(word)
        else:
            waiting = []
    return kept
