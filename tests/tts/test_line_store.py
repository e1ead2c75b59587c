"""Lines rendered ahead: kept on disk, asked for once, and never the reason of a failure."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from services.audio.mulaw import SILENCE
from services.tts import Reader
from services.tts.line_store import LineStore, without_lead
from services.vendors import VendorError
from tests.simulators.vendors.legible import spell, text_of
from tests.tts.caller import Told, breaker
from tests.virtual_time import run_virtual

LINES = ["Thank you for calling.", "Are you still there?", "Goodbye.", "Sorry, once again?"]


class Renderer:
    """Takes a second for each line; fails as often as it is told to."""

    def __init__(self, name: str = "sarah", failures: int = 0) -> None:
        self.name = name
        self.failures = failures
        self.asked: list[str] = []
        self.now = self.most = 0

    async def render(self, text: str) -> bytes:
        self.asked.append(text)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(1)
        finally:
            self.now -= 1
        if self.failures:
            self.failures -= 1
            raise VendorError("elevenlabs", "request", "429") if self.failures % 2 else OSError
        return spell(text)


class Refusing(Renderer):
    """Has a key that is refused, until it is not."""

    is_refused = True

    async def render(self, text: str) -> bytes:
        audio = await super().render(text)
        if self.is_refused:
            raise VendorError("elevenlabs", "request", "401", at_once=True)
        return audio


class Reading(Renderer):
    """Makes its lines speakable."""

    def __init__(self, price: str) -> None:
        super().__init__()
        self.price = price

    def spoken(self, text: str) -> str:
        return text.replace("$5", self.price)


def filled(folder: Path, renderer: Renderer, within_s: float = 1000) -> dict[str, bytes]:
    into: dict[str, bytes] = {}

    async def main() -> None:
        try:
            async with asyncio.timeout(within_s):
                await LineStore(folder, renderer).fill([*LINES, LINES[0], "", " "], into)
        except TimeoutError:
            pass

    run_virtual(main())
    return into


def test_lines_are_rendered_once_a_few_at_a_time_and_then_read_from_disk(tmp_path: Path) -> None:
    renderer = Renderer()
    first = filled(tmp_path / "lines", renderer)
    assert {text: text_of(audio) for text, audio in first.items()} == {t: t for t in LINES}
    assert sorted(renderer.asked) == sorted(LINES)
    assert renderer.most == 2
    again = Renderer()
    assert filled(tmp_path / "lines", again) == first
    assert again.asked == []


def test_another_voice_has_lines_of_its_own(tmp_path: Path) -> None:
    filled(tmp_path, Renderer())
    other = Renderer("george")
    filled(tmp_path, other)
    assert len(other.asked) == len(LINES)


def test_a_line_that_is_read_in_another_way_is_rendered_anew(tmp_path: Path) -> None:
    lines = ["A call costs $5.", "Goodbye."]

    async def asked_for(renderer: Reading) -> list[str]:
        assert isinstance(renderer, Reader)
        into: dict[str, bytes] = {}
        await LineStore(tmp_path, renderer).fill(lines, into)
        assert set(into) == set(lines)
        return renderer.asked

    async def main() -> None:
        assert await asked_for(Reading("five dollar")) == lines
        assert await asked_for(Reading("five dollar")) == []
        assert await asked_for(Reading("five dollars")) == lines[:1]

    run_virtual(main())


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "lines"
    filled(folder, Renderer())
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) == len(LINES), "no unfinished file is left"
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_vendor_that_fails_is_asked_again(tmp_path: Path) -> None:
    renderer = Renderer(failures=9)
    assert set(filled(tmp_path, renderer)) == set(LINES)


def test_each_failure_is_told_once(tmp_path: Path) -> None:
    async def main() -> None:
        told, renderer = Told(), Renderer(failures=9)
        await LineStore(tmp_path, renderer, told.reports).fill(LINES, {})
        assert told.failures == ["elevenlabs 429"] * 4, "the other five are bugs"

    run_virtual(main())


def test_a_caller_does_not_try_in_vain_what_the_store_has_tried(tmp_path: Path) -> None:
    async def main() -> None:
        told, gate, into = Told(), breaker(), dict[str, bytes]()
        renderer = Refusing()
        store = LineStore(tmp_path, renderer, told.reports, gate)
        filling = asyncio.create_task(store.fill(LINES, into))
        await asyncio.sleep(1.1)
        assert gate.is_open
        await asyncio.sleep(200)
        open_s = 0
        for _ in range(600):
            await asyncio.sleep(1)
            open_s += gate.is_open
        assert open_s > 540
        assert len(told.failures) == len(renderer.asked) - renderer.now
        renderer.is_refused = False
        await filling
        assert set(into) == set(LINES)
        assert gate.allows()

    run_virtual(main())


def test_the_trial_that_ends_an_outage_is_the_stores_and_no_callers(tmp_path: Path) -> None:
    async def main() -> None:
        gate, renderer, into = breaker(), Refusing(), dict[str, bytes]()
        gate.failed(VendorError("elevenlabs", "connect", "refused", at_once=True))
        filling = asyncio.create_task(LineStore(tmp_path, renderer, None, gate).fill(LINES, into))
        let_through = 0
        for _ in range(60_000):  # a caller asks ten times a second, and never fails
            await asyncio.sleep(0.1)
            if not gate.is_open:
                let_through += gate.allows()
        assert len(renderer.asked) > 90
        assert let_through == 0
        filling.cancel()
        await asyncio.wait({filling})

    run_virtual(main())


def test_what_was_there_when_time_was_up_stays(tmp_path: Path) -> None:
    into = filled(tmp_path, Renderer(), within_s=1.5)
    assert len(into) == 2
    renderer = Renderer()
    assert set(filled(tmp_path, renderer)) == set(LINES)
    assert len(renderer.asked) == 2


def test_broken_files_are_rendered_anew(tmp_path: Path) -> None:
    filled(tmp_path, Renderer())
    first, second, *_ = sorted(tmp_path.iterdir())
    first.write_bytes(b"")
    second.unlink()
    second.mkdir()
    renderer = Renderer()
    assert set(filled(tmp_path, renderer)) == set(LINES)
    assert len(renderer.asked) == 2
    assert first.stat().st_size > 0


def test_a_disk_that_takes_nothing_costs_only_the_keeping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert set(filled(tmp_path, Renderer())) == set(LINES)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    assert set(filled(tmp_path / "file" / "lines", Renderer())) == set(LINES)


def test_long_silence_before_the_first_sound_is_cut() -> None:
    sound = spell("Yes.")
    assert without_lead(SILENCE * 10 + sound) == SILENCE + sound
    assert without_lead(SILENCE * 2 + sound) == SILENCE * 2 + sound
    assert without_lead(SILENCE * 9) == SILENCE * 9
    assert without_lead(b"") == b""
