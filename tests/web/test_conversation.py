"""Two turns on the talk page: a real browser, the real server, its engines, and human speech."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soxr
from playwright.sync_api import expect

from tests import speech
from tests.server import RunningServer, serve
from tests.web.conftest import BrowserPage

CARD_HZ = 48_000
ANSWERED_WITHIN_MS = 30_000
SAID_WITHIN_MS = 60_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with serve(tmp_path_factory.mktemp("talk"), twilio_auth_token="token") as running:
        yield running


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the microphone hears: a caller who waits for the greeting, asks, and says goodbye.

    A lone word through a browser on a busy machine may be misheard; callers then say it again.
    """
    path = tmp_path_factory.mktemp("microphone") / "caller.wav"
    parts: list[float | str] = [9, *["location", 10] * 3, *["vm-goodbye", 8] * 4]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(CARD_HZ)
        for part in parts:
            if isinstance(part, str):
                said = np.frombuffer(speech.prompt(part), np.int16)
                file.writeframes(soxr.resample(said, 8000, CARD_HZ).tobytes())
            else:
                file.writeframes(bytes(2 * int(part * CARD_HZ)))
    return path


def test_two_turns_are_held_by_voice(
    server: RunningServer, browser_page: BrowserPage, microphone: Path, tmp_path: Path
) -> None:
    page = browser_page(server.url, microphone)
    page.get_by_role("button", name="Call", exact=True).click()
    caller, agent = page.locator(".bubble.caller"), page.locator(".bubble.agent")

    expect(agent.nth(0)).to_contain_text("Thanks for calling")
    expect(agent.filter(has_text="Market Street").first).to_be_visible(timeout=SAID_WITHIN_MS)
    expect(page.locator("#latency-total")).to_contain_text("ms", timeout=ANSWERED_WITHIN_MS)
    page.screenshot(path=tmp_path / "talk.png")
    expect(agent.filter(has_text="Goodbye").first).to_be_visible(timeout=SAID_WITHIN_MS)
    expect(page.locator("body")).not_to_have_attribute(
        "data-phase", "live", timeout=ANSWERED_WITHIN_MS
    )
    assert caller.count() >= 2

    assert (tmp_path / "talk.png").stat().st_size > 10_000
    effects = [effect for line in server.journal() for effect in line.get("effects", ())]
    assert {"type": "HangUp", "reason": "goodbye"} in effects
