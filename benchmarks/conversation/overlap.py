"""Sounds over the agent's words, and what was heard of these: measures of overlap. Pure."""

from __future__ import annotations

from itertools import pairwise

from benchmarks.conversation.audible import (
    NEAR_S,
    Moment,
    Stretch,
    audible_at,
    floor,
    heard_of,
    purpose,
    stretches,
    whole_words,
)
from benchmarks.conversation.script import Kind
from benchmarks.conversation.timeline import Played, Reply, Sound, Timeline

OVER_WITHIN_S = 0.3
"""An interrupted reply must be silent so long after the interruption's end at the latest."""
FRINGE_FRAMES = 3
"""So much at a word's end may be said after a pause."""
PAUSES_WITHIN_S = 1.0
"""An agent that pauses so long after a sound's end has paused for it."""


def _over(call: Timeline, *, takes_floor: bool) -> list[tuple[Sound, Stretch]]:
    """Sounds that began while the agent spoke, and what it was saying."""
    pairs = [
        (sound, audible_at(call, sound.begin))
        for sound in call.sounds
        if sound.kind.takes_the_floor is takes_floor
    ]
    return [(sound, stretch) for sound, stretch in pairs if stretch]


def interruptions(call: Timeline) -> list[Moment]:
    """Each interruption; wrong if the interrupted reply is heard after its end."""
    moments = []
    for sound, stretch in _over(call, takes_floor=True):
        limit = sound.end + OVER_WITHIN_S
        later = [p for p in call.played if p.reply == stretch.reply and p.end > limit]
        moments.append(Moment(sound.begin, f"talked on over {sound.label!r}", bool(later)))
    return moments


def holds(call: Timeline) -> list[Moment]:
    """Each interruption; ``value`` is the time from its first voiced frame to the agent's silence.
    Not those before which the agent fell silent of its own accord."""
    return [
        Moment(
            sound.begin, f"held for {sound.label!r}", False, stretch.end - sound.voiced, sound.kind
        )
        for sound, stretch in _over(call, takes_floor=True)
        if stretch.end > sound.voiced + OVER_WITHIN_S or _was_paused(call, stretch)
    ]


def command_silences(call: Timeline) -> list[Moment]:
    """Each spoken command; ``value`` is how long after its end the reply was last heard."""
    moments = []
    for sound, stretch in _over(call, takes_floor=True):
        if sound.kind is Kind.COMMAND:
            last = max(p.end for p in call.played if p.reply == stretch.reply)
            value = max(0.0, last - sound.end)
            moments.append(Moment(sound.end, f"silent after {sound.label!r}", value > 0.3, value))
    return moments


def false_interruptions(call: Timeline) -> list[Moment]:
    """Each chance to be interrupted by nothing: a sound over the agent that wants no answer, and
    each reply if noise or echo is on the line. Wrong if the reply was never said to its end."""
    moments = []
    judged: set[int] = set()
    for sound, stretch in _over(call, takes_floor=False):
        goes_on = any(p.begin > sound.end for p in heard_of(call, stretch.reply))
        lost = not goes_on and _was_lost(call, stretch.reply)
        what = f"gave up for {sound.kind.value} {sound.label!r}"
        moments.append(Moment(sound.begin, what, lost, kind=sound.kind))
        judged.add(stretch.reply)
    for reply in call.replies.values():
        if reply.number in judged or not heard_of(call, reply.number):
            continue
        lost = _was_lost(call, reply.number)
        if lost or call.noisy:
            at = heard_of(call, reply.number)[-1].end
            moments.append(Moment(at, "gave up for nothing", lost))
    return moments


def _was_lost(call: Timeline, number: int) -> bool:
    """Whether a reply broke off for no turn of the caller's."""
    reply, heard = call.replies.get(number), heard_of(call, number)
    if reply is None or not heard:
        return False
    furthest = max(whole_words(heard), default=-1)
    if reply.cancelled is None and furthest >= len(reply.words) - 1:
        return False
    begin, end = heard[0].begin, heard[-1].end
    if end >= call.ended - NEAR_S:
        return False  # the caller hung up
    return not any(
        sound.begin <= end + NEAR_S and sound.end >= begin and _goes_on(sound, begin)
        for sound in floor(call)
    )


def _goes_on(sound: Sound, begin: float) -> bool:
    """Whether the turn has sound after that moment."""
    return any(end > begin for _, end in sound.chunks)


def recoveries(call: Timeline) -> list[Moment]:
    """Each sound over the agent that wanted no answer and made it pause; ``value`` is the time from
    the sound's end until the reply goes on for good. Wrong if it never does."""
    return [
        Moment(
            sound.begin,
            f"paused for {sound.label!r}",
            resumed is None,
            None if resumed is None else max(0.0, resumed - sound.end),
            sound.kind,
        )
        for sound, _, resumed in _pauses_for_nothing(call)
    ]


def gaps(call: Timeline) -> list[Moment]:
    """The same; ``value`` is how long the agent was silent for it in all."""
    return [
        Moment(sound.begin, f"silent for {sound.label!r}", False, resumed - begin, sound.kind)
        for sound, begin, resumed in _pauses_for_nothing(call)
        if resumed is not None
    ]


def _pauses_for_nothing(call: Timeline) -> list[tuple[Sound, float, float | None]]:
    """Each sound that wanted no answer and made a reply pause, with the time of the first clear for
    it and that of the reply's next word after the last one."""
    found: list[tuple[Sound, float, float | None]] = []
    for sound, stretch in _over(call, takes_floor=False):
        clears = [at for at in call.clears if sound.begin <= at <= sound.end + PAUSES_WITHIN_S]
        if clears and not _ends_before(call, stretch, clears[0]):
            starts = (each.begin for each in heard_of(call, stretch.reply))
            found.append((sound, clears[0], next((at for at in starts if at >= clears[-1]), None)))
    return found


def _ends_before(call: Timeline, stretch: Stretch, at: float) -> bool:
    """Whether a reply was said to its end before that moment."""
    return all(part.end < at - NEAR_S for part in heard_of(call, stretch.reply))


def _was_paused(call: Timeline, stretch: Stretch) -> bool:
    return any(abs(at - stretch.end) < NEAR_S for at in call.clears)


def answers_to_nothing(call: Timeline) -> list[Moment]:
    """Each sound in silence that wanted no answer; wrong if the agent began to speak for it."""
    moments = []
    for place, sound in enumerate(call.sounds):
        if sound.kind.takes_the_floor or audible_at(call, sound.begin):
            continue
        following = call.sounds[place + 1 :]
        until = following[0].begin if following else call.ended
        spoken = [
            each
            for each in stretches(call)
            if sound.begin < each.begin < until
            and purpose(call, each.reply) in {"answer", "repair", "apology"}
            and call.replies[each.reply].started > sound.begin
        ]
        moments.append(Moment(sound.begin, f"answered the {sound.label!r}", bool(spoken)))
    return moments


# --- what was heard -------------------------------------------------------------------------------


def resumed_words(call: Timeline) -> list[Moment]:
    """Each pause inside a reply that was gone on with; ``value`` is how many words were lost or
    said twice over it."""
    moments = []
    for reply in call.replies.values():
        heard = heard_of(call, reply.number)
        for before, after in pairwise(heard):
            paused = any(before.end - NEAR_S <= at <= after.begin for at in call.clears)
            if not paused:
                continue
            done = max(whole_words(p for p in heard if p.begin <= before.begin), default=-1)
            if _goes_on_in_word(before, after):
                done = after.word
            first = after.word if after.first == 0 else after.word + 1
            value = abs(first - (done + 1))
            what = "lost" if first > done + 1 else "repeated"
            moments.append(Moment(after.begin, f"{value} words {what}", value > 0, value))
    return moments


def _goes_on_in_word(before: Played, after: Played) -> bool:
    """Whether only the fringe of a word was left, and was said then: it was heard once."""
    same = (before.word, before.last + 1) == (after.word, after.first)
    return same and after.frames - after.first <= FRINGE_FRAMES


def heard_errors(call: Timeline) -> list[Moment]:
    """Each reply that was broken off after something of it was heard; ``value`` is by how many
    words the server's account of it is wrong."""
    moments = []
    for reply in call.replies.values():
        heard = heard_of(call, reply.number)
        if reply.cancelled is None or not heard:
            continue
        truth = _true_words(reply, heard)
        told = reply.heard.split()
        same = next(
            (n for n, (a, b) in enumerate(zip(truth, told, strict=False)) if a != b),
            min(len(truth), len(told)),
        )
        value = max(len(truth), len(told)) - same
        what = f"told {len(told)} words, heard {len(truth)}"
        moments.append(Moment(reply.cancelled, what, value > 1, value))
    return moments


def _true_words(reply: Reply, heard: list[Played]) -> list[str]:
    whole = whole_words(heard)
    return [word for place, word in enumerate(reply.words) if place in whole]


def wasted(call: Timeline) -> list[Moment]:
    """Each answer that was begun; wrong if nothing of it was ever heard."""
    return [
        Moment(reply.started, "an answer that nobody heard", not heard_of(call, reply.number))
        for reply in call.replies.values()
        if reply.purpose == "answer"
    ]
