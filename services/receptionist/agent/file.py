"""Reading a file of settings: what is wrong is told with file, line, key and what is expected."""

from __future__ import annotations

import re
import tomllib
import types
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from pydantic import TypeAdapter, ValidationError

from services.receptionist.agent.toml_lines import Path as Keys
from services.receptionist.agent.toml_lines import line_of, statement_at
from services.receptionist.agent.values import in_toml
from services.receptionist.nearest import did_you_mean, listed

T = TypeVar("T")

MOST_BYTES = 1_000_000
"""No agent file is so long; something else may be."""

Complaint = tuple[Keys, str]
"""Where something is wrong, and what is expected there."""

_TYPOGRAPHIC = re.compile("[\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb]")
_SYNTAX = (
    ("Illegal character '\\n'", 'this text is not closed; write " at its end, in the same line'),
    ("Illegal character", "a sign that cannot stand in a text; delete it and write it anew"),
    ("Invalid initial character", 'expected a key of letters, digits, - and _, like "monday"'),
    ("Unterminated string", "this text is not closed; write its quotation marks at its end, too"),
    ("Unclosed array", "this list is not closed; write ] at its end, and commas between entries"),
    ("Unclosed inline table", "this table is not closed; write } at its end, in the same line"),
    ("Cannot overwrite a value", "this key stands here twice; write it once"),
    ("Duplicate inline table key", "a key stands here twice; write it once"),
    ("Expected '='", "expected a key, the sign = and a value; text stands in quotation marks"),
    ("Invalid statement", "expected key = value, a [table] or a # note"),
    ("Expected newline", "expected nothing more in this line; text stands in quotation marks"),
    ("Unescaped '\\'", "write \\\\ for a backslash, or put the text in single quotation marks"),
    ("Expected ']' at the end", "expected a table's name in square brackets, like [hours]"),
    ("Expected ']]' at the end", "expected a name in two pairs of brackets, like [[services]]"),
    (
        "Invalid value",
        "expected text in quotation marks, a number, true, false, or a list in square brackets",
    ),
)
"""How a message of the TOML parser begins -> the same for people."""

_TOO_DEEP = re.compile(r"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){40}")
_KEY = 'expected a key, the sign = and a value, like name = "Ava"'


class AgentFileError(ValueError):
    """An agent file that cannot be used; the text says where, and what is expected there."""


class AgentFile(Generic[T]):
    """The text of a file, and what is said of it. ``name`` is the file in all messages."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source

    @classmethod
    def read(cls, path: Path) -> AgentFile[T]:
        """Raises AgentFileError for what is no text file."""
        return cls(str(path), decoded(path, contents(path)))

    def parse(self, kind: type[T], adapter: TypeAdapter[T]) -> T:
        """What the file describes. Raises AgentFileError with all that is wrong."""
        if deep := _TOO_DEEP.search(self.source):  # the parser would take minutes over it
            line = self.source.count("\n", 0, deep.start()) + 1
            raise AgentFileError(f"{self.name}: line {line}: a key with dozens of dots; {_KEY}")
        try:
            document = tomllib.loads(self.source)
        except tomllib.TOMLDecodeError as error:
            raise AgentFileError(self._syntax(str(error))) from None
        except RecursionError:
            raise AgentFileError(f"{self.name}: lists within lists, too deep to read") from None
        try:
            return adapter.validate_python(document)
        except ValidationError as error:
            found = [_complaint(kind, problem) for problem in error.errors()]
            raise AgentFileError(self.told(found)) from None

    def refuse(self, complaints: Iterable[Complaint]) -> None:
        """Raises AgentFileError if there are any."""
        if told := self.told(complaints):
            raise AgentFileError(told)

    def told(self, complaints: Iterable[Complaint]) -> str:
        """One line for each: file, line, key, what is expected; in the order of the file."""
        placed = [(line_of(self.source, keys) or 1, keys, text) for keys, text in complaints]
        placed.sort(key=lambda place: place[0])
        return "\n".join(self._line(line, keys, text) for line, keys, text in placed)

    def _line(self, line: int, keys: Keys, text: str) -> str:
        key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in keys)
        told = f"{self.name}: line {line}, {key.lstrip('.')}: {text}"
        return "".join(sign if sign.isprintable() else " " for sign in told)  # all in one line

    def _syntax(self, message: str) -> str:
        """What the TOML parser says, in the words of people who write these files."""
        lines = self.source.splitlines()
        place = re.search(r"at line (\d+)", message)
        noticed = int(place[1]) if place else len(lines)
        line, keys = statement_at(self.source, noticed)
        line = line or 1
        is_table = re.match(r"Cannot (?:declare|mutate|redefine)", message)
        if is_table:
            before = line_of(self.source, keys)
            text = "this table stands here twice; write it once, with all its keys below"
            if before and before != line:
                text += f" (the first is in line {before})"
        else:
            text = next((said for begin, said in _SYNTAX if message.startswith(begin)), message)
        if any(_TYPOGRAPHIC.search(row) for row in lines[line - 1 : noticed]) and not is_table:
            text = 'a typographic quotation mark; write a straight one, "'
        return self._line(line, keys, f"not valid TOML: {text}")


def contents(path: Path) -> bytes:
    """Raises AgentFileError for what cannot be read."""
    try:
        if path.is_dir():
            raise AgentFileError(f"{path}: is a folder; expected a file")
        return path.read_bytes()
    except OSError as error:
        raise AgentFileError(f"{path}: cannot be read: {error.strerror}") from None


def decoded(name: Path, data: bytes) -> str:
    """The text of a file. Raises AgentFileError if it is none in UTF-8."""
    if len(data) > MOST_BYTES:
        raise AgentFileError(f"{name}: has {len(data)} bytes; expected {MOST_BYTES} at most")
    save_it = "save it as UTF-8, a choice that editors offer as encoding"
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise AgentFileError(f"{name}: line 1: must be a text file in UTF-8, not UTF-16; {save_it}")
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise AgentFileError(f"{name}: line {line}: must be in UTF-8; {save_it}") from None


def _complaint(kind: type[Any], problem: Mapping[str, Any]) -> Complaint:
    keys = tuple(problem["loc"])
    return keys, _expected(kind, keys, problem)


def _expected(kind: type[Any], keys: Keys, problem: Mapping[str, Any]) -> str:
    """What is expected where pydantic found a problem, in TOML's words."""
    given, bounds = problem["input"], problem.get("ctx", {})
    name = str(keys[-1]) if keys else ""
    match problem["type"]:
        case "missing":
            if name == "business":
                return _NO_BUSINESS
            return f"is missing; write {name} = " + ('["..."]' if name in _LISTS else '"..."')
        case "unexpected_keyword_argument":
            return _unknown(kind, keys, given)
        case "literal_error":
            known = [word for word in re.findall(r"'([^']*)'", bounds["expected"]) if word]
            hint = did_you_mean(given, known) if isinstance(given, str) else ""
            return f"expected {listed(known)}, got {in_toml(given)}{hint}"
        case "string_type":
            return f'expected text in quotation marks, like {name} = "...", got {_kind(given)}'
        case "string_too_short":
            return "must not be empty; write a text between the quotation marks"
        case "bool_type":
            return f"expected true or false, without quotation marks, got {in_toml(given)}"
        case "int_type" | "int_from_float" | "int_parsing":
            return f"expected a whole number without quotation marks, got {in_toml(given)}"
        case "greater_than_equal" | "less_than_equal" | "multiple_of":
            least, most, step = (bounds.get(bound) for bound in ("ge", "le", "multiple_of"))
            what = f"{least} or more" if least is not None else f"{most} at most"
            what = f"a multiple of {step}" if step else what
            return f"expected {what}, got {in_toml(given)}"
        case "tuple_type" if isinstance(given, dict):
            return f"expected a list of tables; write [[{_dotted(keys)}]] in two pairs of brackets"
        case "tuple_type":
            return f"expected a list in square brackets, like {name} = [{in_toml(given)}]"
        case "too_short":
            return "expected one entry or more in the square brackets"
        case "dataclass_type" if isinstance(given, list):
            return f"expected a table; write [{_dotted(keys)}] in one pair of brackets"
        case "dataclass_type":
            return f"expected a table; write [{_dotted(keys)}] and its keys below"
    return str(problem["msg"]).removeprefix("Value error, ")


_LISTS = {"questions", "words"}
"""Keys that must be there and hold a list."""
_NO_BUSINESS = 'is missing; write [business], and below it name = "..."'


def _dotted(keys: Keys) -> str:
    return ".".join(key for key in keys if isinstance(key, str))


def _kind(value: object) -> str:
    if isinstance(value, dict):
        return "a table"
    return "a list" if isinstance(value, list) else in_toml(value)


def _unknown(kind: type[Any], keys: Keys, given: object) -> str:
    key, known = str(keys[-1]), _known(kind, keys[:-1])
    if key in _known(kind, ()) and isinstance(given, dict):
        return f"is not known here; write [{key}] instead"
    if key in _known(kind, ()):
        return "is not known here; write it at the top of the file, above the first [table]"
    there_are = f" (there are {', '.join(known)})" if known else ""
    return f"is not a key that is known here{did_you_mean(key, known)}{there_are}"


def _known(kind: Any, keys: Keys) -> list[str]:
    """The keys of the table at a path."""
    for key in keys:
        if isinstance(key, str) and is_dataclass(kind):
            kind = get_type_hints(kind).get(key)
        elif get_origin(kind) is tuple:
            kind = get_args(kind)[0]
        if isinstance(kind, types.UnionType):
            return []
    return [one.name for one in fields(kind)] if is_dataclass(kind) else []
