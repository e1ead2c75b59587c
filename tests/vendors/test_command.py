"""The parts of ``python -m tests.simulators.vendors``; the whole of it takes a minute and more."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest

from services.call.timings import Timings
from services.replay import replay
from tests.simulators import script
from tests.simulators.vendors import __main__ as command
from tests.simulators.vendors.legible import spell
from tests.vendors.calls import Call, Server, on_virtual_time

SAID = (
    "What are your opening hours on Friday?",
    "I want to leave a message for Maria.",
    "Please call me back about my bill.",
    "Anna Miller.",
    "Yes, this number is right.",
    "Yes, that's right.",
    "No, thank you. Goodbye.",
)


def ears() -> Callable[[bytes], str]:
    """Hears what the caller is to say, whatever the audio: the embedded models take real time."""
    left = iter(SAID)
    return lambda audio: next(left)


@on_virtual_time
async def test_a_call_on_the_settings_that_the_command_gives(folder: Path) -> None:
    with (
        patch.object(command, "hibari_voice", lambda: spell),
        patch.object(command, "moonshine_ears", ears),
    ):
        async with command.vendors(0) as given:
            assert set(given) == {
                f"{vendor}_{what}"
                for vendor in ("DEEPGRAM", "OPENAI", "ELEVENLABS")
                for what in ("BASE_URL", "API_KEY")
            }
            settings = {name.lower(): value for name, value in given.items()}
            server = Server(folder, {**settings, "faq_ahead": False}, Timings())
            async with server.running():
                call = Call(server)
                await call.agent_is_done()
                for _ in SAID[:-1]:
                    await call.ask("hours")
                await call.say("vm-goodbye")
                await call.until(call.task.done)
                await call.task
    assert call.hung_up == ["goodbye"]
    assert [text for text in call.history if text in SAID] == list(SAID)
    assert [message.name for message in call.kept] == ["Anna Miller"]
    assert call.failures == []
    journal = call.journal_file
    assert replay(journal.read_text().splitlines()) == (len(call.entries), [])
    check_steps(command.vendor_steps(journal))


def check_steps(told: list[str]) -> None:
    """The steps are told as the README shows them."""
    for line in told:
        assert re.fullmatch(r" +\d+\.\d{3} s  \w+ +[\w .+-]+(\(reply \d+\))?", line), line
    text = "\n".join(told)
    for step in ("connected", "finalize", "request gpt", "first token", "usage", "done"):
        assert step in text
    for step in ("context opened", "first audio", "context closed"):
        assert len(re.findall(rf"elevenlabs +{step}  \(reply \d+\)", text)) == len(SAID)


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


def test_the_script_of_the_command_can_be_performed() -> None:
    actions = script.parse(command.SCRIPT)
    wavs = [action.path for action in actions if isinstance(action, script.PlayWav)]
    assert wavs
    assert all(path.is_file() for path in wavs)
    assert isinstance(actions[-1], script.ExpectHangUp)


def test_serving_says_how_to_get_there(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        serving = asyncio.create_task(command.serve(0))
        while "ELEVENLABS_API_KEY" not in capsys.readouterr().out:
            assert not serving.done()
            await asyncio.sleep(0.01)
        serving.cancel()
        await asyncio.wait({serving})

    with (
        patch.object(command, "hibari_voice", lambda: spell),
        patch.object(command, "moonshine_ears", ears),
    ):
        asyncio.run(work())
