"""Token stream -> speakable phrases. Pure.

The first phrase goes out at the first clause that is long enough, so that the voice can begin;
later ones at the ends of sentences, because a voice that knows the whole sentence sounds better.
Where the text comes so slowly that the voice has nothing left to say, any word will do.
Markdown and emoji never reach the voice.

Everything is decided character by character, so it cannot matter how the stream was cut into
tokens. A sentence splitter (sentencex, for one) wants the whole text and may move a boundary when
more of it comes; asking it again after each token would speak a sentence before it is known to
have ended, so the few rules that a stream needs are here.
"""

from __future__ import annotations

import re

FIRST_CLAUSE_CHARS = 25
"""The shortest first phrase that may end in the middle of a sentence."""

FEWEST_IN_A_HURRY = 3
"""Words; fewer at a time sound worse than waiting for the next."""

MAX_CHARS = 250
"""No more than this is ever held back."""

_NEVER_LAST = frozenset(
    """dr. mr. mrs. ms. prof. rev. hon. gen. col. capt. lt. sgt. e.g. i.e. vs. cf. approx. est.
    dept. no. nr. tel. ext. fig. vol. mt. ft. jan. feb. mar. apr. jun. jul. aug. sep. sept. oct.
    nov. dec. mon. tue. tues. wed. thu. thur. thurs. fri. sat. sun.""".split()  # noqa: SIM905
)
"""Abbreviations that something follows."""

_MAYBE_LAST = frozenset(
    """a.m. p.m. st. ave. blvd. rd. ln. apt. ste. inc. ltd. co. corp. jr. sr. etc. u.s. u.k. min.
    hrs. hr. ph.d. m.d. d.d.s.""".split()  # noqa: SIM905
)
"""Abbreviations that end a sentence if a capital letter comes next."""

_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*$")
_CLAUSE_END = re.compile(r"(?:(?<!\d)[,;:][\"'”’)\]]*|(?:^|\s)[-–—]|—)$")
_ALWAYS_ENDS = frozenset("。！？")
_NUMBER_OF_ITEM = re.compile(r"\d{1,3}[.)]")
_INITIAL = re.compile(r"(?:[A-Z]\.)+")
_CUT = re.compile(r".*[,;:–—](?= )|.*(?= )", re.DOTALL)


class Phraser:
    """The phrases of one reply."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._markup = _Markup()
        self._buffer = ""
        self._is_first = True
        self._is_amid = False  # a sentence whose first words are spoken already

    def feed(self, token: str) -> list[str]:
        """Take a piece of the reply; the phrases that are complete now, in order."""
        phrases: list[str] = []
        for char in token:
            for plain in self._markup.feed(char):
                phrases += self._take(plain)
        return phrases

    def hurry(self) -> list[str]:
        """The voice waits: a phrase up to a whole word after which people may pause, if there are
        words enough. Not after a number or an abbreviation, which what follows may belong to."""
        words = self._buffer.split(" ")
        whole = words[:-1]  # the last one may go on
        while whole and not _may_pause_after(whole[-1]):
            whole.pop()
        if len(whole) < FEWEST_IN_A_HURRY:
            return []
        rest = " ".join(words[len(whole) :])
        phrases = self._emit(" ".join(whole))
        self._buffer = rest
        self._is_amid = True
        return phrases

    def flush(self) -> list[str]:
        """The reply is over: the rest of it. Afterwards the phraser is as new."""
        phrases = [phrase for plain in self._markup.flush() for phrase in self._take(plain)]
        phrases += self._emit(self._buffer)
        self._reset()
        return phrases

    def _take(self, char: str) -> list[str]:
        """One character of plain text. Spaces are single ones; a line break ends a phrase."""
        if char.isspace():
            if self._ends_here(is_line_end=char == "\n"):
                return self._emit(self._buffer)
            if self._buffer and not self._buffer.endswith(" "):
                self._buffer += " "
            return []
        if self._buffer.endswith(" ") and self._ended_before(char):
            phrases = self._emit(self._buffer)
            self._buffer += char
            return phrases
        self._buffer += char
        if char in _ALWAYS_ENDS:
            return self._emit(self._buffer)
        if len(self._buffer) >= MAX_CHARS:
            return self._cut()
        return []

    def _ends_here(self, *, is_line_end: bool) -> bool:
        """Whether a space or line break right now ends the phrase for certain."""
        text = self._buffer.rstrip()
        if is_line_end:
            return bool(text)
        if text[-1:].isalnum():  # as after nearly every word: no mark, no end
            return False
        if self._is_first and len(text) >= FIRST_CLAUSE_CHARS and _CLAUSE_END.search(text):
            return True
        return bool(_SENTENCE_END.search(text)) and not self._is_open_ended(text)

    def _ended_before(self, char: str) -> bool:
        """Whether the first character of the next word shows that a sentence had ended."""
        text = self._buffer.rstrip()
        starts_anew = char.isupper() or char in "\"“‘'(["
        return starts_anew and self._last_word(text) in _MAYBE_LAST | {"..."}

    def _is_open_ended(self, text: str) -> bool:
        """Whether the full stop at the end may be, or is, part of something else."""
        last = self._last_word(text)
        if last in _NEVER_LAST or last in _MAYBE_LAST or last == "...":
            return True
        is_only_word = " " not in text and not self._is_amid
        return bool(
            _INITIAL.fullmatch(text.split()[-1])
            or (is_only_word and _NUMBER_OF_ITEM.fullmatch(text))
        )

    @staticmethod
    def _last_word(text: str) -> str:
        """The last word as the lists of abbreviations spell it; an ellipsis is a word as well."""
        if re.search(r"(?:\.\.+|…)$", text):
            return "..."
        return text.split()[-1].lower().lstrip("(\"'“‘[") if text else ""

    def _emit(self, text: str) -> list[str]:
        """A phrase, if there is something to say in it; if not, it waits for what follows."""
        phrase = text.strip()
        if not _is_speakable(phrase):
            self._buffer = f"{phrase} " if phrase else ""
            return []
        self._buffer, self._is_first, self._is_amid = "", False, False
        return [phrase]

    def _cut(self) -> list[str]:
        """Too long: up to its last clause, or its last word, or all of it."""
        match = _CUT.match(self._buffer)
        head = match[0] if match and _is_speakable(match[0]) else self._buffer
        rest = self._buffer[len(head) :].lstrip()
        phrases = self._emit(head)
        self._buffer = rest  # so much that cannot be spoken is left out
        return phrases


def _may_pause_after(word: str) -> bool:
    bare = word.rstrip(",;:\"'”’)]")
    return bare.isalpha() and f"{bare.lower()}." not in _NEVER_LAST


def _is_speakable(text: str) -> bool:
    return any(char.isalnum() for char in text)


_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff\ufe0e\ufe0f\u200d\u20e3\U000e0020-\U000e007f]"
)
_BULLETS = frozenset("-+*•")
_LONGEST_LINK = 300


class _Markup:
    """Takes Markdown and emoji out of a stream, looking ahead no further than it must.

    Emphasis, code marks, headings, bullets and quotes lose their marks; of a link the text remains.
    """

    def __init__(self) -> None:
        self._before = "\n"
        self._held = ""
        self._line_start = True

    def feed(self, char: str) -> str:
        """The plain text that is certain now."""
        if _EMOJI.match(char):
            return ""
        self._held += char
        return self._settle(ended=False)

    def flush(self) -> str:
        return self._settle(ended=True)

    def _settle(self, *, ended: bool) -> str:
        plain = ""
        while self._held:
            step = self._step(ended)
            if step is None:
                break
            used, text = step
            if used:
                self._line_start = self._is_line_start(self._held[:used], text)
                self._before = self._held[used - 1]
            self._held = self._held[used:]
            plain += text
        return plain

    def _is_line_start(self, taken: str, text: str) -> bool:
        """Only spaces and the marks that begin a line have come since the line break."""
        if "\n" in taken:
            return True
        return self._line_start and not text.strip()

    def _step(self, ended: bool) -> tuple[int, str] | None:
        """How much of what is held is settled, and what it says; None if more is needed."""
        char = self._held[0]
        if char == "]":
            return self._link(ended)
        if char in "*_~#+-•>":
            return self._run(char, ended)
        if char in "`[|":
            return 1, " " if char == "|" else ""
        return 1, char

    def _run(self, char: str, ended: bool) -> tuple[int, str] | None:
        """A run of one mark: what it is depends on what stands before and after it."""
        run = len(self._held) - len(self._held.lstrip(char))
        if run == len(self._held) and not ended:
            return None if run < _LONGEST_LINK else (run, "")
        after = self._held[run : run + 1] or " "
        begins_line = self._line_start and after.isspace()
        if char in _BULLETS | {"#", ">"} and begins_line and (run == 1 or char in "#>"):
            return run, ""
        if char in "*_" and (begins_line or run > 1):
            return run, ""
        if char == "~":
            return run, self._held[:run] if run == 1 else ""
        if char == "*":
            both_digits = self._before.isdigit() and after.isdigit()
            alone = self._before.isspace() and after.isspace()
            return run, "*" if both_digits or alone else ""
        if char == "_":
            inside = self._before.isalnum() and after.isalnum()
            return run, "_" if inside else ""
        if char == "-" and self._line_start and run > 2 and after.isspace():
            return run, ""  # a rule across the page
        return run, self._held[:run]

    def _link(self, ended: bool) -> tuple[int, str] | None:
        """After ``[text``: drop ``](address)``, or only the bracket."""
        if len(self._held) == 1:
            return (1, "") if ended else None
        if self._held[1] != "(":
            return 1, ""
        if re.search(r"\)$", self._held):
            return len(self._held), ""
        is_no_link = self._held[-1].isspace() or len(self._held) > _LONGEST_LINK
        return (1, "") if ended or is_no_link else None
