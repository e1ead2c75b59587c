"""The agent file: what it may leave out, and how it complains."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.call.effects import Purpose
from services.receptionist.agent import Agent, AgentFileError, load_agent
from services.receptionist.agent.toml_lines import line_of

MINIMAL = 'name = "Ava"\n[business]\nname = "Acme"\n'


def load(tmp_path: Path, text: str) -> Agent:
    path = tmp_path / "agent.toml"
    path.write_text(text, encoding="utf-8")
    return load_agent(path)


def test_a_minimal_file_has_a_line_for_every_purpose(tmp_path: Path) -> None:
    agent = load(tmp_path, MINIMAL)
    for purpose in Purpose:
        if purpose is not Purpose.ANSWER:
            assert len(agent.line(purpose)) > 10
    assert "Acme" in agent.line(Purpose.GREETING)
    assert "Acme" in agent.goodbye
    assert agent.filler == "One moment, please."
    assert not agent.schedule.is_known


def test_names_are_key_terms_for_the_recogniser(agent: Agent) -> None:
    assert {"Ava", "Bright Smile Dental", "Dr. Lee", "Maria"} <= set(agent.key_terms)
    assert len(set(agent.key_terms)) == len(agent.key_terms)


def test_an_answer_has_no_line(agent: Agent) -> None:
    with pytest.raises(ValueError, match="no fixed line"):
        agent.line(Purpose.ANSWER)


def test_the_notice_of_a_recording_comes_first_and_cannot_be_interrupted(tmp_path: Path) -> None:
    notice = '[recording]\nenabled = true\nnotice = "{business} records calls."\n'
    agent = load(tmp_path, MINIMAL + notice)
    for purpose in (Purpose.GREETING, Purpose.OUTBOUND):
        assert agent.line(purpose).startswith("Acme records calls. ")
    assert "records" not in agent.line(Purpose.NOBODY_THERE)
    assert agent.uninterruptible == ("Acme records calls.",)
    silent = load(tmp_path, MINIMAL + notice.replace("true", "false"))
    assert silent.uninterruptible == ()
    assert "records" not in silent.line(Purpose.GREETING)


@pytest.mark.parametrize("name", ["Dr. Lee", "dr.  lee", "the Dentist"])
def test_people_are_found_by_any_of_their_names(agent: Agent, name: str) -> None:
    found = agent.person(name)
    assert found is not None
    assert found.name == "Dr. Lee"
    assert agent.person("Dr. Who") is None


def test_the_shipped_file_knows_its_business(agent: Agent) -> None:
    assert agent.business.name == "Bright Smile Dental"
    assert agent.schedule.is_known
    assert {person.name for person in agent.people} == {"Dr. Lee", "Maria"}
    assert "{" not in "".join(agent.line(p) for p in Purpose if p is not Purpose.ANSWER)


@pytest.mark.parametrize(
    ("greeting", "name", "said"),
    [
        (None, None, "Thanks for calling Bright Smile Dental."),
        ("", "  ", "Thanks for calling Bright Smile Dental."),
        (None, "Acme", "Thanks for calling Acme."),
        ("Hi from {business}!", "Acme", "Hi from Acme!"),
    ],
)
def test_overrides(agent: Agent, greeting: str | None, name: str | None, said: str) -> None:
    other = agent.with_overrides(greeting=greeting, business_name=name)
    assert other.line(Purpose.GREETING).startswith(said)
    assert agent.business.name == "Bright Smile Dental"


def test_an_override_with_an_unknown_placeholder_is_refused(agent: Agent) -> None:
    with pytest.raises(AgentFileError, match=r"greeting: unknown placeholder \{buisness\}"):
        agent.with_overrides(greeting="Hi from {buisness}")


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        (
            '[hours]\nmonday = ["9 to five"]\n',
            "line 5, hours.monday[1]: expected opening hours like",
        ),
        ('[hours]\nmonday = ["9-5"]\n', "would last 20 hours; write 5 PM as 17:00"),
        ('[hours]\nmonday = "9-17"\n', "line 5, hours.monday: expected a list in square brackets"),
        ('[hours]\nmonday = ["8-12", "11-13"]\n', "hours.monday: these opening hours overlap"),
        ('[hours]\nmonday = ["9-25"]\n', "is no time of day; write one"),
        ('[engines]\nstt = "siri"\n', 'line 5, engines.stt: expected "deepgram", '),
        (
            '[engines]\nuse_persistent_tts = "maybe"\n',
            "line 5, engines.use_persistent_tts: expected true or false",
        ),
        ('[hours]\nmunday = ["9-17"]\n', "line 5, hours.munday: is not a key that is known here"),
        (
            '[[holidays]]\nname = "X"\ndate = "soon"\n',
            "line 6, holidays[1].date: expected a date like",
        ),
        ('[[holidays]]\nname = "X"\ndate = "2026-12-24 to 2026-12-20"\n', "ends before it begins"),
        (
            '[[services]]\nname = "A"\n[[services]]\nprice = "$1"\n',
            "line 6, services[2].name: is missing",
        ),
        ('[[services]]\nname = "A"\nprice = 85\n', "expected text in quotation marks"),
        ('[lines]\nrepair = "{foo}"\n', "line 5, lines.repair: unknown placeholder {foo}"),
        ('[lines]\nrepair = "{"\n', "a placeholder looks like {business}"),
        ('[lines]\nrepair = ""\n', "lines.repair: must not be empty"),
        ('[[faq]]\nquestions = []\nanswer = "A"\n', "line 5, faq[1].questions"),
    ],
)
def test_a_mistake_is_named_with_line_and_key(tmp_path: Path, more: str, complaint: str) -> None:
    with pytest.raises(AgentFileError) as error:
        load(tmp_path, MINIMAL + more)
    assert complaint in str(error.value)
    assert "agent.toml" in str(error.value)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "name: is missing"),
        ("name = \n", "not valid TOML"),
        ('name = "A"\n[business]\nname = "B"\ntimezone = "Mars"\n', "line 4, business.timezone"),
    ],
)
def test_a_broken_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(AgentFileError, match=complaint):
        load(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentFileError, match=r"none\.toml: cannot be read"):
        load_agent(tmp_path / "none.toml")


def test_binary_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AgentFileError, match="UTF-8"):
        load_agent(path)


def test_lines_of_nested_keys() -> None:
    source = "a = 1\n[b.c]\nd = 2\n[[e]]\nf = 1\n[[e]]\nf = 2\n"
    assert line_of(source, ("a",)) == 1
    assert line_of(source, ("b", "c", "d")) == 3
    assert line_of(source, ("e", 1, "f")) == 7
    assert line_of(source, ("e", 1, "g")) == 6
    assert line_of(source, ("z",)) == 0


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("a", 1), 4),
        (("a", 1, "deeper"), 4),
        (("b", 1, "c"), 8),
        (("text",), 10),
        (("d", "e.f"), 14),
        (("d", "g"), 15),
        (("last",), 16),
        (("list", 0), 17),
        (("[no", "header"), 0),
    ],
)
def test_lines_in_lists_inline_tables_and_texts(keys: tuple[str | int, ...], line: int) -> None:
    source = (
        'a = [ # a = "[x"\n  "one", # comma, and ]\n\n  "two",\n]\n'  # 1 to 5
        'b = [\n  { c = "," },\n  { x = [1, 2], c = 3 },\n]\n'  # 6 to 9
        'text = """\n[no.header]\nlist = 1\n"""\n'  # 10 to 13
        'd."e.f" = 1\nd = { g = 1 }\nlast = \'"\'\n[[list]]\n'  # 14 to 17
    )
    assert line_of(source, keys) == line
