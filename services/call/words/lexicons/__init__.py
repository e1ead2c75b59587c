"""Word lists, one per language. Data only: what to do with them is said elsewhere."""

from __future__ import annotations

from services.call.words.lexicons.english import ENGLISH
from services.call.words.lexicons.french import FRENCH
from services.call.words.lexicons.german import GERMAN
from services.call.words.lexicons.lexicon import Lexicon
from services.call.words.lexicons.spanish import SPANISH

_UNKNOWN = Lexicon()
_LEXICONS = {"en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH}


def lexicon_of(language: str) -> Lexicon:
    """The words of a language ("en", "en-GB", "en_US"); none of one that is not known."""
    return _LEXICONS.get(language.lower().replace("_", "-").partition("-")[0], _UNKNOWN)
