"""Is an e-mail address in an answer whole? It needs a name, an at, a domain, a dot and an end."""

from __future__ import annotations

import re

from services.call.words.digits import digits_in
from services.call.words.lexicons import lexicon_of
from services.call.words.readiness import Judgement, more_to_come, undecided, whole
from services.call.words.wording import lowered

ENDS_ON_ADDRESS = "address whole"
_TOKEN = re.compile(r"@|\.(?=\w)|[\w'+-]+")
_SPELLED_END = re.compile(r"(?:^| )\w(?: \w)+$")
_ENDS = frozenset(
    """com net org edu gov mil int info biz io ai app dev me tv eu us uk ca au nz ie in de at ch fr
    be nl lu es pt it dk se no fi pl cz sk hu ro bg gr hr si ee lv lt is za br mx ar cl jp cn kr sg
    hk tr ru ua il ae online shop store tech cloud xyz pro name email health law agency solutions
    care dental clinic studio london berlin""".split()  # noqa: SIM905
)
_GO_ON = frozenset({"co", "ac", "gov", "edu", "org", "net", "or", "ne", "c", "u", "o"})
"""After these a country may follow: "dot co dot uk". Of them, some are ends as well."""
_COUNTRY_AFTER_COM = frozenset({"AU", "BR", "MX", "AR", "TR", "SG", "HK", "CN", "MY", "CO", "PE"})
_MAILERS = frozenset({"gmail", "hotmail", "outlook", "yahoo", "icloud", "gmx", "aol", "proton"})
_SIGNS = frozenset(
    {"underscore", "hyphen", "dash", "unterstrich", "bindestrich", "guión", "guion", "tiret"}
)


def email_address(text: str, language: str, region: str) -> Judgement | None:
    """Whether the address in ``text`` is whole; None if it has not begun with a clear sign."""
    tokens = _tokens(text, language)
    ats = [place for place, token in enumerate(tokens) if token == "@"]
    if not ats:
        return more_to_come("no at yet") if "." in tokens else None
    tail = tokens[ats[-1] + 1 :]
    if not tail:
        return more_to_come("no domain yet")
    if "." not in tail:
        is_other = len(ats) == 1 and len(tail) > 4
        return None if is_other else more_to_come("no dot yet")
    dot = len(tail) - 1 - tail[::-1].index(".")
    after = tail[dot + 1 :]
    if not after:
        return more_to_come("no end yet")
    return _ended(after, region)


def _ended(after: list[str], region: str) -> Judgement:
    """``after``: what follows the last dot."""
    label, is_last = after[0], len(after) == 1
    if is_last and len(label) == 1:
        return more_to_come("end being spelled")
    if is_last and label in ("co", "ac"):
        return more_to_come("a country may follow")
    may_go_on = label in _GO_ON or (label == "com" and region.upper() in _COUNTRY_AFTER_COM)
    if is_last and may_go_on:
        return undecided("a country may follow")
    if label in _MAILERS:
        return more_to_come("no end yet")
    if _SPELLED_END.fullmatch(" ".join(after)):
        return undecided("end being spelled")
    if label not in _ENDS:
        return undecided("end not known")
    return whole(ENDS_ON_ADDRESS if is_last else "address, and more")


def _tokens(text: str, language: str) -> list[str]:
    """The words of an address, with "at" and "dot" as signs. The "at" of "dot at" is Austria."""
    numbers = lexicon_of(language).numbers
    tokens: list[str] = []
    for token in _TOKEN.findall(lowered(text).rstrip(".,!? ")):
        if token in numbers.dot_words:
            tokens.append(".")
        elif token in numbers.at_words and (not tokens or tokens[-1] != "."):
            tokens.append("@")
        else:
            tokens.append(token)
    return tokens


def name_begun(text: str, language: str) -> bool:
    """Whether what was said so far could be the beginning of an address: a word or a few, or
    letters and digits one by one, a sign that only addresses hold."""
    tokens = _tokens(text, language)
    has_sign = not _SIGNS.isdisjoint(tokens)
    return has_sign or 0 < len(tokens) <= 4 or bool(digits_in(text, language).ends_on_number)
