"""``python -m benchmarks.conversation``: hold all calls under each policy, and print the tables.

With ``--url`` some of the calls are made to a running server instead, in real time.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.conversation.acceptance import judge
from benchmarks.conversation.call import hold
from benchmarks.conversation.document import page
from benchmarks.conversation.policies import POLICIES
from benchmarks.conversation.report import by_limit, failures
from benchmarks.conversation.scenes import all_scenes
from benchmarks.conversation.script import Scene
from benchmarks.conversation.timeline import Timeline

_BROKEN, _USAGE = 1, 2

MOST_NAMED = 20
"""Moments that are named for one broken limit."""

_LIVE_HELP = """\
Against a running server (--url) the same scripted caller telephones through the simulated Twilio
phone, and what can be heard is measured: false cut-offs, response, silence after interruptions,
recovery, turns without an answer. The server answers with its own brain, so only scenes are
played whose script does not depend on the words of an answer: plain questions, single words,
pauses, hesitations, corrections, and sounds over answers that are long with the agent file
that comes with it. With --journals (the server's data folder) and a server on this clock, replies
and words are known as well: false interruptions, heard text, words lost or repeated. A call that
is heard from outside only cannot tell a reply that goes on from a new one.
"""


def main() -> int:
    """The command line; returns the exit code: 1 if --check fails, 2 if there is nothing to do."""
    options = _options()
    logging.basicConfig(level=logging.ERROR)
    if options.url:
        return _live(options)
    scenes = [scene for scene in all_scenes() if _is_wanted(scene, options.scenario)]
    if not scenes:
        print("no such scenario; --list names them", file=sys.stderr)
        return _USAGE
    if options.list:
        print("\n".join(f"{scene.family:20} {scene.name}" for scene in scenes))
        return 0
    names = ["default"] if options.check else options.policy or list(POLICIES)
    calls = {name: _hold_all(name, scenes, verbose=options.v) for name in names}
    if options.check:
        return check(calls["default"])
    text = page(calls)
    print(text)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(text)
    return 0


def _hold_all(name: str, scenes: Sequence[Scene], *, verbose: bool) -> list[Timeline]:
    began = time.process_time()
    calls = [hold(scene, POLICIES[name]) for scene in scenes]
    took = time.process_time() - began
    print(f"{name}: {len(scenes)} calls in {took:.1f} s of CPU", file=sys.stderr)
    if verbose:
        _print_failures(name, calls)
    return calls


def check(calls: Sequence[Timeline]) -> int:
    """Name each limit that is broken, and where."""
    verdicts = judge(calls)
    print(by_limit(verdicts))
    for verdict in verdicts:
        if not verdict.is_kept:
            print(f"\nbroken: {verdict.line.name}", *verdict.broken_by[:MOST_NAMED], sep="\n  ")
            if more := len(verdict.broken_by[MOST_NAMED:]):
                print(f"  and {more} more")
    return 0 if all(verdict.is_kept for verdict in verdicts) else _BROKEN


def _live(options: argparse.Namespace) -> int:
    from benchmarks.conversation.live import play_all  # needs a network, the rest does not

    return asyncio.run(play_all(options.url, options.scenario, options.journals, options.v))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.conversation",
        description=__doc__,
        epilog=_LIVE_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--scenario", action="append", help="calls whose name or subject begins so; repeatable")
    add("--policy", action="append", choices=list(POLICIES), help="only these; repeatable")
    add("--check", action="store_true", help="the default policy only: exit 1 if a limit is broken")
    add("--write", type=Path, help="write the tables to this file as well")
    add("--list", action="store_true", help="name the calls")
    add("-v", action="store_true", help="print each moment that went wrong")
    add("--url", help="call the server that runs there, in real time")
    add("--journals", type=Path, help="with --url: the folder of that server's journals")
    return parser.parse_args()


def _is_wanted(scene: Scene, wanted: Sequence[str] | None) -> bool:
    return not wanted or any(scene.name.startswith(each) or scene.family == each for each in wanted)


def _print_failures(policy: str, calls: Sequence[Timeline]) -> None:
    """What went wrong in which call."""
    for call in calls:
        if lines := failures(call):
            print(f"\n{policy} · {call.scene}", *lines, sep="\n")


if __name__ == "__main__":
    sys.exit(main())
