"""The agent file that the product ships, and a moment that all tests share."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from services.receptionist.agent import Agent, load_agent
from tests.receptionist.office import Office

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def agent() -> Agent:
    return load_agent(ROOT / "agents" / "receptionist.toml")


@pytest.fixture
def tuesday_at_ten(agent: Agent) -> datetime:
    return datetime(2026, 11, 17, 10, 0, tzinfo=agent.business.timezone)


@pytest.fixture
def office(agent: Agent) -> Office:
    """A new desk, with empty books."""
    return Office(agent)
