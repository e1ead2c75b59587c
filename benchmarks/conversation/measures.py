"""How good a call was: pure functions of what could be heard in it. Times in seconds.

A *moment* is a chance to do right or wrong; a measure is how many of its moments went wrong. Every
function takes one call and gives its moments, so that calls can be added up. Here are those of the
caller's turns; ``overlap`` has the others.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.conversation import overlap
from benchmarks.conversation.audible import NEAR_S, Moment, audible_at, floor, purpose, stretches
from benchmarks.conversation.script import Kind
from benchmarks.conversation.timeline import Timeline

CUT_GRACE_S = 0.15
"""An agent that begins just when the caller goes on has used the pause all the same."""


def cut_offs(call: Timeline) -> list[Moment]:
    """Each turn; wrong if the agent began to speak while the caller had more to say."""
    moments = []
    for sound in floor(call):
        begins = [
            each.begin for each in stretches(call) if sound.begin + NEAR_S < each.begin < sound.end
        ]
        at = begins[0] if begins else sound.begin
        moments.append(Moment(at, f"cut off in {sound.label!r}", bool(begins)))
    return moments


def pauses(call: Timeline) -> list[Moment]:
    """Each pause in mid-turn, with its length; wrong if the agent began to speak in it."""
    moments = []
    for sound in floor(call):
        for begin, end in sound.pauses:
            used = any(begin < each.begin < end + CUT_GRACE_S for each in stretches(call))
            moments.append(Moment(begin, f"pause in {sound.label!r}", used, end - begin))
    return moments


def waits(call: Timeline) -> list[Moment]:
    """Each turn; ``value`` is the time from its last sound to the answer's first, without what
    brain and voice take anyhow. Wrong if there was no answer before the next turn, or something
    else ("Sorry?") came first. Turns in which the agent cut the caller off, and is still speaking
    at their end, have no wait; nor has a plea for patience."""
    moments = []
    turns = floor(call)
    for place, sound in enumerate(turns):
        until = turns[place + 1].begin if place + 1 < len(turns) else call.ended
        if audible_at(call, sound.end - 1e-3) or sound.kind is Kind.PATIENCE:
            continue
        after = [s for s in stretches(call) if sound.end <= s.begin < until]
        first = next((s for s in after if purpose(call, s.reply) != "filler"), None)
        if first is None or purpose(call, first.reply) != "answer":
            moments.append(Moment(sound.end, f"no answer to {sound.label!r}", True))
            continue
        value = first.begin - sound.end - call.fixed_s
        moments.append(Moment(sound.end, f"waited after {sound.label!r}", False, value))
    return moments


def responses(call: Timeline) -> list[Moment]:
    """The same, and nothing is taken off: what the caller notices."""
    return [replace(m, value=m.value + call.fixed_s) for m in waits(call) if m.value is not None]


def decisions(call: Timeline) -> list[Moment]:
    """Each turn; ``value`` is the time from its last sound until the server takes it as over. Less
    than an added wait if the answer is slow; more if an answer was begun ahead."""
    moments = []
    turns = floor(call)
    for place, sound in enumerate(turns):
        until = turns[place + 1].begin if place + 1 < len(turns) else call.ended
        at = next((at for at, _ in call.commits if sound.end <= at < until), None)
        if at is not None and sound.kind is not Kind.PATIENCE:
            moments.append(
                Moment(sound.end, f"decided after {sound.label!r}", False, at - sound.end)
            )
    return moments


def steps(call: Timeline) -> list[Moment]:
    """Each thing that the caller did; wrong are those that they could not do, for the agent was
    silent, or spoke on and on."""
    done = [Moment(sound.begin, sound.label) for sound in call.sounds]
    return done + [Moment(call.ended, what, True) for what in call.skipped]


def naggings(call: Timeline) -> list[Moment]:
    """Each time that the caller asked for patience; wrong if the agent asked whether they are still
    there before they spoke again."""
    moments = []
    for place, sound in enumerate(call.sounds):
        if sound.kind is not Kind.PATIENCE:
            continue
        following = call.sounds[place + 1 :]
        until = following[0].begin if following else call.ended
        asked = [
            each.begin
            for each in stretches(call)
            if sound.end < each.begin < until and purpose(call, each.reply).startswith("idle")
        ]
        moments.append(Moment(sound.end, f"nagged after {sound.label!r}", bool(asked)))
    return moments


def words_taken(call: Timeline) -> list[Moment]:
    """Each word of the caller's turns; wrong if the server never took it down."""
    taken = " ".join(text for _, text in call.commits).split()
    moments = []
    for sound in floor(call):
        for word in sound.words:
            known = word.text in taken
            if known:
                taken = taken[taken.index(word.text) + 1 :]
            moments.append(Moment(word.begin, f"lost the caller's {word.text!r}", not known))
    return moments


MEASURES = {
    "cut-offs": cut_offs,
    "pauses": pauses,
    "waits": waits,
    "responses": responses,
    "decisions": decisions,
    "naggings": naggings,
    "caller's words": words_taken,
    "interruptions": overlap.interruptions,
    "holds": overlap.holds,
    "command silences": overlap.command_silences,
    "false interruptions": overlap.false_interruptions,
    "recoveries": overlap.recoveries,
    "gaps": overlap.gaps,
    "answers to nothing": overlap.answers_to_nothing,
    "resumed words": overlap.resumed_words,
    "heard errors": overlap.heard_errors,
    "wasted": overlap.wasted,
    "steps": steps,
}
