"""``python -m benchmarks.conversation``: hold all calls under each policy, and print the tables."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.conversation.call import FIRST_AUDIO_S, THINKS_S, hold
from benchmarks.conversation.policies import POLICIES
from benchmarks.conversation.report import (
    Score,
    by_family,
    by_pause,
    by_policy,
    failures,
    score,
)
from benchmarks.conversation.scenes import all_scenes
from benchmarks.conversation.script import Scene
from benchmarks.conversation.timeline import Timeline

COMMAND = "python -m benchmarks.conversation --write docs/turn-taking.md"


def main() -> int:
    """The command line; returns the exit code."""
    options = _options()
    logging.basicConfig(level=logging.ERROR)
    scenes = [scene for scene in all_scenes() if _is_wanted(scene, options.scenario)]
    if not scenes:
        print("no such scenario; --list names them", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(f"{scene.family:15} {scene.name}" for scene in scenes))
        return 0
    calls: dict[str, list[Timeline]] = {}
    for name in options.policy or POLICIES:
        began = time.process_time()
        calls[name] = [hold(scene, POLICIES[name]) for scene in scenes]
        took = time.process_time() - began
        print(f"{name}: {len(scenes)} calls in {took:.1f} s of CPU", file=sys.stderr)
        if options.v:
            _print_failures(name, calls[name])
    scores = {name: score(held) for name, held in calls.items()}
    first = next(iter(calls))
    text = _text(scores, families(calls[first]), first)
    print(text)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(text + "\n")
    return 0


def families(calls: Sequence[Timeline]) -> Mapping[str, Score]:
    """The calls added up by subject."""
    names = dict.fromkeys(call.family for call in calls)
    return {name: score(call for call in calls if call.family == name) for name in names}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.conversation", description=__doc__)
    parser.add_argument(
        "--scenario", action="append", help="calls whose name or subject begins so; repeatable"
    )
    parser.add_argument(
        "--policy", action="append", choices=list(POLICIES), help="only these; repeatable"
    )
    parser.add_argument("--write", type=Path, help="write the tables to this file as well")
    parser.add_argument("--list", action="store_true", help="name the calls")
    parser.add_argument("-v", action="store_true", help="print each moment that went wrong")
    return parser.parse_args()


def _is_wanted(scene: Scene, wanted: Sequence[str] | None) -> bool:
    return not wanted or any(scene.name.startswith(each) or scene.family == each for each in wanted)


def _print_failures(policy: str, calls: Sequence[Timeline]) -> None:
    for call in calls:
        if lines := failures(call):
            print(f"\n{policy} · {call.scene}", *lines, sep="\n")


def _text(scores: Mapping[str, Score], subjects: Mapping[str, Score], first: str) -> str:
    total = scores[first]
    return f"""# Turn-taking, measured

Made by `{COMMAND}`.

{total.calls} scripted calls, {total.turns} turns of the caller's, {total.seconds / 60:.0f} minutes
of talk, on virtual time. The callers are recorded human prompts (`tests/speech`) and the embedded
voice at four pitches and paces; noises are synthetic (`benchmarks/conversation/noises.py`). Codec,
voice detection, segmenter, core and shell are the server's own; recogniser, brain, agent's voice
and carrier stand in, with fixed latencies. "Added wait" is from the caller's last sound to the
agent's first, less the {1000 * (THINKS_S + FIRST_AUDIO_S):.0f} ms that brain and voice take anyhow.

{by_policy(scores)}

How often the agent began to speak in a pause of the caller's, by its length:

{by_pause(scores)}

Policy `{first}`, by subject:

{by_family(subjects)}"""


if __name__ == "__main__":
    sys.exit(main())
