"""A real browser for the talk page: headless Chromium, its microphone fed from a WAV file."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright

from tests.web.scripted_server import ScriptedServer

BrowserPage = Callable[..., Page]
Launch = Callable[[Path | None, bool], Browser]

_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
]
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def launch(playwright: Playwright) -> Iterator[Launch]:
    """Browsers by what their microphone hears; each is started once."""
    browsers: dict[tuple[Path | None, bool], Browser] = {}

    def launch(wav: Path | None, microphone: bool) -> Browser:
        if (wav, microphone) not in browsers:
            browsers[wav, microphone] = _start(playwright, wav, microphone)
        return browsers[wav, microphone]

    yield launch
    for browser in browsers.values():
        browser.close()


@pytest.fixture
def browser_page(launch: Launch) -> Iterator[BrowserPage]:
    """``browser_page(url, wav)``: a fresh page on ``url`` whose microphone plays ``wav`` once.

    The file plays from its start when the page opens the microphone. Without ``wav`` the microphone
    beeps; with ``microphone=False`` the page is refused it. Further options are those of a
    Playwright context (``viewport``, ``color_scheme``). A script error on the page fails the test.
    """
    contexts = []
    errors: list[Error] = []

    def open_page(
        url: str, wav: Path | None = None, *, microphone: bool = True, **options: object
    ) -> Page:
        context = launch(wav, microphone).new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(error))
        page.goto(url)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not errors, errors


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """The scripted server, listening."""
    with ScriptedServer().serve() as server:
        yield server


def _start(playwright: Playwright, wav: Path | None, microphone: bool) -> Browser:
    answer = ["--use-fake-ui-for-media-stream"] if microphone else ["--deny-permission-prompts"]
    source = [f"--use-file-for-fake-audio-capture={wav}%noloop"] if wav else []
    executable = next(filter(None, map(shutil.which, _NAMES)), None)
    try:
        # Without a Chromium of the system, Playwright's own, where it is installed.
        return playwright.chromium.launch(
            executable_path=executable,
            args=[*_FLAGS, *answer, *source],
            ignore_default_args=["--mute-audio"],
        )
    except Error as error:
        if executable is not None:
            raise
        reason = "the talk page needs a browser, and no Chromium was found: install chromium"
        if os.environ.get("CI") == "true":
            raise RuntimeError(reason) from error
        pytest.skip(reason)
