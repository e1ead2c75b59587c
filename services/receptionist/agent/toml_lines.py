"""In which line of a TOML text a key stands: the standard parser does not tell."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
"""Keys, and positions in lists from 0: ``("people", 0, "number")``."""

_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?(?:"""|\Z)'
    r"|'''.*?(?:'''|\Z)"
    r'|"(?:\\.|[^"\\\n])*"?'
    r"|'[^'\n]*'?"
    r"|\#[^\n]*"
    r"|[\[\]{},=\n]"
    r"|[^\s\[\]{},=\"'#]+",
    re.DOTALL,
)
_KEY_PART = re.compile(r"\"((?:\\.|[^\"\\])*)\"|'([^']*)'|([^\s.\"']+)")


def line_of(source: str, keys: Sequence[str | int]) -> int:
    """The line (from 1) of the deepest part of a path that the text spells out; 0 if none."""
    best, depth = 0, 0
    for line, path, _ in _places(source):
        known = min(len(path), len(keys))
        if depth < known and tuple(keys[:known]) == path[:known]:
            best, depth = line, known
    return best


def statement_at(source: str, line: int) -> tuple[int, Path]:
    """Where the statement that a line belongs to begins, and its path; 0 if there is none before.
    The text need not be valid TOML."""
    found: tuple[int, Path] = (0, ())
    for begins, path, is_statement in _places(source):
        if begins > line:
            break
        if is_statement:
            found = begins, path
    return found


@dataclass(slots=True)
class _Inside:
    """A list or an inline table that is open: where it is, and what comes next in it."""

    path: Path
    is_list: bool
    place: int = 0
    words: list[str] = field(default_factory=list)


def _places(source: str) -> Iterator[tuple[int, Path, bool]]:
    """Each header, key and entry of a list, with its line, and whether it begins a statement."""
    tokens, table = _tokens(source), _Tables()
    for first, word in tokens:
        if word == "\n":
            continue
        line, words = first, [word]
        while words[-1] not in {"=", "\n"} or (words[0] == "[" and words[-1] != "\n"):
            line, word = next(tokens, (line, "\n"))
            words.append(word)
        if words[0] == "[":
            yield first, table.open(words), True
        else:
            key = words[:-1] if words[-1] == "=" else words[:1]
            path = (*table.path, *_key(key))
            yield first, path, True
            if words[-1] == "=":
                yield from ((line, inner, False) for line, inner in _value(tokens, path))


class _Tables:
    """The header under which keys stand; tables of the same name in double brackets are counted."""

    def __init__(self) -> None:
        self.path: Path = ()
        self._counts: dict[Path, int] = {}

    def open(self, words: Sequence[str]) -> Path:
        names = _key([word for word in words if word not in {"[", "]", "\n"}])
        if list(words[:2]) == ["[", "["]:
            count = self._counts[names] = self._counts.get(names, -1) + 1
            self.path = (*names, count)
        else:
            self.path = names
        return self.path


def _value(tokens: Iterator[tuple[int, str]], path: Path) -> Iterator[tuple[int, Path]]:
    """The entries of a value that is a list or an inline table, up to the end of its line."""
    stack: list[_Inside] = []
    at, is_fresh = path, True
    for line, word in tokens:
        if word == "\n" and not stack:
            return
        if word == "\n":
            continue
        inside = stack[-1] if stack else None
        if inside and inside.is_list and is_fresh and word not in {"]", ","}:
            at = (*inside.path, inside.place)
            yield line, at
        is_fresh = False
        if word in {"[", "{"}:
            stack.append(_Inside(at, word == "["))
            is_fresh = True
        elif word in {"]", "}"} and stack:
            stack.pop()
        elif word == "," and inside:
            inside.place += 1
            inside.words, is_fresh = [], True
        elif word == "=" and inside:
            at = (*inside.path, *_key(inside.words))
            yield line, at
        elif inside:
            inside.words.append(word)


def _key(words: Sequence[str]) -> Path:
    """The parts of a key: ``a.b`` has two, ``"a.b"`` one."""
    parts = _KEY_PART.finditer(" ".join(words))
    return tuple(next(text for text in part.groups() if text is not None) for part in parts)


def _tokens(source: str) -> Iterator[tuple[int, str]]:
    """Words, brackets and line ends with their lines; comments are left out."""
    line, seen = 1, 0
    for match in _TOKEN.finditer(source):
        line += source.count("\n", seen, match.start())
        seen = match.start()
        if not match[0].startswith("#"):
            yield line, match[0]
    yield line + 1, "\n"
