"""Which way an incoming call takes: pure, the present moment and the call's id are arguments."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from services.receptionist.agent import Agent

ANONYMOUS = frozenset(
    {
        *("", "anonymous", "unknown", "restricted", "unavailable", "blocked", "private"),
        # The same words as Twilio spells them on a telephone's keys.
        *("+266696687", "+8566696", "+8656696", "+7378742833", "+86282452253", "+2562533"),
    }
)
"""What carriers put in the place of a number that is withheld."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A blocked caller: a busy line, which costs nothing."""


@dataclass(frozen=True, slots=True)
class Stream:
    """The call is held as a media stream. ``why`` names the rule, for the call's record."""

    why: str


@dataclass(frozen=True, slots=True)
class Record:
    """The call is recorded turn by turn."""

    why: str


@dataclass(frozen=True, slots=True)
class RingFirst:
    """These telephones ring for so many seconds; if nobody answers, ``otherwise`` is the way."""

    numbers: tuple[str, ...]
    secs: int
    otherwise: Stream | Record


Route = Reject | RingFirst | Stream | Record


def route(agent: Agent, caller: str, called: str, now: datetime, call_id: str) -> Route:
    """The way of a call that has just come in. ``now`` is aware."""
    if is_blocked(agent.blocked, caller):
        return Reject()
    way = path(agent, caller, called, now, call_id)
    first = agent.ring_first
    numbers = tuple(number for number in first.numbers if number != plain(caller))
    if first.secs and numbers and (_is_open(agent, now) or not first.open_hours_only):
        return RingFirst(numbers, first.secs, way)
    return way


def path(agent: Agent, caller: str, called: str, now: datetime, call_id: str) -> Stream | Record:
    """Stream or record; the first rule that applies decides. A number is the caller's or ours."""
    rules = agent.routing
    numbers = {plain(caller), plain(called)}
    if numbers & set(rules.stream_numbers):
        return Stream("number")
    if numbers & set(rules.record_numbers):
        return Record("number")
    if rules.outside_hours and not _is_open(agent, now):
        return _way(rules.outside_hours, "outside hours")
    if share(call_id) < rules.record_share:
        return Record("share")
    return _way(rules.path, "rule")


def is_blocked(blocked: tuple[str, ...], number: str) -> bool:
    """Whether a number is on the list, or begins like one that ends in ``*`` there."""
    number = plain(number)
    if number.lower() in ANONYMOUS:
        return "anonymous" in blocked
    return any(
        number.startswith(entry[:-1]) if entry.endswith("*") else number == entry
        for entry in blocked
    )


def shown(caller: str, called: str) -> str:
    """The number that a telephone shows to which the call is passed on: ours for a caller who
    withholds theirs, as a carrier passes on no call from nobody."""
    return called if plain(caller).lower() in ANONYMOUS else caller


def share(call_id: str) -> int:
    """0 to 99, evenly spread over calls, and always the same for a call."""
    return int.from_bytes(hashlib.sha256(call_id.encode()).digest()[:8], "big") % 100


def plain(number: str) -> str:
    """A number without blanks and punctuation; anything else without the blanks around it."""
    bare = re.sub(r"[\s().-]", "", number)
    return bare if re.fullmatch(r"\+?\d+", bare) else number.strip()


def _way(name: str, why: str) -> Stream | Record:
    return Record(why) if name == "record" else Stream(why)


def _is_open(agent: Agent, now: datetime) -> bool:
    """A business whose hours are not known is always open."""
    return not agent.schedule.is_known or agent.schedule.closing(now) is not None
