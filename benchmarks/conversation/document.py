"""The page that the tables are printed on: on what data, what is measured, how to read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import fill

from benchmarks.conversation.acceptance import judge
from benchmarks.conversation.policies import ABOUT
from benchmarks.conversation.report import (
    Score,
    by_family,
    by_limit,
    by_pause,
    by_policy,
    score,
)
from benchmarks.conversation.timeline import Timeline

COMMAND = "python -m benchmarks.conversation --write docs/turn-taking.md"

_DEFINITIONS = """\
- **False cut-off**: a turn of the caller's in which the agent began to speak (a reply, or one that
  was held) later than 100 ms after the turn's first sound and before its last one. One turn counts
  once. The share is of all turns, those without a pause included; the next row has it by pauses.
- **Pause in which the agent began**: a silence that the script puts into mid-turn; the agent began
  in it, or within 150 ms after it.
- **Added wait**: from the caller's last sound to the first of the answer, less what brain and voice
  take for first audio anyhow. An answer that was begun ahead has spent part of that by then, so
  this can be less than the silence that ended the turn. A line that bridges the wait is no answer.
- **End of turn decided after**: from the caller's last sound until the server takes the turn as
  over. Nothing is taken off, nothing is gained by beginning ahead.
- **Response**: added wait and what brain and voice take: what the caller notices.
- **Turn without an answer**: the agent said nothing before the caller's next turn (a caller waits
  7 s), or something else came first ("Sorry?").
- **Missed interruption**: the reply that was spoken over was still heard 300 ms after the
  interruption's end, or at any time later.
- **First voiced frame to silence**: from the interruption's first voiced frame (20 ms that repeat
  themselves a period later; not found by the server's detectors) to the agent's last sound.
- **Silence after a command**: from the end of "stop", "no", "wait" to the last sound of the reply
  that it was said over, if it was heard after that.
- **False interruption**: a backchannel, cough, noise or other people's talk over a reply that was
  then never said to its end; on noisy lines and those with echo, also each reply that broke off
  without a turn of the caller's over it.
- **Recovery**: from the end of a sound that wanted no answer, and for which the agent paused (up to
  1 s after it), until the reply goes on for good. **Silence for nothing** is the whole gap.
- **Words lost or repeated on resuming**: over each pause inside a reply, how many words were never
  heard whole, or were heard whole twice. A word of which 20 ms are missing counts as whole, and
  one of which up to 60 ms come after the pause as heard once.
- **Heard-text error**: for each reply that was broken off after something of it was heard, by how
  many words the server's account differs from the words that were heard whole at the phone.
- **Answers begun that nobody heard**: what eager replies cost: asked of the brain, and dropped.
- **What the caller could not do or say**: steps of the scripts that had to be left out, for the
  agent was not speaking when it was to be interrupted, or never fell silent."""

_DATA = """\
The callers are recorded human prompts (`tests/speech`) and the embedded voice at four pitches and
paces; noises are synthetic (`benchmarks/conversation/noises.py`). Codec, placement of packets,
voice detection, segmenter, cascade, core and shell are the server's own. Stand-ins with fixed
latencies are: the recogniser (it knows the words, an interim comes 250 ms after a word, a final
60 ms after the utterance), the brain (250 ms to its first word, says what the script says), the
agent's voice (100 ms to its first audio; real sound, exact knowledge of its words) and the carrier.
So these figures are about the taking of turns alone: a recogniser that mishears, or a slow vendor,
is not in them. The pauses were chosen to find the limits, not drawn from telephone calls: of
182, 43 are longer than a second, which is more than people make, so cut-offs are overstated. The
same policy was tuned on these scenes: figures on other callers will be somewhat worse."""


def page(calls: Mapping[str, Sequence[Timeline]]) -> str:
    """All tables. ``calls``: those of each policy, in the order of the table; the first one is
    looked at more closely."""
    scores = {name: score(held) for name, held in calls.items()}
    first = next(iter(calls))
    total = scores[first]
    return f"""# Turn-taking, measured

Made by `{COMMAND}`.

{total.calls} scripted calls, {total.turns} turns of the caller's, {total.seconds / 60:.0f} minutes
of talk, on virtual time.

{_data(total)}

## Policies

{_policies(scores)}

{by_policy(scores)}

How often the agent began to speak in a pause of the caller's, by the length of the pause:

{by_pause(scores)}

## What must hold

Policy `{first}` over all calls. `python -m benchmarks.conversation --check` says so to a machine.
One call counts in the tables but not for the words lost or repeated here: its marks come back
400 ms late, and nobody can tell whether the audio or only the echo was late.

{by_limit(judge(calls[first]))}

## By subject

Policy `{first}`. "held" is the longest time from an interruption's first voiced frame to silence,
"gone on" the longest recovery, "words" those lost or repeated on resuming, "heard" the error of the
heard text in words (mean / most).

{by_family(_by_subject(calls[first]))}

## What is measured

{_DEFINITIONS}
"""


def _data(total: Score) -> str:
    pauses = [moment.value or 0.0 for moment in total.moments["pauses"]]
    long = sum(pause > 1 for pause in pauses)
    return _DATA.replace("182, 43 are", f"{len(pauses)}, {long} are")


def _policies(scores: Mapping[str, Score]) -> str:
    lines = (fill(f"- `{name}`: {ABOUT[name]}", 100, subsequent_indent="  ") for name in scores)
    return "\n".join(lines)


def _by_subject(calls: Sequence[Timeline]) -> Mapping[str, Score]:
    names = dict.fromkeys(call.family for call in calls)
    return {name: score(call for call in calls if call.family == name) for name in names}
