"""Engines without models: the embedded ones are there, and cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from services.engines import ears, voices
from services.engines.shared import Shared
from tests.engines.chosen import FakeHibari


@pytest.fixture(autouse=True)
def _embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both embedded models are there, and cost nothing."""
    monkeypatch.setattr(ears, "Moonshine", lambda folder: object())
    monkeypatch.setattr(voices, "HibariVoice", FakeHibari)


@pytest.fixture
def shared() -> Iterator[Shared]:
    made = Shared(1)
    yield made
    asyncio.run(made.close())
