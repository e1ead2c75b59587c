"""The page's pure modules, run where they will run: in the browser."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.simulators import mulaw
from tests.web.conftest import Launch
from tests.web.scripted_server import ScriptedServer


@pytest.fixture(scope="module")
def page(launch: Launch) -> Iterator[Page]:
    """A page that all tests here share: the modules keep nothing between them."""
    with ScriptedServer().serve() as server:
        page = launch(None, True).new_page()
        page.goto(f"{server.url}/talk")
        yield page
        page.close()


def run(page: Page, module: str, script: str, argument: object = None) -> Any:
    """Evaluate ``script`` with the module's exports as ``m`` and the argument as ``x``."""
    return page.evaluate(
        f"async (x) => {{ const m = await import('/static/{module}'); {script} }}", argument
    )


def test_mulaw_decodes_every_code_like_the_simulator(page: Page) -> None:
    decoded = run(page, "mulaw.js", "return Array.from({length: 256}, (_, i) => m.decode16(i))")
    assert decoded == mulaw.decode(bytes(range(256))).tolist()


def test_mulaw_encodes_every_sample_like_the_simulator(page: Page) -> None:
    script = "return Array.from({length: 65536}, (_, i) => m.encode((i - 32768) / 32768))"
    encoded = bytes(run(page, "mulaw.js", script))
    assert encoded == mulaw.encode(np.arange(-32768, 32768).astype(np.int16))


def test_mulaw_clips_what_is_too_loud(page: Page) -> None:
    assert run(page, "mulaw.js", "return [m.encode(3), m.encode(-3)]") == [0x80, 0x00]
    assert run(page, "mulaw.js", "return m.encode(0) === m.SILENCE")


RESAMPLE = """
    const {from, to, tones} = x;
    const resampler = new m.Resampler(from, to);
    const out = [];
    for (let i = 0; i < from; i += 1) {
        resampler.feed(tones.reduce((sum, hz) => sum + Math.cos(2 * Math.PI * hz * i / from), 0));
        while (!resampler.hungry) out.push(resampler.take());
    }
    return out;
"""


def resampled(page: Page, from_hz: int, to_hz: int, *tones: int) -> np.ndarray:
    """One second of these tones (Hz), each with amplitude 1, resampled."""
    argument = {"from": from_hz, "to": to_hz, "tones": tones}
    return np.array(run(page, "resampler.js", RESAMPLE, argument))


def level_db(samples: np.ndarray, of_hz: float, rate: int) -> float:
    """Level of one frequency in the second half of the samples, relative to amplitude 1."""
    half = samples[len(samples) // 2 :] * np.hanning(len(samples) - len(samples) // 2)
    turn = np.exp(-2j * np.pi * of_hz * np.arange(len(half)) / rate)
    return 20 * math.log10(4 * abs(np.mean(half * turn)) + 1e-12)


CARDS = [8000, 16000, 22050, 44100, 48000, 96000]


@pytest.mark.parametrize("card", CARDS)
def test_resampling_keeps_the_telephone_band(page: Page, card: int) -> None:
    band = (300, 1000, 3400)
    for rate, samples in (
        (8000, resampled(page, card, 8000, *band)),
        (card, resampled(page, 8000, card, *band)),
    ):
        assert len(samples) == rate, "a second stays a second"
        for tone in band:
            assert level_db(samples, tone, rate) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("card", CARDS[1:])
def test_resampling_lets_nothing_fold_back_or_be_mirrored(page: Page, card: int) -> None:
    down = resampled(page, card, 8000, 4600, 5000, 7000)
    assert [level_db(down, folded, 8000) < -65 for folded in (3400, 3000, 1000)] == [True] * 3
    up = resampled(page, 8000, card, 3000)
    assert level_db(up, 5000, card) < -65


PLAY = "const p = new m.Playout(); const bytes = (n) => new Uint8Array(n).fill(0x80);"


def test_playout_reports_a_mark_when_its_sound_has_been_played(page: Page) -> None:
    script = f"""{PLAY}
        p.add(bytes(3)); p.mark('a'); p.add(bytes(2)); p.mark('b'); p.mark('c');
        return Array.from({{length: 7}}, () => [p.next() > 0.9, p.reached().join('')]);
    """
    assert run(page, "playout.js", script) == [
        *([True, ""], [True, ""], [True, "a"], [True, ""], [True, "bc"]),
        *([False, ""], [False, ""]),
    ]


def test_playout_reports_a_mark_at_once_when_nothing_is_queued(page: Page) -> None:
    script = f"{PLAY} p.next(); p.mark('a'); return [p.reached(), p.reached()]"
    assert run(page, "playout.js", script) == [["a"], []]


def test_playout_does_not_count_silence_of_its_own(page: Page) -> None:
    script = f"""{PLAY}
        p.add(bytes(1)); p.next(); p.next(); p.next();
        p.add(bytes(2)); p.mark('a'); p.next();
        return [p.reached(), p.queued, p.next() > 0.9, p.reached(), p.queued];
    """
    assert run(page, "playout.js", script) == [[], 1, True, ["a"], 0]


def test_a_clear_drops_the_sound_and_returns_the_marks(page: Page) -> None:
    script = f"""{PLAY}
        p.add(bytes(4)); p.mark('a'); p.add(bytes(4)); p.mark('b'); p.next();
        const dropped = p.clear();
        const silent = [p.next(), p.reached(), p.queued];
        p.add(bytes(2)); p.mark('c'); p.next();
        const early = p.reached();
        p.next();
        return [dropped, silent, early, p.reached()];
    """
    assert run(page, "playout.js", script) == [["a", "b"], [0, [], 0], [], ["c"]]


def test_stages_are_stretches_between_points_in_the_order_of_time(page: Page) -> None:
    figures = {
        **{"end_of_turn": 550, "transcript": 480, "first_token": 560, "first_audio": None},
        **{"first_frame": 700, "total": 700},
    }
    script = "return m.stages(x).map(({stage, at, took}) => [stage, at, took])"
    assert run(page, "latency.js", script, figures) == [
        *(["transcript", 480, 480], ["end_of_turn", 550, 70], ["first_token", 560, 10]),
        ["first_frame", 700, 140],
    ]


def test_loudness_is_shown_as_ears_count_it(page: Page) -> None:
    heights = run(page, "meter.js", "return [0, 0.0001, 0.0447, 1, 2].map(m.height)")
    assert heights == pytest.approx([0, 0, 0.5, 1, 1], abs=0.01)
