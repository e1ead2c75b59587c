"""``python -m tests.simulators.vendors``: a call with human speech on all three simulated vendors.

Starts the simulators and the real server on them, calls it as Twilio would, and prints what was
said and every step that a vendor took, with its time. With ``--serve`` it only serves the
simulators and prints the settings for a server of your own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from services.settings import Settings
from tests.server import free_port
from tests.simulators import folder
from tests.simulators.phone import CallSetup, Phone
from tests.simulators.script import Action, ExpectHangUp, PlayWav, WaitAgent
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.simulators.vendors.elevenlabs import ElevenLabsSimulator
from tests.simulators.vendors.life import model
from tests.simulators.vendors.openai import OpenAISimulator
from tests.simulators.voices import hibari_voice, moonshine_ears

ROOT = Path(__file__).parents[3]
SPEECH = ROOT / "tests/speech/asterisk"
AGENT_FILE = ROOT / "agents/receptionist.toml"
TURNS = (
    ("hours",),
    ("sunday",),
    ("location",),
    ("vm-leavemsg",),
    ("vm-nonumber",),  # this is the message
    ("vm-no",),  # no name
    ("vm-no",),  # another number
    ("digit-5", "digit-5", "digit-5", "digit-0", "digit-1", "digit-2", "digit-3"),
    ("auth-thankyou", "vm-goodbye"),
)
"""What the caller says, turn by turn: all of it was recorded from a person."""
WHO_SPEAKS = (
    f"all {len(TURNS)} turns of the caller are recordings of a person, out of tests/speech; "
    "the agent's voice is rendered"
)
START_WITHIN_S = 60


def script() -> list[Action]:
    """What the caller does."""
    actions: list[Action] = []
    for turn in TURNS:
        actions += [WaitAgent(), *(PlayWav(SPEECH / f"{name}.wav") for name in turn)]
    return [*actions, ExpectHangUp()]


@asynccontextmanager
async def vendors(first_port: int) -> AsyncIterator[dict[str, str]]:
    """The three simulators with ears, a mind and a voice; gives the settings that lead to them.

    They listen on ``first_port`` and the two ports after it; 0: on any.
    """
    voice = hibari_voice()
    voice("Hello.")  # its first sentence takes long, and nobody shall wait for it
    ports = [first_port + number if first_port else 0 for number in range(3)]
    async with AsyncExitStack() as stack:
        deepgram = await stack.enter_async_context(
            DeepgramSimulator(port=ports[0], hears=moonshine_ears(), gap_ms=400)
        )
        openai = await stack.enter_async_context(
            OpenAISimulator(port=ports[1], answers=model(AGENT_FILE))
        )
        elevenlabs = await stack.enter_async_context(
            ElevenLabsSimulator(port=ports[2], voice=voice)
        )
        simulators = {"DEEPGRAM": deepgram, "OPENAI": openai, "ELEVENLABS": elevenlabs}
        urls = {f"{name}_BASE_URL": simulator.url for name, simulator in simulators.items()}
        keys = {f"{name}_API_KEY": simulator.key for name, simulator in simulators.items()}
        yield {**urls, **keys}
        wrong = [error for simulator in simulators.values() for error in simulator.errors]
        for error in wrong:
            print(f"a simulator was used wrongly: {error}")


async def serve(first_port: int) -> None:
    """Serve until stopped."""
    async with vendors(first_port) as settings:
        print(*(f"{name}={value}" for name, value in settings.items()), sep="\n", flush=True)
        await asyncio.Event().wait()


def settings_of(led: dict[str, str], port: int, data: str) -> dict[str, str]:
    """All settings of the server; ``led``: those that lead to the simulators."""
    own = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": data, "LOG_LEVEL": "WARNING"}
    chosen = {"STT": "deepgram", "LLM": "openai", "TTS": "elevenlabs"}
    return {**led, **chosen, **own, "AGENT_FILE": str(AGENT_FILE)}


@asynccontextmanager
async def server(settings: dict[str, str], data: str) -> AsyncIterator[str]:
    """The real server in a process of its own; gives its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    ours = {name.upper() for name in Settings.model_fields}
    others = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "main.py"),
        cwd=data,  # where there is no .env
        env={**others, **settings_of(settings, port, data)},
    )
    try:
        async with asyncio.timeout(START_WITHIN_S), httpx.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    await client.get(f"{url}/health")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.1)
        yield url
    finally:
        process.terminate()
        await process.wait()


def vendor_steps(journal: Path) -> list[str]:
    """The vendors' steps out of a call's journal: time, vendor, step, reply."""
    told = []
    for line in map(json.loads, journal.read_text(encoding="utf-8").splitlines()):
        event = line.get("event", {})
        if event.get("type") in {"VendorStep", "VendorFailed"}:
            reply = f"  (reply {event['reply']})" if event.get("reply") else ""
            code = f": {event['code']}" if "code" in event else ""
            told.append(f"{line['t']:9.3f} s  {event['vendor']:<11} {event['step']}{code}{reply}")
    return told


async def call(first_port: int) -> int:
    """One call on the simulators. Returns the exit code."""
    with TemporaryDirectory() as data:
        async with vendors(first_port) as settings, server(settings, data) as url:
            phone = Phone(CallSetup(url=url), listen=moonshine_ears())
            report = await phone.call(script())
        (journal,) = (Path(data) / "calls").glob("*.jsonl")
        steps = vendor_steps(journal)
    print("\nWhat the vendors did\n", *steps, sep="\n")
    print(f"\nWhat was said ({WHO_SPEAKS})\n")
    print(folder.transcript_text(report), folder.summary_text(report), sep="\n\n")
    failed = any(": " in step for step in steps)
    return 0 if report.ok and not failed else 1


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulators.vendors", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="only serve the simulators")
    parser.add_argument("--port", type=int, default=0, help="the first of three (default: any)")
    options = parser.parse_args()
    try:
        if options.serve:
            asyncio.run(serve(options.port))
            return 0
        return asyncio.run(call(options.port))
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
