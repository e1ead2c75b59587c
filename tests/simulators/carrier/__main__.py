"""Be Twilio for a running server: ``python -m tests.simulators.carrier --help``."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import re
import sys
from collections.abc import Sequence

from tests.simulators.carrier import Carrier, Leg, machine
from tests.simulators.carrier.box import ACCOUNT_SID
from tests.simulators.carrier.ledger import Note
from tests.simulators.carrier.parties import Answers, Party
from tests.simulators.phone import Listen
from tests.simulators.script import BadScript, Script, WaitAgent, parse, parse_arguments
from tests.simulators.voices import BadWav, NoEngine, hibari_voice, moonshine_ears

_FAILED, _USAGE = 1, 3
_HELP = """
A telephone is a number and what it does, with words out of: busy, rings-on, refuses, unreachable,
machine, rings=SECONDS, keys=1 (at the first question for a key), talks=SECONDS; then, after a
colon, a script for the media stream (the actions of python -m tests.simulators):

  --telephone "+15550100007 rings=3 keys=1 talks=10"
  --telephone "+15550100008 rings=2 : wait-agent; say Yes, tomorrow is fine.; wait-agent; hangup"
  --telephone "+15550100009 machine"

The caller's script ends with a stream; what the caller does after a transfer that failed, on the
next one, is --then. Without ACTION nobody calls: the REST interface is served for --wait seconds.

Start the server with TWILIO_BASE_URL, TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_NUMBER as
this command prints them. The log shows each request, both ways.
"""


class BadTelephone(ValueError):
    """A telephone that makes no sense; the text says why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Be Twilio. 0: nothing to complain of, 1: there was, 3: the command makes no sense."""
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_run(options))
    except (BadScript, BadTelephone, BadWav, NoEngine, OSError) as error:
        print(f"carrier: {error}", file=sys.stderr)
        return _USAGE
    except KeyboardInterrupt:
        return 0


async def _run(options: argparse.Namespace) -> int:
    scripts: list[Script] = [parse(text) for text in options.then]
    if options.actions:
        scripts.insert(0, parse_arguments(options.actions))
    telephones = [telephone(text) for text in options.telephone]
    speaks = any(party.scripts or party.says for _, party in telephones) or bool(scripts)
    carrier = Carrier(
        options.url,
        public_url=options.public_url,
        auth_token=options.auth_token,
        account_sid=options.account_sid,
        voice=options.webhook,
        status_callback=options.status,
        speak=hibari_voice() if speaks and not options.hum else None,
        speed=options.speed,
        rest_port=options.rest_port,
    )
    carrier.on_note = _print
    for number, party in telephones:
        carrier.telephone(number, party)
    async with carrier:
        print(
            f"TWILIO_BASE_URL={carrier.rest_url} TWILIO_ACCOUNT_SID={carrier.account_sid} "
            f"TWILIO_AUTH_TOKEN={carrier.auth_token} TWILIO_NUMBER={options.called}"
        )
        if options.actions:
            caller = Party(scripts=scripts, keys=tuple(options.keys), says=tuple(options.says))
            await carrier.call_in(options.caller, options.called, caller)
            await carrier.over(options.patience)
        await asyncio.sleep(options.wait if options.wait or options.actions else 600)
    await asyncio.to_thread(_heard, carrier, options.no_listen)
    return _verdict(carrier)


def telephone(text: str) -> tuple[str, Party]:
    """A number and who answers it. Raises BadTelephone, BadScript."""
    head, _, script = text.partition(":")
    number, *words = head.split() or [""]
    if not re.fullmatch(r"\+[1-9]\d{6,14}", number):
        raise BadTelephone(f"{text!r}: must begin with a number like +15550100007")
    party = machine() if "machine" in words else Party()
    for word in words:
        name, _, value = word.partition("=")
        try:
            if name == "rings":
                party = dataclasses.replace(party, rings_s=float(value))
            elif name == "talks":
                party = dataclasses.replace(party, talks_s=float(value))
            elif name == "keys":
                party = dataclasses.replace(party, keys=tuple(value.split(",")))
            elif word != "machine":
                party = dataclasses.replace(party, answers=Answers(word.replace("-", " ")))
        except ValueError:
            raise BadTelephone(f"{text!r}: {word!r} is none of the words; see --help") from None
    if script.strip():
        party = dataclasses.replace(party, scripts=[parse(script)])
    elif not party.scripts:
        party = dataclasses.replace(party, scripts=[[WaitAgent(timeout_s=60)]])
    return number, party


def _print(note: Note) -> None:
    print(f"{note.at_s:8.2f}  {note.call_sid[:8]:<8}  {note.text}", flush=True)


def _heard(carrier: Carrier, silent: bool) -> None:
    """Print what each party heard on its streams, in words."""
    legs = [leg for leg in carrier.calls.values() if leg.streams]
    if silent or not legs:
        return
    try:
        listen = moonshine_ears()
    except NoEngine as error:
        print(f"carrier: {error}", file=sys.stderr)
        return
    for leg in legs:
        print(f"\nheard on the streams of {leg.sid[:8]} ({leg.from_} -> {leg.to}):")
        for line in _lines(leg, listen):
            print(f"  {line}")


def _lines(leg: Leg, listen: Listen) -> list[str]:
    lines = []
    for stream in leg.streams:
        spoken = [(each.start_ms, f"says:  {each.clip.text}") for each in stream.record.spoken]
        spoken += [
            (run.start_ms, f"hears: {listen(bytes(run.audio)) or '(no words)'}")
            for run in stream.playback.runs
        ]
        lines += [f"{ms / 1000:7.2f}  {text}" for ms, text in sorted(spoken)]
    return lines


def _verdict(carrier: Carrier) -> int:
    failures = [failure for leg in carrier.calls.values() for failure in leg.failures]
    print(
        f"\n{len(carrier.calls)} legs, {len(carrier.requests)} requests to the server, "
        f"{len(carrier.rest)} from it, {len(carrier.texts)} text messages"
    )
    for text in [*carrier.errors, *failures]:
        print(f"ERROR {text}")
    return _FAILED if carrier.errors or failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators.carrier",
        description="Twilio for a running server: calls in, rings telephones, serves REST.",
        epilog=_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("actions", nargs="*", metavar="ACTION", help="what the caller does; none: nobody calls")
    add("--then", action="append", default=[], help="what the caller does on the next stream")
    add("--keys", action="append", default=[], help="what the caller presses at a <Gather>")
    add("--says", action="append", default=[], help="what the caller says at a <Record>")
    add("--telephone", action="append", default=[], help="who answers a number; see below")
    add("--url", default="http://127.0.0.1:8000", help="where the server listens")
    add("--public-url", default="", help="what the server calls itself, if it differs")
    add("--webhook", default="/voice-stream", help="path of the voice webhook")
    add("--status", default="", help="path of the number's status callback")
    add("--from", dest="caller", default="+15550100001", help="the caller's number")
    add("--to", dest="called", default="+15550100002", help="the number called")
    add("--account-sid", default=ACCOUNT_SID)
    add("--auth-token", default="an-auth-token", help="signs webhooks and opens REST")
    add("--rest-port", type=int, default=8400, help="where the REST interface is served")
    add("--wait", type=float, default=0.0, metavar="S", help="serve REST so much longer")
    add("--patience", type=float, default=600.0, metavar="S", help="the longest call")
    add("--speed", type=float, default=1.0, help="how much faster rings and pauses are")
    add("--hum", action="store_true", help="hum instead of speaking")
    add("--no-listen", action="store_true", help="do not write down what was heard")
    return parser


if __name__ == "__main__":
    sys.exit(main())
