"""English numbers into words: money, times, dates, years, ordinals, and plain numbers. Pure.

The fast voices do not do it themselves (ElevenLabs' Flash v2.5 has no normalisation of numbers) and
guess: "$1,200.50" or "10:30" come out wrong. Digits that are said one by one ("5 5 5") stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from num2words import num2words  # type: ignore[import-untyped]

Match = re.Match[str]

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_MONTH_FIRST = frozenset({"", "US", "CA", "PH"})
_LONGEST = 15  # digits: more is no quantity


def numbers_in_words(text: str, region: str = "US") -> str:
    """``text`` with its numbers as English words.

    ``region`` tells whether 3/4/2026 is in March or in April, ISO 3166 alpha-2.
    """
    if not _DIGIT.search(text):
        return text
    month_first = region.upper() in _MONTH_FIRST
    text = _SLASHED.sub(lambda match: _slashed_date(match, month_first=month_first), text)
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return text


# --- words of a number ----------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _words(number: int, to: str = "cardinal") -> str:
    words: str = num2words(number, lang="en", to=to)
    return words.replace(" and ", " ").replace(",", "").replace("oh-", "oh ")


def _digits(digits: str) -> str:
    return " ".join(digits)


def _amount(written: str) -> str:
    """A quantity: "1,200", "98.6"."""
    whole, _, decimals = written.replace(",", "").partition(".")
    if len(whole) > _LONGEST:
        return _digits(whole + decimals)
    said = _words(int(whole or "0"))
    if not decimals:
        return said
    return f"{said} point {' '.join(_words(int(digit)) for digit in decimals[:_LONGEST])}"


def _apart(match: Match, said: str) -> str:
    """With a space where a letter would touch it: "4B" is "four B"."""
    text, start, end = match.string, match.start(), match.end()
    before = " " if start and text[start - 1].isalnum() else ""
    after = " " if end < len(text) and text[end].isalnum() else ""
    return f"{before}{said}{after}"


def _minus(match: Match) -> str:
    return "minus " if match["minus"] else ""


# --- money ----------------------------------------------------------------------------------------

_CURRENCIES = {
    "$": (("dollar", "dollars"), ("cent", "cents")),
    "€": (("euro", "euros"), ("cent", "cents")),
    "£": (("pound", "pounds"), ("penny", "pence")),
}
_SCALES = {"k": "thousand", "K": "thousand", "M": "million", "B": "billion"}


def _money(match: Match) -> str:
    names, cents = _CURRENCIES[match["sign"]]
    written, scale = match["amount"].replace(",", ""), match["scale"]
    per = " per" if match["per"] else ""
    if scale:
        scale = _SCALES.get(scale, scale)
        return _apart(match, f"{_minus(match)}{_amount(written)} {scale} {names[1]}{per}")
    whole, _, decimals = written.partition(".")
    if len(decimals) not in {0, 2} or len(whole) > _LONGEST:
        return _apart(match, f"{_minus(match)}{_amount(written)} {names[1]}{per}")
    big, small = int(whole), int(decimals or "0")
    parts = [f"{_words(big)} {names[big != 1]}"] if big or not small else []
    parts += [f"{_words(small)} {cents[small != 1]}"] if small else []
    return _apart(match, f"{_minus(match)}{' and '.join(parts)}{per}")


# --- times ----------------------------------------------------------------------------------------


def _half(match: Match) -> str:
    """The half of the day, and the stop if the last dot of "p.m." ended the sentence too."""
    half = f" {match['half'].upper()} M"
    if not match["dot"]:
        return half
    return f"{half}." if _SENTENCE_END.match(match.string, match.end()) else half


def _clock(match: Match) -> str:
    hour, minute = int(match["hour"]), int(match["minute"] or "0")
    minutes = f" {'oh ' if minute < 10 else ''}{_words(minute)}" if minute else ""
    if match["half"]:
        said = f"{_words(hour)}{minutes}{_half(match)}"
    elif minute:
        said = f"{_words(hour)}{minutes}"
    elif not hour:
        said = "midnight"
    else:
        said = _words(hour) + (" hundred" if hour > 12 else " o'clock")
    if second := int(match["second"] or "0"):
        said += f" and {_words(second)} second{'s' * (second != 1)}"
    return _apart(match, said)


# --- dates ----------------------------------------------------------------------------------------


def _year(written: str) -> str:
    return _words(int(written), "year")


def _date(match: Match, day: int, month: int, year: str | None) -> str:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return match[0]
    said = f"{_MONTHS[month - 1]} {_words(day, 'ordinal')}"
    return f"{said}, {_year(year)}" if year else said


def _slashed_date(match: Match, *, month_first: bool) -> str:
    first, second, year = int(match["first"]), int(match["second"]), match["year"]
    if not year and f"{first}/{second}" in _FRACTIONS:
        return _FRACTIONS[f"{first}/{second}"]
    if year and len(year) == 2:
        year = f"20{year}"
    is_month_first = second > 12 or (month_first and first <= 12)
    month, day = (first, second) if is_month_first else (second, first)
    said = _date(match, day, month, year)
    if said != match[0]:
        return said
    return " slash ".join(_amount(number) for number in match[0].split("/"))


def _numeric_date(match: Match) -> str:
    return _date(match, int(match["day"]), int(match["month"]), match["year"])


def _month(name: str) -> str:
    return next(month for month in _MONTHS if month.startswith(name[:3]))


def _month_day(match: Match) -> str:
    said = f"{_month(match['name'])} {_words(int(match['day']), 'ordinal')}"
    if match["last"]:
        said += f" to {_words(int(match['last']), 'ordinal')}"
    return f"{said}, {_year(match['year'])}" if match["year"] else said


def _day_month(match: Match) -> str:
    said = f"the {_words(int(match['day']), 'ordinal')} of {_month(match['name'])}"
    return f"{said}, {_year(match['year'])}" if match["year"] else said


def _decade(match: Match) -> str:
    words = _year(match["decade"])
    return _apart(match, f"{words[:-1]}ies" if words.endswith("y") else f"{words}s")


# --- the rest -------------------------------------------------------------------------------------


def _range(match: Match) -> str:
    first, last = match["first"], match["last"]
    if all(_IS_YEAR.fullmatch(year) for year in (first, last)):
        return f"{_year(first)} to {_year(last)}"
    if float(first.replace(",", "")) < float(last.replace(",", "")):
        return f"{first} to {last}"
    return f"{first}, {last}"


def _with_unit(match: Match) -> str:
    unit = match["unit"]
    said = "percent" if unit == "%" else "cents" if unit == "¢" else "degrees"
    scale = {"F": " Fahrenheit", "C": " Celsius"}.get(unit[-1], "")
    return _apart(match, f"{_minus(match)}{_amount(match['amount'])} {said}{scale}")


def _spelled(match: Match) -> str:
    if re.search(r"[0-9] [0-9]", match[0]):
        return match[0]
    return re.sub("[0-9]", lambda digit: _words(int(digit[0])), match[0])


def _plain(match: Match) -> str:
    if match["run"]:
        return _spelled(match)
    if match["groups"]:
        return ", ".join(_digits(group) for group in re.findall("[0-9]+", match["groups"]))
    if match["dotted"]:
        parts = [_amount(part) for part in match["dotted"].split(".")]
        return _apart(match, " point ".join(parts))
    written = match["amount"]
    plus = " plus" if match["plus"] else ""
    if written.isdigit() and _is_code(match, written):
        return _apart(match, _digits(written) + plus)
    return _apart(match, _minus(match) + _amount(written) + plus)


def _is_code(match: Match, digits: str) -> bool:
    """Whether it is no quantity: said digit by digit."""
    if digits[0] == "0" and len(digits) > 1:
        return True
    if len(digits) > 4:
        return not digits.endswith("00")
    before = match.string[match.start() - 1 : match.start()]
    after = match.string[match.end() : match.end() + 1]
    return len(digits) == 4 and (before.isalpha() or after.isalpha())


_FRACTIONS = {
    **{"1/2": "one half", "1/3": "one third", "2/3": "two thirds"},
    **{"1/4": "one quarter", "3/4": "three quarters"},
}
_DIGIT = re.compile("[0-9]")
_IS_YEAR = re.compile("(?:19|20)[0-9]{2}")
_DASH = r"\s*[-–—]\s*"
_AMOUNT = r"(?P<amount>(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?)"
_NAMES = "|".join(_MONTHS)
_SHORT = "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Sep|Oct|Nov|Dec"
_NAME = rf"\b(?P<name>{_NAMES}|{_SHORT})\b\.?"
_DAY = r"(?P<day>3[01]|[12][0-9]|0?[1-9])"
_TH = r"(?:st|nd|rd|th)"
_YEAR = r"(?P<year>(?:19|20)[0-9]{2})\b(?![,.:/][0-9])"
_SIGN = r"(?P<minus>(?<![\w)%$€£.,:/-])[-−])?"
_HALF = r"(?P<half>[AaPp])(?:\.\s?[Mm](?P<dot>\.)?|[Mm]\b)"
_SLASHED = re.compile(
    r"(?<![\w./-])(?P<first>[0-9]{1,2})/(?P<second>[0-9]{1,2})(?:/(?P<year>[0-9]{4}|[0-9]{2}))?"
    r"(?![\w/])"
)
_WEEKDAYS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_SENTENCE_END = re.compile(
    rf"\s*$|\s+(?!(?:{_WEEKDAYS}|{_SHORT}|May)[a-z]*\b)(?:[A-Z]['’a-z]|I\b|A\b)"
)
_CODE_WORDS = (
    "code|PIN|pin|passcode|account|reference|confirmation|policy|ZIP|zip|ending in|ends in|"
    "booking|ticket|order|invoice|case|claim"
)
_RULES: tuple[tuple[re.Pattern[str], Callable[[Match], str]], ...] = (
    (
        re.compile(
            rf"(?:\bUS)?{_SIGN}(?P<sign>[$€£])\s?{_AMOUNT}"
            r"(?:\s?(?P<scale>[kKMB]|thousand|million|billion)\b)?(?P<per>\s?/\s?(?=[a-z]))?"
        ),
        _money,
    ),
    (re.compile(rf"{_SIGN}{_AMOUNT}(?P<scale>(?!))?\s?(?P<sign>[€£])(?P<per>/(?=[a-z]))?"), _money),
    (
        re.compile(
            r"(?<![\w.-])(?P<year>(?:19|20)[0-9]{2})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
            r"(?![\w-])"
        ),
        _numeric_date,
    ),
    (
        re.compile(r"(?<![\w.])(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>20[0-9]{2})\b"),
        _numeric_date,
    ),
    # a span of times, of which the first need not say its half of the day
    (
        re.compile(
            rf"(?<![\w.,:-])([0-9]{{1,2}}(?::[0-9]{{2}})?){_DASH}"
            r"(?=[0-9]{1,2}(?::[0-9]{2}(?![0-9])|(?::[0-9]{2})?\s?[AaPp]\.?[Mm]\b))"
        ),
        lambda match: f"{match[1]} to ",
    ),
    (
        re.compile(
            r"(?<![\d.,:])(?P<hour>2[0-3]|[01]?[0-9]):(?P<minute>[0-5][0-9])"
            rf"(?::(?P<second>[0-5][0-9]))?(?![0-9:])(?:\s?{_HALF}|\s?o['’]clock\b)?"
        ),
        _clock,
    ),
    (
        re.compile(
            rf"(?<![\w.,:])(?P<hour>1[0-2]|0?[1-9])(?P<minute>(?!))?(?P<second>(?!))?\s?{_HALF}"
        ),
        _clock,
    ),
    (
        re.compile(
            rf"{_NAME}\s+(?:the\s+)?{_DAY}{_TH}?(?:{_DASH}(?P<last>3[01]|[12][0-9]|[1-9]){_TH}?)?"
            rf"(?![\w%]|[,.:/][0-9])(?:,?\s+{_YEAR})?"
        ),
        _month_day,
    ),
    (
        re.compile(rf"(?<![\w.,:$/-])(?:the\s+)?{_DAY}{_TH}?\s+(?:of\s+)?{_NAME}(?:,?\s+{_YEAR})?"),
        _day_month,
    ),
    (
        re.compile(
            rf"\b(?P<before>{_NAMES}|[Ii]n|[Ss]ince|[Yy]ear|[Uu]ntil|[Bb]efore|[Dd]uring|early|late|"
            rf"[Ss]pring|[Ss]ummer|[Ff]all|[Aa]utumn|[Ww]inter),?\s+{_YEAR}(?![%-]|{_DASH}[0-9])"
        ),
        lambda match: f"{match['before']} {_year(match['year'])}",
    ),
    (re.compile(r"(?<![\w.,])(?P<decade>(?:1[0-9]|20)?[2-9]0)['’]?s\b"), _decade),
    (
        re.compile(r"(?<![0-9.,])([0-9]{1,6}|[0-9]{1,3}(?:,[0-9]{3}){1,3})(?:st|nd|rd|th)\b"),
        lambda match: _apart(match, _words(int(match[1].replace(",", "")), "ordinal")),
    ),
    (
        re.compile(
            rf"\b((?:{_CODE_WORDS})(?:\s+(?:number|code))?(?:\s+is|:)?\s+)([0-9]{{4,}})\b"
            r"(?![,.%-][0-9]|%)"
        ),
        lambda match: match[1] + _digits(match[2]),
    ),
    (re.compile(r"\b([A-Z]{2}\s+)([0-9]{5})\b(?![,.][0-9])"), lambda m: m[1] + _digits(m[2])),
    (
        re.compile(
            r"(?<![\w.,:/-])(?P<first>[0-9]{1,9}(?:,[0-9]{3})*(?:\.[0-9]{1,9})?)\s?[-–—]\s?"
            r"(?P<last>[0-9]{1,9}(?:,[0-9]{3})*(?:\.[0-9]{1,9})?)(?![\w/-]|[.,:][0-9])"
        ),
        _range,
    ),
    (re.compile(rf"{_SIGN}{_AMOUNT}\s?(?P<unit>%|¢|°\s?[FC]\b|°)"), _with_unit),
    (
        re.compile(
            r"(?P<run>(?<![\w.,])[0-9](?:,? [0-9])+(?![\w:]|[.,][0-9]))"
            r"|(?P<groups>(?<![\w.,-])[0-9]{2,}(?:[ -][0-9]{2,}){2,}(?![\w-]|[.,][0-9]))"
            r"|(?P<dotted>[0-9]{1,9}(?:\.[0-9]{1,9}){2,})"
            rf"|{_SIGN}{_AMOUNT}(?P<plus>\+(?!\w))?"
        ),
        _plain,
    ),
)
