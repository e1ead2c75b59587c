"""The words of an utterance, made comparable: what a small recogniser writes in many ways, in one.

Pure functions on text. Nothing here is shown or stored; it is only compared.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from rapidfuzz import fuzz, process

_HEADS = "what|where|who|how|that|it|there|when|here|he|she|name|everything|all"
_REWRITES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[‘’`´]", "'"),
        (r"\bo'? ?clock\b", "o clock"),
        (r"\b(make it|at|past|change it to|move it to) (?:for|fore)(?=\W*$)", r"\1 four"),
        (r"\b(make it|at|past) (?:to|too)(?=\W*$)", r"\1 two"),
        (r"\b(make it|at|past|to) ate(?=\W*$)", r"\1 eight"),
        (r"\b(half|quarter|ten|twenty|five)[- ]passed\b", r"\1 past"),
        (r"\b(past|at|before|after|around|about|until) tree\b", r"\1 three"),
        (r"\b(past|at|around|about) (?:to|too) (?=fifteen|thirty|forty)", r"\1 two "),
        (r"\b(past|at|around|about) (?:for|fore) (?=fifteen|thirty|forty)", r"\1 four "),
        (r"\b(\w+)[- ]ups\b", r"\1 up"),
        (r"\bre[- ]?(schedul)", r"re\1"),
        (r"\bbook(?:ing)? in (?=an? |appoint)|\bbook(?:ing)? in(?= app)", "book "),
        (r"\ba ?point(?:ed)? ?m[ae]n(?:t?s?)\b|\bappoint(?:ed)? m[ae]nt\b", "appointment"),
        (r"\b(u+h+ u+h+|nu+h u+h)\b|\bmm mm\b", "no"),
        (r"\b(u+h+[ -]?hu+h+|mm+[ -]?hm+|mhm+)\b", "yes"),
        (r"\b([ap])\.? ?m\b\.?(?=\W|$)", r"\1m"),
        (r"(?<=\d)(am|pm)\b", r" \1"),
        (r"\bcan't\b|\bcannot\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\blet's\b", "let us"),
        (r"n't\b", " not"),
        (rf"\b({_HEADS})'s\b", r"\1 is"),
        (r"'s\b|s'(?=\s|$)", "s"),
        (r"'re\b", " are"),
        (r"'d\b", " would"),
        (r"'ll\b", " will"),
        (r"'ve\b", " have"),
        (r"'m\b", " am"),
        (r"'", ""),
        (r"\b(?:chess|jest|just|chests|test) pains?\b", "chest pain"),
        (r"\bto-? ?morr?ow\b", "tomorrow"),
        (r"\bto-day\b", "today"),
        (r"\bwe(?:nd?e?s|dne?s|dens)day(s?)\b", r"wednesday\1"),
        (r"\bto-night\b", "tonight"),
        (r"\bweek-? ends?\b|\bweekends\b", "weekend"),
        (r"\be-? ?mails?\b", "email"),
        (r"\bgood-? ?by(e)?s?\b|\bbu+h-? ?by(e)?\b|\bbye?[- ]bye?\b", "goodbye"),
        (r"\bnever-? ?mind\b", "never mind"),
        (r"\b(my|your|the|opening|office|business) ours\b|^ours$", r"\1 hours"),
        (r"\b'?till?\b", "until"),
        (r"\bok\b|\bokey\b|\bo k\b", "okay"),
        (r"\b(?:wanna)\b", "want to"),
        (r"\bgotta\b", "have to"),
        (r"\bdoctors?\b(?= \w)", "dr"),
        (r"\bgonna\b", "going to"),
        (r"\ba ?i\b(?=$|[^a-z]*$)", "ai"),
    )
)
_NOT_A_WORD = re.compile(r"(?<!\d):|:(?!\d)|[^\w:]|_")
_FILLER = re.compile(r"\b(?:u+h+|u+m+|u+h+m+|e+r+m*|h+m+|a+h+|o+h+|mm+)\b")
_LEAD = re.compile(r"^(?:(?:well|so|and|but|you know|i mean|actually|listen) )+(?=\S)")
CLOSE_ENOUGH = 84
"""How alike two words are that may be one, misheard: 0 to 100."""
_SHORTEST_TO_CORRECT = 5


def normalise(text: str) -> str:
    """Lower case, no punctuation, no fillers, no contractions, one spelling for each thing."""
    words = unicodedata.normalize("NFKC", text).lower()
    for pattern, replacement in _REWRITES:
        words = pattern.sub(replacement, words)
    words = _FILLER.sub(" ", _NOT_A_WORD.sub(" ", words))
    return _LEAD.sub("", " ".join(words.split()))


def correct(words: str, vocabulary: Collection[str]) -> str:
    """Replace misheard words by the word of the vocabulary that they nearly are."""
    return " ".join(_corrected(word, vocabulary) for word in words.split())


def _corrected(word: str, vocabulary: Collection[str]) -> str:
    if len(word) < _SHORTEST_TO_CORRECT or word in vocabulary or not word.isalpha():
        return word
    candidates = [known for known in vocabulary if known[0] == word[0]]
    found = process.extractOne(word, candidates, scorer=fuzz.ratio, score_cutoff=CLOSE_ENOUGH)
    return str(found[0]) if found else word


_STOP_WORDS = frozenset(
    """a an and any are at be can could did do does for from get got had has have hello hey hi how
    i if in is it its know me my of on or our please some tell that the there this to us want was
    we what when where which who will with would you your about much many offer accept take like
    need so just also am not been""".split()  # noqa: SIM905
)
_ENDINGS = re.compile(r"(?:ings?|ers?|ies|es|s|ed|e|y)$")


def content(words: str) -> tuple[str, ...]:
    """The stems of the words that carry the meaning; of all words if none does."""
    tokens = words.split()
    return tuple(stem(word) for word in tokens if word not in _STOP_WORDS) or tuple(
        stem(word) for word in tokens
    )


def stem(word: str) -> str:
    """A word without its English ending."""
    return _ENDINGS.sub("", word) if len(word) > 4 else word


def covered(
    wanted: Collection[str], given: Collection[str], closeness: int = CLOSE_ENOUGH
) -> float:
    """Which part of the wanted stems is among the given ones, or nearly: 0.0 to 1.0."""
    if not wanted:
        return 0.0
    met = [one for one in wanted if any(alike(one, other, closeness) for other in given)]
    return len(met) / len(wanted)


def alike(one: str, other: str, closeness: int = CLOSE_ENOUGH) -> bool:
    """Whether two words are the same, or could be misheard for one another."""
    if min(len(one), len(other)) < 4:
        return one == other
    return one[0] == other[0] and fuzz.ratio(one, other) >= closeness


_YES = re.compile(
    r"(?:yes|yeah|yep|yup|yea|ya|yah|yeh|sure|okay|correct|right|exactly|absolutely|definitely"
    r"|of course|certainly|indeed|please(?: do)?$|go ahead|go for it|perfect|great|fine|good"
    r"|sounds (?:good|great|right)|it is(?: (?:right|correct|fine|good))?$"
    r"|i (?:would|do)(?: (?:like|love) (?:that|to))?$"
    r"|that is (?:right|correct|fine|good|great|it|perfect|okay)|(?:that|it) works?"
    r"|would be (?:great|nice)|(?:no )+(?:that|it) is (?:right|correct)"
    r"|that (?:will|would) (?:do|be)|all ?right|no (?:problem|worries))\b"
)
_NO = re.compile(
    r"(?:no|none|nope|nah|not|never|wrong|incorrect|negative|do not|rather not"
    r"|(?:it|that|this) is (?:not|wrong|incorrect)|i (?:do|would|am) (?:rather )?not)\b"
)


def yes_or_no(words: str) -> bool | None:
    """What an answer that was made comparable begins with: yes, no, or neither."""
    if _YES.match(words):
        return True
    return False if _NO.match(words) else None


_BEGINS_TO_ASK = re.compile(
    r"(?:(?:hi|hello|hey|yes|okay|sure|good (?:morning|afternoon|evening)) )*"
    r"(?:(?:i would like|i want|i need) to (?:know|ask)|(?:i was|i am) (?:just )?wondering"
    r"|how much (?:is|are|does|do|for)"
    r"|(?:can|could|may) i (?:just )?ask (?:you )?(?:something|a question)"
    r"|i (?:have|had)(?: got)? (?:a|another|one more) (?:quick )?question(?: for you)?)"
    r"(?: (?:you|something|about|if|whether|the|a))*"
)
_STOPS_SHORT = re.compile(r"\b(?:the|an?|and|or|if|to|my|your|because)$")


def begins_to_ask(words: str) -> bool:
    """Whether it is nothing but the beginning of a question: "I was wondering if"."""
    return bool(_BEGINS_TO_ASK.fullmatch(words))


def stops_short(words: str) -> bool:
    """Whether it ends on a word with which no sentence ends."""
    return bool(_STOPS_SHORT.search(words))
