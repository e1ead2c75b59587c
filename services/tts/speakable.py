"""Text to read into text to say, for a voice that knows little more than words. Pure.

Each rule is there because the voice got it wrong without: "(555) 867-5309" became five hundred
fifty-five, "Jan. 5th" two sentences. What a reader sees stays as it was; only the sound changes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import phonenumbers

from services.tts.numbers import numbers_in_words

Rule = tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]


def speakable(text: str, region: str = "US", *, language: str = "en") -> str:
    """``text`` as it should be said: no markdown, no emoji, numbers and addresses spelled out.

    ``region``: where telephone numbers without a country code are from, ISO 3166 alpha-2.
    ``language``: of the text, ISO 639-1 with or without a region; numbers become words in English
    only. Empty if there is nothing to say.
    """
    text = unicodedata.normalize("NFC", text)
    text = _apply(_MARKDOWN, text)
    text = _apply(_ADDRESSES, text)
    text = _say_phone_numbers(text, region)
    text = _apply(_WORDS, text)
    if language[:2].lower() == "en":
        text = numbers_in_words(text, region)
    text = "".join(map(_sayable, text))
    text = _apply(_TIDY, text).strip()
    return text if any(character.isalnum() for character in text) else ""


def _apply(rules: tuple[Rule, ...], text: str) -> str:
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


# --- telephone numbers ----------------------------------------------------------------------------


_FEWEST_DIGITS = 7
_MAY_HOLD_PHONE_NUMBER = re.compile(
    rf"(?:\d[^\da-wyz,:;!?$%]{{0,4}}){{{_FEWEST_DIGITS}}}|[+＋]", re.IGNORECASE
)
_DATED = re.compile(  # "4711 2026", "2019 - 2026", "24.11.2026", "2026-11-24"
    r"[1-9]\d{0,3}\s*[\s–—-]\s*(?:19|20)\d\d|(?:\d\d?[\s./-]+){2}(?:19|20)\d\d"
    r"|(?:19|20)\d\d[\s./-]+\d\d?[\s./-]+\d\d?(?:\s+\d\d?)?"
)
_PRICE = re.compile(r"[$€£]\s?(?:[\d.,]*[.,])?$")


def _say_phone_numbers(text: str, region: str) -> str:
    """Telephone numbers digit by digit, with a short stop where the number is grouped."""
    if not _MAY_HOLD_PHONE_NUMBER.search(text):
        return text  # the matcher takes longer than all the rest
    leniency = phonenumbers.Leniency.POSSIBLE
    said: list[str] = []
    at = 0
    for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=leniency):
        if not _is_phone_number(match, text):
            continue
        said += text[at : match.start], _say_phone_number(match)
        at = match.end
    return "".join(said) + text[at:]


def _is_phone_number(match: phonenumbers.PhoneNumberMatch, text: str) -> bool:
    """Where short numbers exist (DE, AT, GB), two digits of a price or a time are "possible"."""
    written = match.raw_string
    if written[:1] == "+":
        return True
    if sum(map(str.isdigit, written)) < _FEWEST_DIGITS:
        return False
    return not _DATED.fullmatch(written) and not _PRICE.search(text, 0, match.start)


def _say_phone_number(match: phonenumbers.PhoneNumberMatch) -> str:
    number, extension = match.number, match.number.extension
    written = match.raw_string
    if extension:
        written = written[: written.rindex(extension)]
    groups = re.findall(r"\d+", written)
    if len(groups) == 1 or max(map(len, groups)) == 1:  # not grouped for the ear
        groups = re.findall(r"\d+", _standard_form(number, international=written[:1] == "+"))
    said = ", ".join(" ".join(group) for group in groups)
    if written[:1] == "+":
        said = f"plus {said}"
    return f"{said}, extension {' '.join(extension)}" if extension else said


def _standard_form(number: phonenumbers.PhoneNumber, *, international: bool) -> str:
    bare = phonenumbers.PhoneNumber()
    bare.merge_from(number)
    bare.extension = None
    kind = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(bare, kind.INTERNATIONAL if international else kind.NATIONAL)


# --- addresses, codes, abbreviations --------------------------------------------------------------

_MARKS = {".": "dot", "@": "at", "/": "slash", "-": "dash", "_": "underscore"}


def _say_address(match: re.Match[str]) -> str:
    """A web or mail address: its marks as words."""
    address = re.sub(r"^https?://", "", match[0], flags=re.IGNORECASE).rstrip("/")
    address = re.sub(r"^www\.", "w w w.", address, flags=re.IGNORECASE)
    return re.sub(r"[.@/_-]", lambda mark: f" {_MARKS[mark[0]]} ", address)


def _say_code(match: re.Match[str]) -> str:
    """A reference like #A7-312: character by character, with a short stop for each dash.

    Others with a dash ("COVID-19", "24-HOUR") are words and stay as they are.
    """
    groups = match["code"].split("-")
    mixed = any(not group.isalpha() and not group.isdigit() for group in groups)
    if not match["hash"] and not mixed:
        return match[0]
    if match["code"].isdigit():
        return "number " + (match["code"] if len(match["code"]) < 4 else " ".join(match["code"]))
    said = ", ".join(" ".join(group) for group in groups)
    return re.sub(r"\bA (?=\d)", "A, ", said)  # else it would be the article


_DAYS = {
    **{"Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday"},
    **{"Thu": "Thursday", "Thur": "Thursday", "Thurs": "Thursday", "Fri": "Friday"},
    **{"Sat": "Saturday", "Sun": "Sunday"},
}
_MONTHS = {
    **{"Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Jun": "June"},
    **{"Jul": "July", "Aug": "August", "Sep": "September", "Sept": "September"},
    **{"Oct": "October", "Nov": "November", "Dec": "December"},
}
_PLACES = {"Apt": "Apartment", "Ste": "Suite", "Rm": "Room", "Fl": "Floor"}
_COUNTS = {"No": "number", "no": "number", "Ext": "extension", "ext": "extension"} | {
    "approx": "approximately"
}


def _expand(words: dict[str, str], before: str) -> Rule:
    """Abbreviations with their full stop, where they stand before something."""
    pattern = re.compile(rf"\b({'|'.join(words)})\.\s*(?={before})")
    return pattern, lambda match: f"{words[match[1]]} "


_DAY = "|".join(_DAYS)
_DASH = r"\s*[-–—]\s*"
_DOMAINS = (
    "ai|app|au|biz|ca|clinic|co|com|dental|dev|edu|gov|health|info|io|net|online|org|shop|uk|us"
)

_MARKDOWN: tuple[Rule, ...] = (
    (re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),  # a link: its text
    (re.compile(r"</?[A-Za-z][^<>\n]*>"), " "),
    (re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|[-*+•][ \t]+|>[ \t]*)", re.MULTILINE), ""),
    (re.compile(r"(\*{1,3}|~~|(?<!\w)_{1,3})(?=[^\s*_~])([^\n]+?)(?<=\S)\1(?!\w)"), r"\2"),
    (re.compile(r"(?<=[\w)\]%])[ \t]*\n\s*"), ". "),  # the end of a line ends a sentence
)
_ADDRESSES: tuple[Rule, ...] = (
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), _say_address),
    (re.compile(r"\b(?:https?://|www\.)[^\s<>()]*[\w/]", re.IGNORECASE), _say_address),
    (re.compile(rf"\b[\w-]+(?:\.[\w-]+)*\.(?:{_DOMAINS})\b(?:/[\w./-]*\w)?"), _say_address),
)
_WORDS: tuple[Rule, ...] = (
    (re.compile(r"\b24/7\b"), "twenty-four seven"),
    (re.compile(r"\b(\d{4}-\d\d-\d\d)T(?=\d\d:)"), r"\1 at "),
    (re.compile(rf"(\d ?(?:[AaPp]\.?[Mm]\.?)){_DASH}(?=\d)"), r"\1 to "),
    (re.compile(rf"([$€£])(\d[\d.,]*){_DASH}[$€£]?(?=\d)"), r"\1\2 to \1"),
    (
        re.compile(rf"\b({_DAY})\b\.?{_DASH}({_DAY})\b\.?"),
        lambda match: f"{_DAYS[match[1]]} to {_DAYS[match[2]]}",
    ),
    _expand(_DAYS, r"\d"),
    _expand(_MONTHS, r"\d"),
    _expand(_PLACES, r"[A-Z#\d]"),
    _expand(_COUNTS, r"[#\d]"),
    (re.compile(r"(?<![\w*])\*(?![\w*])"), "star"),  # the keys of a telephone
    (re.compile(r"(?<![\w#])#(?![\w#])"), "pound"),
    (re.compile(r"(?<![\w-])(?P<hash>#?)(?P<code>[A-Z\d]+(?:-[A-Z\d]+)+)(?![\w-])"), _say_code),
    (re.compile(r"(?<!\w)(?P<hash>#)(?P<code>[A-Za-z]*\d[A-Za-z\d]*)(?![\w-])"), _say_code),
)
_TIDY: tuple[Rule, ...] = (
    (re.compile(r"\s+"), " "),
    (re.compile(r" (?=[,.;:!?](?:\s|$))"), ""),
)

_UNSAID = frozenset("*_`~#|[]{}<>\\^•")


def _sayable(character: str) -> str:
    """The character, or what stands for it: a space for a symbol, nothing for a joiner."""
    if character in _UNSAID:
        return " "
    category = unicodedata.category(character)
    if category in {"Cf", "Mn", "Me"}:
        return ""
    if category == "So" and character != "°" or category in {"Sk", "Cc", "Cs", "Co", "Cn"}:
        return " "  # emoji and the like
    return character
