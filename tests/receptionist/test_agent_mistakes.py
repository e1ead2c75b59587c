"""Mistakes in agent files: each is told with file, line, key and remedy, and stops no agent."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from services.receptionist.agent import AgentFileError
from services.receptionist.agents import Agents, validate_text

GOOD = 'name = "Ava"\nnumbers = ["+15550100000"]\n[business]\nname = "Acme"\n'
"""Four lines; what is added begins in the fifth."""
LEE = '[[people]]\nname = "Dr. Lee"\nnumber = "+15550100001"\n'
BO = '[[people]]\nname = "Bo"\n'
CUT = '[[services]]\nname = "Cut"\n'


class Mistake(NamedTuple):
    """What is added to a good file, and what is said of it: line, key and remedy."""

    added: str
    line: int
    key: str
    remedy: str


TYPES = [
    Mistake("[persona]\nx = 1\n", 5, "persona", "expected text in quotation marks"),
    Mistake('[hours]\nmonday = "9-17"\n', 6, "hours.monday", 'like monday = ["9-17"]'),
    Mistake("[hours]\nmonday = [9]\n", 6, "hours.monday[1]", 'hours like "9:00-17:00", got 9'),
    Mistake('[services]\nname = "A"\n', 5, "services", "write [[services]] in two pairs"),
    Mistake("[[booking]]\nenabled = true\n", 5, "booking", "write [booking] in one pair"),
    Mistake(f"{CUT}price = 85\n", 7, "services[1].price", 'like price = "...", got 85'),
    Mistake(f'{CUT}minutes = "30"\n', 7, "services[1].minutes", "a whole number without"),
    Mistake(f"{CUT}minutes = 7.5\n", 7, "services[1].minutes", "whole number"),
    Mistake(f"{CUT}minutes = 9999\n", 7, "services[1].minutes", "expected 1440 at most, got 9999"),
    Mistake('[hours]\nmonday = ["9-25"]\n', 6, "hours.monday[1]", "write one like 9:30 or 17:30"),
    Mistake(f"{CUT}minutes = -5\n", 7, "services[1].minutes", "expected 0 or more, got -5"),
    Mistake('[booking]\nenabled = "yes"\n', 6, "booking.enabled", "expected true or false"),
    Mistake("[booking]\nevery_minutes = 7\n", 6, "booking.every_minutes", "a multiple of 5"),
    Mistake("[ring_first]\nsecs = 90\n", 6, "ring_first.secs", "expected 60 at most, got 90"),
    Mistake('[emergency]\nwords = "fire"\n', 6, "emergency.words", 'like words = ["fire"]'),
    Mistake('[[faq]]\nquestions = []\nanswer = "A"\n', 6, "faq[1].questions", "one entry or more"),
]

KEYS = [
    Mistake('[[faq]]\nquestions = ["A"]\n', 5, "faq[1].answer", 'write answer = "..."'),
    Mistake('[[faq]]\nanswer = "A"\n', 5, "faq[1].questions", 'write questions = ["..."]'),
    Mistake('[hours]\nmunday = ["9-17"]\n', 6, "hours.munday", 'did you mean "monday"?'),
    Mistake("[bookings]\nenabled = true\n", 5, "bookings", 'did you mean "booking"?'),
    Mistake(f"{CUT}length = 30\n", 7, "services[1].length", "name, price, minutes, description"),
    Mistake('[[transfers.rules]]\nword = ["a"]\n', 6, "transfers.rules[1].word", '"words"'),
    Mistake('persona = "kind"\n', 5, "business.persona", "write it at the top of the file"),
    Mistake("[business.hours]\nmonday = []\n", 5, "business.hours", "write [hours] instead"),
]

VALUES = [
    Mistake('[engines]\nstt = "deepgramm"\n', 6, "engines.stt", 'did you mean "deepgram"?'),
    Mistake('[transfers]\nhandling = "hot"\n', 6, "transfers.handling", '"warm" or "cold"'),
    Mistake('[outbound]\nweekdays = ["mon"]\n', 6, "outbound.weekdays[1]", 'mean "monday"?'),
    Mistake(
        '[hours]\nmonday = ["8-12", "11-13"]\n', 6, "hours.monday", "each stretch of the day once"
    ),
    Mistake('[hours]\nmonday = [\n"8-12",\n"13-x",\n]\n', 8, "hours.monday[2]", "expected opening"),
    Mistake('[hours]\nmonday = ["9-5"]\n', 6, "hours.monday[1]", "write 5 PM as 17:00"),
    Mistake(
        '[[holidays]]\nname = "X"\ndate = "99999999999999999999-1-1"\n',
        *(7, "holidays[1].date", '"12-25" for every'),
    ),
    Mistake('"per\\nsona" = "kind"\n', 3, "business.per sona", "is not a key that is known"),
    Mistake(
        '[[holidays]]\nname = "X"\ndate = "25.12."\n', 7, "holidays[1].date", '"12-25" for every'
    ),
    Mistake(
        '[lines]\nrepair = "{x}"\n', 6, "lines.repair", "unknown placeholder {x}; there are {b"
    ),
    Mistake('[lines]\nrepair = "{"\n', 6, "lines.repair", "a placeholder looks like {business}"),
    Mistake('[lines]\nrepair = "{name:d}"\n', 6, "lines.repair", "a placeholder looks like"),
    Mistake('[lines]\nrepair = " "\n', 6, "lines.repair", "must not be empty; write a text"),
    Mistake('timezone = "New York"\n', 5, "business.timezone", 'mean "America/New_York"?'),
    Mistake('timezone = "US/Estern"\n', 5, "business.timezone", 'mean "US/Eastern"?'),
    Mistake('timezone = "Mars"\n', 5, "business.timezone", 'like "America/New_York", got "Mars"'),
    Mistake('timezone = "America"\n', 5, "business.timezone", 'like "America/New_York", got'),
    Mistake('country = "UK"\n', 5, "business.country", 'did you mean "GB"?'),
    Mistake('[engines]\nlanguage = "English"\n', 6, "engines.language", 'like "en" or "en-GB"'),
    Mistake(f'{BO}number = "555-0100"\n', 7, "people[1].number", "a number with its country"),
    Mistake(f"{BO}number = +15550100001\n", 7, "people[1].number", "in quotation marks, like"),
]

TOGETHER = [
    Mistake(f'{LEE}[transfers]\nto = "Dr. Li"\n', 9, "transfers.to", 'did you mean "Dr. Lee"?'),
    Mistake('[transfers]\nto = "Dr. Lee"\n', 6, "transfers.to", "there are none; add them"),
    Mistake(f'{BO}[transfers]\nto = "Bo"\n', 8, "transfers.to", 'write number = "+1..."'),
    Mistake(
        f'{LEE}[[transfers.rules]]\nwords = ["billing"]\nperson = "Maria"\n',
        *(10, "transfers.rules[1].person", 'expected "Dr. Lee"'),
    ),
    Mistake(
        f'{CUT}[[services]]\nname = "Trim"\naliases = ["short", "cut"]\n',
        *(9, "services[2].aliases[2]", "each needs names of its own"),
    ),
    Mistake(f'{LEE}[[people]]\nname = "dr. lee"\n', 9, "people[2].name", "each needs names"),
    Mistake("[ring_first]\nsecs = 15\n", 6, "ring_first.secs", "or secs = 0"),
    Mistake('[ring_first]\nnumbers = ["+15550100009"]\n', 6, "ring_first.numbers", "secs = 15"),
    Mistake(
        '[routing]\nrecord_numbers = ["+15550100007"]\nstream_numbers = ["+1 555 010 0007"]\n',
        *(6, "routing.record_numbers[1]", "leave it in one of the two"),
    ),
    Mistake(
        '[outbound]\nweekdays = ["friday", "friday"]\n',
        *(6, "outbound.weekdays", "write each day once"),
    ),
    Mistake(f'{BO}number = "+15550100000"\n', 7, "people[1].number", "write another"),
    Mistake(
        '[ring_first]\nsecs = 9\nnumbers = ["+1 (555) 010-0000"]\n',
        *(7, "ring_first.numbers[1]", "write another"),
    ),
    Mistake("[emergency]\ntransfer = true\n", 6, "emergency.transfer", "set OWNER_PHONE, or"),
    Mistake('[[transfers.rules]]\nwords = ["x"]\n', 5, "transfers.rules[1]", "owner_phone = "),
]

SYNTAX = [
    Mistake('phone = ["9-17"\n', 5, "business.phone", "write ] at its end"),
    Mistake('[hours]\nmonday = ["9-12"\ntuesday = []\n', 6, "hours.monday", "write ] at its end"),
    Mistake('phone = "555\n', 5, "business.phone", 'write " at its end, in the same line'),
    Mistake('phone = """555\n\n', 5, "business.phone", "write its quotation marks at its end"),
    Mistake("phone = 555-0100\n", 5, "business.phone", "text stands in quotation marks"),
    Mistake("phone 555\n", 5, "business.phone", "expected a key, the sign = and a value"),
    Mistake("phone = \u201c555\u201d\n", 5, "business.phone", 'write a straight one, "'),
    Mistake('phone = "C:\\d"\n', 5, "business.phone", "write \\\\ for a backslash"),
    Mistake('[business]\nphone = ""\n', 5, "business", "once, with all its keys below (the first"),
    Mistake('name = "B"\n', 5, "business.name", "this key stands here twice; write it once"),
    Mistake("[hours\nmonday = []\n", 5, "hours", "in square brackets, like [hours]"),
    Mistake("phone = yes\n", 5, "business.phone", "expected text in quotation marks"),
]

WHOLE = [
    (b"", "line 1, name: is missing; write name ="),
    (b"# only a note\n", "line 1, business: is missing; write [business], and below it name ="),
    (b'name = "A"\nbusiness = "B"\n', "line 2, business: expected a table; write [business]"),
    (b'name = "A"\nblocked = ["withheld"]\n', "line 2, blocked[1]: expected a number like"),
    (b'name = "A"\nphone = "\xe9"\n', "line 2: must be in UTF-8; save it as UTF-8"),
    (GOOD.encode("utf-16"), "line 1: must be a text file in UTF-8, not UTF-16; save it"),
    (b"\x00\x01", "line 1, "),
    (b"# A note\n" + b"a." * 30_000 + b"b = 1\n", "line 2: a key with dozens of dots; expected a"),
    (b"a = " + b"[" * 5000, "lists within lists, too deep to read"),
    (b"# " + b"x" * 1_000_000, "has 1000002 bytes; expected 1000000 at most"),
    (
        f'owner_phone = "+15550100001"\nblocked = ["+15550*"]\n{GOOD}'.encode(),
        'line 2, blocked[1]: "+15550*" would block the owner; make it longer, or drop it',
    ),
    (
        f'owner_phone = "+15550100000"\n{GOOD}'.encode(),
        "line 1, owner_phone: +15550100000 is one of the numbers that Ava answers; write another",
    ),
]
"""A whole file, and what is said of it."""

MISTAKES = [*TYPES, *KEYS, *VALUES, *TOGETHER, *SYNTAX]


def complaint(mistake: Mistake) -> str:
    """The beginning of what is said."""
    return f"line {mistake.line}, {mistake.key}: "


@pytest.mark.parametrize("mistake", MISTAKES, ids=[repr(mistake.added) for mistake in MISTAKES])
def test_a_mistake_is_told_with_its_place_and_its_remedy(tmp_path: Path, mistake: Mistake) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(GOOD + mistake.added, encoding="utf-8")
    with pytest.raises(AgentFileError) as error:
        Agents(bad)
    (told,) = (line for line in str(error.value).splitlines() if mistake.remedy in line)
    assert told.startswith(f"{bad}: {complaint(mistake)}")


@pytest.mark.parametrize(("data", "told"), WHOLE, ids=[told for _, told in WHOLE])
def test_so_is_a_file_that_is_none(tmp_path: Path, data: bytes, told: str) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_bytes(data)
    with pytest.raises(AgentFileError) as error:
        Agents(bad)
    assert f"{bad}: {told}" in str(error.value)


@pytest.mark.parametrize(
    "data",
    [*((GOOD + mistake.added).encode() for mistake in MISTAKES), *(data for data, _ in WHOLE)],
    ids=range(len(MISTAKES) + len(WHOLE)),
)
def test_the_agents_that_run_go_on_as_they_were(
    tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    ava, bea = tmp_path / "ava.toml", tmp_path / "bea.toml"
    ava.write_text(GOOD)
    bea.write_text(GOOD.replace("0000", "0009").replace("Ava", "Bea"))
    agents = Agents(tmp_path)
    before = dict(agents.current)
    caplog.clear()
    ava.write_bytes(data)
    for _ in range(3):
        assert agents.refresh() == set()
    assert agents.current == before
    assert agents.for_number("+15550100000") == ("ava", before["ava"])
    assert list(agents.problems) == [ava]
    assert [record.getMessage() for record in caplog.records] == [agents.problems[ava]]
    ava.write_text(GOOD)
    assert agents.refresh() == set()
    assert agents.problems == {}


def test_the_table_is_long_enough() -> None:
    assert len(MISTAKES) + len(WHOLE) >= 60


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_file() -> None:
    text = f'{GOOD}timezone = "Mars"\n{CUT}minutes = 7.5\n[hours]\nmunday = []\n'
    told = validate_text("ava.toml", text)
    assert [line.split(":")[1].split(",")[0].strip() for line in told] == [
        *("line 5", "line 8", "line 10"),
    ]


@pytest.mark.parametrize(
    "text", [f"\ufeff{GOOD}", GOOD.replace("\n", "\r\n"), GOOD.replace("\nname", "\n\tname")]
)
def test_what_editors_do_to_a_file_is_no_mistake(tmp_path: Path, text: str) -> None:
    (tmp_path / "ava.toml").write_bytes(text.encode())
    assert list(Agents(tmp_path).current) == ["ava"]
    assert validate_text("ava.toml", text) == []


def test_a_folder_instead_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "ava.toml").mkdir()
    with pytest.raises(AgentFileError, match=r"ava\.toml: is a folder; expected a file"):
        Agents(tmp_path)
