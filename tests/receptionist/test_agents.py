"""The folder of agents: who answers which number, and what changes while calls go on."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.call.effects import Purpose
from services.receptionist.agent import AgentFileError
from services.receptionist.agents import Agents, answering
from tests.receptionist.test_agent import MINIMAL

ROOT = Path(__file__).parents[2]
ONE, TWO = "+15550100001", "+15550100002"


def agent_text(name: str, *numbers: str, more: str = "") -> str:
    served = ", ".join(f'"{number}"' for number in numbers)
    top = f"numbers = [{served}]\n" if numbers else ""
    return f'name = "{name}"\n{top}{more}[business]\nname = "{name} Ltd"\n'


def write(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text)


def folder_of(folder: Path, **texts: str) -> Agents:
    write(folder, texts)
    return Agents(folder)


# --- who answers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("called", "answers"),
    [
        (ONE, "ava"),
        ("+1 (555) 010-0001", "ava"),
        (TWO, "bea"),
        ("+15550109999", "cat"),
        ("", "cat"),
        ("client:talk", "cat"),
    ],
)
def test_the_agent_that_serves_the_number_answers_or_the_one_for_all(
    tmp_path: Path, called: str, answers: str
) -> None:
    agents = folder_of(
        tmp_path,
        ava=agent_text("Ava", ONE),
        bea=agent_text("Bea", "+15550100009", TWO),
        cat=agent_text("Cat"),
    )
    agent_id, agent = agents.for_number(called)
    assert agent_id == answers
    assert agent is agents.current[answers]


def test_without_one_for_all_the_first_by_name_answers(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, bea=agent_text("Bea", TWO), ava=agent_text("Ava", ONE))
    assert agents.for_number("+15550109999")[0] == "ava"
    assert answering(agents.current, TWO) == "bea"


def test_one_file_is_an_agent_under_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, {"ava": MINIMAL, "bea": MINIMAL})
    assert list(Agents(tmp_path / "bea.toml").current) == ["bea"]


# --- what two files cannot both have --------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ((ONE,), f"line 2, numbers: {ONE} is answered by {{other}}, too; leave it in one of"),
        ((), "line 1, numbers: is missing here and in {other}, but only one agent can answer"),
    ],
)
def test_of_two_files_that_want_the_same_calls_the_first_by_name_answers_at_the_start(
    tmp_path: Path, numbers: tuple[str, ...], told: str
) -> None:
    agents = folder_of(tmp_path, bea=agent_text("Bea", *numbers), ava=agent_text("Ava", *numbers))
    assert list(agents.current) == ["ava"]
    bea = tmp_path / "bea.toml"
    assert list(agents.problems) == [bea]
    expected = told.format(other=tmp_path / "ava.toml")
    assert agents.problems[bea].startswith(f"{bea}: {expected}")


def test_the_one_that_runs_goes_on_when_another_file_wants_its_calls(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, bea=agent_text("Bea", ONE))
    write(tmp_path, {"ava": agent_text("Ava", ONE)})
    assert agents.refresh() == set()
    assert agents.for_number(ONE)[0] == "bea"
    assert list(agents.problems) == [tmp_path / "ava.toml"]


def test_an_agent_that_asks_for_anothers_number_goes_on_with_its_own(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava=agent_text("Ava", ONE), bea=agent_text("Bea", TWO))
    write(tmp_path, {"ava": agent_text("Ava", TWO)})
    assert agents.refresh() == set()
    assert agents.for_number(ONE)[0] == "ava"
    assert list(agents.problems) == [tmp_path / "ava.toml"]


def test_two_agents_may_change_their_numbers_one_file_after_the_other(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava=agent_text("Ava", ONE), bea=agent_text("Bea", TWO))
    write(tmp_path, {"ava": agent_text("Ava", TWO)})
    agents.refresh()
    write(tmp_path, {"bea": agent_text("Bea", ONE)})
    assert agents.refresh() == {"ava", "bea"}
    assert agents.for_number(ONE)[0] == "bea"
    assert agents.for_number(TWO)[0] == "ava"
    assert agents.problems == {}


# --- while calls go on ----------------------------------------------------------------------------


def test_a_changed_file_is_another_agent(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava=agent_text("Ava", ONE), bea=agent_text("Bea", TWO))
    bea = agents.current["bea"]
    assert agents.refresh() == set()
    write(tmp_path, {"ava": agent_text("Eve", ONE)})
    assert agents.refresh() == {"ava"}
    assert agents.current["ava"].name == "Eve"
    assert agents.current["bea"] is bea
    assert agents.refresh() == set()


def test_a_file_that_only_looks_different_changes_nothing(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava=MINIMAL)
    ava, path = agents.current["ava"], tmp_path / "ava.toml"
    os.utime(path, ns=(1, 1))
    assert agents.refresh() == set()
    path.write_text(f"# a note\n{MINIMAL}")
    assert agents.refresh() == set()
    assert agents.current["ava"] is ava


def test_a_change_that_keeps_size_and_time_is_seen(tmp_path: Path) -> None:
    agents, path = folder_of(tmp_path, ava=agent_text("Ava")), tmp_path / "ava.toml"
    stat = path.stat()
    path.write_text(agent_text("Eve"))
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert agents.refresh() == {"ava"}


def test_new_files_come_and_removed_ones_go(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava=MINIMAL)
    write(tmp_path, {"bea": agent_text("Bea", TWO)})
    assert agents.refresh() == {"bea"}
    assert agents.for_number(TWO)[0] == "bea"
    (tmp_path / "bea.toml").unlink()
    assert agents.refresh() == set()  # it may come back at once
    assert agents.refresh() == {"bea"}
    assert agents.for_number(TWO)[0] == "ava"
    assert agents.problems == {}


def test_a_file_that_is_replaced_is_never_away(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava=MINIMAL, bea=agent_text("Bea", TWO))
    path = tmp_path / "bea.toml"
    path.rename(tmp_path / "bea.toml~")
    assert agents.refresh() == set()
    (tmp_path / "bea.toml~").rename(path)
    assert agents.refresh() == set()
    assert agents.refresh() == set()
    assert agents.for_number(TWO)[0] == "bea"


def test_a_renamed_file_is_another_agent(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava=MINIMAL)
    (tmp_path / "ava.toml").rename(tmp_path / "eve.toml")
    agents.refresh()
    assert list(agents.current) == ["ava"]
    assert agents.refresh() == {"ava", "eve"}
    assert list(agents.current) == ["eve"]
    assert agents.problems == {}


def test_the_last_agent_goes_on_when_all_files_are_gone(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava=MINIMAL)
    path = tmp_path / "ava.toml"
    path.unlink()
    for _ in range(4):
        assert agents.refresh() == set()
    assert agents.for_number("")[0] == "ava"
    assert agents.problems == {tmp_path: f"{tmp_path}: holds no agent any more"}
    tmp_path.rename(tmp_path.with_name("away"))
    assert agents.refresh() == set()
    assert "cannot be read" in agents.problems[tmp_path]
    tmp_path.with_name("away").rename(tmp_path)
    write(tmp_path, {"bea": MINIMAL})
    assert agents.refresh() == {"ava", "bea"}
    assert list(agents.current) == ["bea"]


def test_a_single_file_that_is_away_for_a_while_goes_on(tmp_path: Path) -> None:
    write(tmp_path, {"ava": MINIMAL})
    path = tmp_path / "ava.toml"
    agents = Agents(path)
    path.unlink()
    for _ in range(3):
        assert agents.refresh() == set()
    assert "cannot be read" in agents.problems[path]
    path.write_text(agent_text("Eve"))
    assert agents.refresh() == {"ava"}
    assert agents.problems == {}


def test_a_problem_is_logged_once_and_so_is_its_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    agents, path = folder_of(tmp_path, ava=MINIMAL), tmp_path / "ava.toml"
    for text in ("name = 1\n", "name = 2\n", MINIMAL):
        path.write_text(text)
        agents.refresh()
        agents.refresh()
    told = [record.getMessage() for record in caplog.records]
    assert [text.partition(f"{path}: ")[2][:20] for text in told] == [
        *("line 1, name: expect", "line 1, name: expect", "can be used again"),
    ]


def test_doubts_are_told_and_stop_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    late = f'{MINIMAL}[outbound]\nhours = ["9-12", "13-22"]\n'
    agents = folder_of(tmp_path, ava=late)
    assert agents.problems == {}
    told = "ava.toml: line 5, outbound.hours[2]: calls before 8:00 or after 21:00 are forbidden"
    assert told in caplog.text


# --- what is no agent -----------------------------------------------------------------------------


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path, {"ava": MINIMAL, ".hidden": "x"})
    (tmp_path / "ava.toml.bak").write_text("x")
    (tmp_path / "examples").mkdir()
    write(tmp_path / "examples", {"eve": agent_text("Eve")})
    agents = Agents(tmp_path)
    assert list(agents.current) == ["ava"]
    assert agents.problems == {}


def test_a_name_that_is_no_id_is_a_problem(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, **{"ava": MINIMAL, "my agent": agent_text("Eve", ONE)})
    assert list(agents.current) == ["ava"]
    assert "expected letters, digits" in agents.problems[tmp_path / "my agent.toml"]


def test_a_bad_file_keeps_no_other_from_starting(tmp_path: Path) -> None:
    agents = folder_of(tmp_path, ava="name = \n", bea=MINIMAL)
    assert list(agents.current) == ["bea"]
    assert list(agents.problems) == [tmp_path / "ava.toml"]


def test_without_any_agent_there_is_no_start(tmp_path: Path) -> None:
    with pytest.raises(AgentFileError, match=r"holds no agent; expected a file like"):
        Agents(tmp_path)
    with pytest.raises(AgentFileError, match=r"nowhere: cannot be read"):
        Agents(tmp_path / "nowhere")
    write(tmp_path, {"ava": "name = 1\n", "bea": "x"})
    with pytest.raises(AgentFileError) as error:
        Agents(tmp_path)
    assert "ava.toml: line 1" in str(error.value)
    assert "bea.toml: line 1" in str(error.value)


# --- the settings ---------------------------------------------------------------------------------


def test_settings_for_one_agent_are_taken_in_at_each_change(tmp_path: Path) -> None:
    write(tmp_path, {"ava": MINIMAL})
    agents = Agents(tmp_path, greeting="Hi from {business}!", business_name="Bella's")
    assert agents.for_number("")[1].line(Purpose.GREETING) == "Hi from Bella's!"
    write(tmp_path, {"ava": agent_text("Eve")})
    assert agents.refresh() == {"ava"}
    assert agents.for_number("")[1].line(Purpose.GREETING) == "Hi from Bella's!"


def test_settings_for_one_agent_are_refused_for_several(tmp_path: Path) -> None:
    write(tmp_path, {"ava": agent_text("Ava", ONE)})
    agents = Agents(tmp_path, business_name="Bella's")
    write(tmp_path, {"bea": agent_text("Bea", TWO)})
    assert agents.refresh() == set()
    assert "GREETING and BUSINESS_NAME are for one" in agents.problems[tmp_path / "bea.toml"]
    with pytest.raises(AgentFileError, match="write them into the files"):
        Agents(tmp_path, greeting="Hi!")


def test_a_greeting_with_an_unknown_placeholder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"ava": MINIMAL})
    with pytest.raises(AgentFileError, match=r"greeting: unknown placeholder \{x\}"):
        Agents(tmp_path, greeting="Hi from {x}")


def test_the_owners_phone_is_for_files_that_name_none(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "ava": agent_text("Ava", ONE, more=f'owner_phone = "{TWO}"\n'),
            "bea": f"{agent_text('Bea')}[emergency]\ntransfer = true\n",
        },
    )
    agents = Agents(tmp_path, owner_phone="+15550100003")
    phones = {agent_id: agent.owner_phone for agent_id, agent in agents.current.items()}
    assert phones == {"ava": TWO, "bea": "+15550100003"}
    assert list(Agents(tmp_path).current) == ["ava"]  # nobody to put emergencies through to


def test_the_owners_phone_is_not_one_that_the_agent_answers(tmp_path: Path) -> None:
    write(tmp_path, {"ava": agent_text("Ava", ONE)})
    with pytest.raises(AgentFileError, match=f"line 2, numbers: .{ONE} is OWNER_PHONE, too"):
        Agents(tmp_path, owner_phone=ONE)


# --- it takes no time -----------------------------------------------------------------------------


def test_looking_at_many_files_that_did_not_change_is_cheap(tmp_path: Path) -> None:
    agents = folder_of(
        tmp_path, **{f"a{n}": agent_text(f"A{n}", f"+1555010{n:04}") for n in range(50)}
    )
    begun = time.perf_counter()
    assert agents.refresh() == set()
    assert time.perf_counter() - begun < 0.1
    assert len(agents.current) == 50


# --- the files that come with it ------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [*(ROOT / "agents").rglob("*.toml")],
    ids=lambda path: path.stem,
)
def test_the_files_that_come_with_it_have_no_problem(path: Path, caplog: object) -> None:
    agents = Agents(path)
    assert agents.problems == {}
    assert list(agents.current) == [path.stem]


def test_the_folder_that_comes_with_it_holds_one_agent_for_all_numbers() -> None:
    agents = Agents(ROOT / "agents")
    assert list(agents.current) == ["receptionist"]
    assert agents.current["receptionist"].numbers == ()
