"""Call a running server from the command line: ``python -m tests.simulators --help``."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.simulators import folder
from tests.simulators.line import LineConditions
from tests.simulators.phone import CallFailed, CallSetup, Listen, Phone, Signing, Speak
from tests.simulators.script import (
    Action,
    BadScript,
    HangUp,
    Say,
    Script,
    WaitAgent,
    parse,
    parse_arguments,
    utterances,
)
from tests.simulators.script import __doc__ as SCRIPT_HELP
from tests.simulators.voices import BadWav, NoEngine, hibari_voice, moonshine_ears

_FAILED, _NO_CALL, _USAGE = 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Make one call. 0: it ran through without protocol errors, 1: it did not, 2: no call,
    3: the command makes no sense."""
    options = _parser().parse_args(arguments)
    try:
        script = _script(options)
        phone = Phone(
            _setup(options), speak=_voice(script), listen=_ears(options), line=_line(options)
        )
        report = asyncio.run(phone.call(script))
    except (BadScript, BadWav, NoEngine, OSError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return _USAGE
    except CallFailed as error:
        print(f"simulator: {error}", file=sys.stderr)
        return _NO_CALL
    folder.write(report, options.out)
    print(folder.timeline_text(report))
    print(f"\n{folder.transcript_text(report)}\n\n{folder.summary_text(report)}")
    print(f"{'files':<14}  {options.out}/call.wav, timeline.json, timeline.txt, transcript.txt")
    return 0 if report.ok else _FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulators",
        description="Calls a running server as Twilio would, and reports what happened.",
        epilog=SCRIPT_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("actions", nargs="*", metavar="ACTION", help='for example: say "Are you open today?"')
    add("--script", help="actions, separated by semicolons")
    add("--script-file", type=Path, help="actions, one per line")
    add("--url", default="http://127.0.0.1:8000", help="where the server listens")
    add("--webhook", default="/voice-stream", help="path of the voice webhook")
    add("--public-url", default="", help="the address that Twilio signs, if it differs from --url")
    add("--out", type=Path, default=Path("data/sim-call"), help="folder for the report")
    add("--auth-token", default="", help="sign the webhook and the handshake with this token")
    add("--from", dest="caller", default="+15550100001", help="the caller's number")
    add("--to", dest="called", default="+15550100002", help="the number called")
    add("--no-listen", action="store_true", help="do not write down what the agent says")
    bad = parser.add_argument_group("things that go wrong").add_argument
    bad("--sign-webhook", choices=[s.value for s in Signing], default="right")
    bad("--sign-socket", choices=[s.value for s in Signing], default="right")
    bad("--repeat-webhook", action="store_true", help="post the webhook twice")
    line = parser.add_argument_group("the line").add_argument
    line("--jitter", type=float, default=0.0, metavar="MS", help="frames up to so late, in bursts")
    line("--loss", type=float, default=0.0, metavar="P", help="share of frames that are lost")
    line("--duplicate", type=float, default=0.0, metavar="P", help="share of frames sent twice")
    line("--reorder", type=float, default=0.0, metavar="P", help="share of frames overtaken")
    line("--dtx", action="store_true", help="no frames while the caller is silent")
    line("--snr", type=float, metavar="DB", help="background noise, so much under the voice")
    line("--packet-bytes", type=int, default=160, help="payload size of the caller's media")
    line("--seed", type=int, default=0, help="of the line's chances")
    return parser


def _script(options: argparse.Namespace) -> list[Action]:
    """What the options ask for. A call given by ACTION words alone begins with the greeting."""
    if options.script_file:
        return parse(options.script_file.read_text(encoding="utf-8"))
    if options.script:
        return parse(options.script)
    script = parse_arguments(options.actions)
    if not script:
        return [WaitAgent(), HangUp()]
    if isinstance(script[0], Say):
        script.insert(0, WaitAgent())
    if isinstance(script[-1], Say):
        script.append(WaitAgent())
    return script


def _setup(options: argparse.Namespace) -> CallSetup:
    return CallSetup(
        url=options.url,
        webhook=options.webhook,
        public_url=options.public_url,
        auth_token=options.auth_token,
        caller=options.caller,
        called=options.called,
        webhook_posts=2 if options.repeat_webhook else 1,
        sign_webhook=Signing(options.sign_webhook),
        sign_socket=Signing(options.sign_socket),
    )


def _line(options: argparse.Namespace) -> LineConditions:
    return LineConditions(
        jitter_ms=options.jitter,
        loss=options.loss,
        duplicate=options.duplicate,
        reorder=options.reorder,
        dtx=options.dtx,
        snr_db=options.snr,
        packet_bytes=options.packet_bytes,
        seed=options.seed,
    )


def _voice(script: Script) -> Speak | None:
    spoken = any(isinstance(utterance, Say) for utterance in utterances(script))
    return hibari_voice() if spoken else None


def _ears(options: argparse.Namespace) -> Listen | None:
    if options.no_listen:
        return None
    try:
        return moonshine_ears()
    except NoEngine as error:
        print(f"simulator: {error}", file=sys.stderr)
        return None


if __name__ == "__main__":
    sys.exit(main())
