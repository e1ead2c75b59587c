"""What the server says of itself when it listens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.announcement import announcement
from services.receptionist.agent import Agent, Business
from services.receptionist.agent.work import Routing
from tests.engines.chosen import settings

AVA = Agent("Ava", Business("Bright Smile Dental"))
GRACE = Agent("Grace", Business("Cutting Edge"), numbers=("+442079460123", "+442079460124"))


@dataclass
class FakeFleet:
    agents: Mapping[str, Agent]
    report: Sequence[tuple[str, str]] = (("Ears", "good"), ("Voice", "ava: loud"), ("", "b: low"))
    problems: Sequence[str] = ()


def told(problems: Sequence[str] = (), **agents: Agent) -> list[str]:
    return announcement(settings(port=8123), FakeFleet(agents, problems=problems)).splitlines()


def test_one_agent_for_all_numbers_is_its_business() -> None:
    lines = told(receptionist=AVA)
    assert lines[1] == "Bright Smile Dental is answering calls."
    assert "  Talk page  http://localhost:8123/" in lines
    assert not any("receptionist" in line for line in lines)


def test_one_agent_with_numbers_tells_them() -> None:
    lines = told(salon=GRACE)
    assert lines[1] == "Cutting Edge is answering calls."
    numbers = "+442079460123, +442079460124"
    assert f"  Agents     salon (Grace, Cutting Edge): {numbers}" in lines


def test_several_agents_are_told_with_their_numbers_and_parts() -> None:
    lines = told(receptionist=AVA, salon=GRACE)
    assert lines[1] == "2 agents are answering calls."
    at = lines.index("  Agents     receptionist (Ava, Bright Smile Dental): all other numbers")
    assert lines[at + 1 : at + 5] == [
        "             salon (Grace, Cutting Edge): +442079460123, +442079460124",
        "  Ears       good",
        "  Voice      ava: loud",
        "             b: low",
    ]


def test_each_problem_has_a_line() -> None:
    lines = told(["a.toml: line 1\na.toml: line 2", "no key"], salon=GRACE)
    at = lines.index("  Trouble:")
    assert lines[at + 1 : at + 4] == [
        *("    - a.toml: line 1", "    - a.toml: line 2", "    - no key"),
    ]


def test_recordings_that_nobody_could_fetch_are_told_of() -> None:
    some = Agent("Ava", Business("Bright Smile Dental"), routing=Routing(record_share=10))
    missing = "    - TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN: without them recordings cannot be "
    assert any(line.startswith(missing) for line in told(receptionist=some))
    assert not any(line.startswith(missing) for line in told(receptionist=AVA))
