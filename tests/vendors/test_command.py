"""``python -m tests.simulators.vendors``, the whole of it, on virtual time."""

from __future__ import annotations

import asyncio
import io
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
    redirect_stdout,
)
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
import uvicorn

import main
from services.replay import replay
from services.settings import load_settings
from tests.server import free_port
from tests.simulators import script
from tests.simulators.mulaw import encode
from tests.simulators.vendors import __main__ as command
from tests.simulators.vendors.legible import spell, text_of
from tests.simulators.voices import load_wav
from tests.speech import TEXTS
from tests.vendors.calls import without_embedded_models
from tests.virtual_time import run_virtual

STEP = re.compile(r" +(\d+\.\d{3}) s  (\w+) +([\w .+-]+?)(?:  \(reply (\d+)\))?")
ANSWERED = [
    ("deepgram", "finalize"),
    ("deepgram", "final words"),
    ("openai", "request gpt-5.4-mini"),
    ("openai", "first token"),
    ("elevenlabs", "context opened"),
    ("elevenlabs", "first audio"),
    ("elevenlabs", "final"),
    ("elevenlabs", "context closed"),
]
"""The steps that answer a turn, in their order; the end of OpenAI's stream comes amid the last."""


@cache
def places() -> dict[str, bytes]:
    """Recording -> a piece of its middle. The line carries it untouched."""
    found = {}
    for name in {name for turn in command.TURNS for name in turn}:
        audio = encode(load_wav(command.SPEECH / f"{name}.wav"))
        found[name] = audio[len(audio) // 2 :][:64]
    return found


def ears() -> Callable[[bytes], str]:
    """Hears the recordings and the legible voice: the embedded models take real time."""

    def hear(audio: bytes) -> str:
        said = [
            (place.start(), TEXTS[name])
            for name, middle in places().items()
            for place in re.finditer(re.escape(middle), audio)
        ]
        return " ".join(text for _, text in sorted(said)) or text_of(audio)

    return hear


@contextmanager
def without_models() -> Iterator[None]:
    with (
        patch.object(command, "hibari_voice", lambda: spell),
        patch.object(command, "moonshine_ears", ears),
    ):
        yield


@asynccontextmanager
async def server_here(led: dict[str, str], data: str) -> AsyncIterator[str]:
    """The server on this loop, whose time is virtual, and not in a process of its own."""
    port = free_port()
    given = {name.lower(): value for name, value in command.settings_of(led, port, data).items()}
    settings = load_settings(_env_file=None, **given)
    with without_embedded_models():
        app = main.create_app(settings)
    server = uvicorn.Server(main.server_config(app, settings))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.sleep(0.1)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@dataclass(frozen=True, slots=True)
class Run:
    """What the command printed, and the server's data."""

    printed: str
    data: Path

    @property
    def steps(self) -> list[tuple[float, str, str, int]]:
        """Time in s, vendor, step and reply, line by line."""
        part = self.printed.partition("What the vendors did\n\n")[2].partition("\n\n")[0]
        matches = [STEP.fullmatch(line) for line in part.splitlines()]
        assert all(matches), part
        return [(float(m[1]), m[2], m[3], int(m[4] or 0)) for m in matches if m]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The whole command."""
    data, out = tmp_path_factory.mktemp("data"), io.StringIO()
    with (
        without_models(),
        patch.object(command, "server", server_here),
        patch.object(command, "TemporaryDirectory", lambda: nullcontext(str(data))),
        redirect_stdout(out),
    ):
        assert run_virtual(command.call(0)) == 0, out.getvalue()
    return Run(out.getvalue(), data)


def test_every_step_of_every_vendor_is_printed_with_its_time_and_in_order(run: Run) -> None:
    times = [at for at, *_ in run.steps]
    assert times == sorted(times)
    assert times[-1] > 30
    assert {(vendor, step) for _, vendor, step, _ in run.steps[:2]} == {
        ("deepgram", "connected"),
        ("elevenlabs", "connected"),
    }
    told = [(vendor, step) for _, vendor, step, _ in run.steps[2:]]
    book_keeping = [step for step in told if step[1] == "done" or step[1].startswith("usage ")]
    assert len(book_keeping) == 2 * len(command.TURNS)
    in_turns = [step for step in told if step not in book_keeping]
    assert without_pauses(in_turns) == ANSWERED * len(command.TURNS)


def without_pauses(told: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A caller who dictates a number pauses: such words are heard, and not answered yet."""
    kept: list[tuple[str, str]] = []
    for step in told:
        kept.append(step)
        if kept[-4:] == ANSWERED[:2] * 2:
            del kept[-2:]
    return kept


def test_the_steps_of_an_answer_bear_its_number(run: Run) -> None:
    for vendor in ("openai", "elevenlabs"):
        replies = Counter(reply for _, name, _, reply in run.steps if name == vendor and reply)
        assert replies == dict.fromkeys(range(2, 2 + len(command.TURNS)), 4)


def test_the_caller_is_a_person_in_every_turn_and_the_output_says_so(run: Run) -> None:
    assert f"all {len(command.TURNS)} turns of the caller are recordings of a person" in run.printed
    wavs = [action.path for action in command.script() if isinstance(action, script.PlayWav)]
    assert re.findall(r"caller: +\((.*)\)", run.printed) == [path.name for path in wavs]
    assert not [action for action in command.script() if isinstance(action, script.Say)]
    assert all(path.is_file() for path in wavs)


def test_the_caller_gets_answers_and_leaves_a_message(run: Run) -> None:
    said = run.printed.partition("What was said")[2]
    for part in (
        "closed on Sundays",
        "Market Street",
        "5 5 5, 0 1 2 3. Is that right?",
        "Goodbye!",
    ):
        assert part in said
    assert "result          ran through" in said
    with closing(sqlite3.connect(run.data / "receptionist.db")) as database:
        kept = database.execute("select text, number, complete from messages").fetchall()
    ((words, number, is_complete),) = kept
    assert (words, is_complete) == (TEXTS["vm-nonumber"], True)
    assert number.endswith("5550123")


def test_the_journal_can_be_replayed(run: Run) -> None:
    (journal,) = (run.data / "calls").glob("*.jsonl")
    lines = journal.read_text().splitlines()
    events, differences = replay(lines)
    assert events > len(run.steps)
    assert differences == []


def test_the_settings_lead_to_the_simulators() -> None:
    async def work() -> None:
        async with command.vendors(0) as given:
            assert set(given) == {
                f"{vendor}_{what}"
                for vendor in ("DEEPGRAM", "OPENAI", "ELEVENLABS")
                for what in ("BASE_URL", "API_KEY")
            }
            assert len(set(given.values())) == 6  # the keys differ, too

    with without_models():
        run_virtual(work())


def test_failures_are_told_with_their_code(tmp_path: Path) -> None:
    journal = tmp_path / "call.jsonl"
    journal.write_text(
        '{"journal":1}\n'
        '{"t":1.5,"event":{"type":"VendorStep","vendor":"openai","step":"done","reply":2}}\n'
        '{"t":2,"event":{"type":"VendorFailed","vendor":"deepgram","step":"listen","code":"1011"}}\n'
        '{"t":3,"event":{"type":"DeadlinePassed"}}\n'
        '{"t":4,"note":"closed"}\n'
    )
    assert command.vendor_steps(journal) == [
        "    1.500 s  openai      done  (reply 2)",
        "    2.000 s  deepgram    listen: 1011",
    ]


def test_serving_says_how_to_get_there(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        serving = asyncio.create_task(command.serve(0))
        while "ELEVENLABS_API_KEY" not in capsys.readouterr().out:
            assert not serving.done()
            await asyncio.sleep(0.01)
        serving.cancel()
        await asyncio.wait({serving})

    with without_models():
        asyncio.run(work())
