"""What does not fit together in an agent file, though each value may stand where it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from services.receptionist.agent.file import Complaint
from services.receptionist.agent.toml_lines import Path
from services.receptionist.nearest import did_you_mean, listed

if TYPE_CHECKING:
    from services.receptionist.agent import Agent

EARLIEST, LATEST = 8 * 60, 21 * 60
"""Minutes of the day between which people may be called in many places."""


def contradictions(agent: Agent) -> Iterator[Complaint]:
    """What must be mended before the agent can answer."""
    yield from _names_twice(agent)
    yield from _people_meant(agent)
    yield from _ring_first(agent)
    yield from _loops(agent)
    yield from _own_people_blocked(agent)
    both = sorted({*agent.routing.record_numbers} & {*agent.routing.stream_numbers})
    for number in both:
        place = agent.routing.record_numbers.index(number)
        text = f"{number} stands in stream_numbers, too; leave it in one of the two"
        yield ("routing", "record_numbers", place), text


def left_open(agent: Agent) -> Iterator[Complaint]:
    """The same, once OWNER_PHONE was filled in where the file names no owner's number."""
    if agent.owner_phone in agent.numbers:
        yield ("numbers",), f"{agent.owner_phone} is OWNER_PHONE, too; set another one there"
    yield from _own_people_blocked(agent)
    if agent.owner_phone or any(person.number for person in agent.people):
        return
    remedy = 'there is nobody to put callers through to; write owner_phone = "+1..." at the top, '
    remedy += "set OWNER_PHONE, or give one of the [[people]] a number"
    if agent.emergency.transfer:
        yield ("emergency", "transfer"), remedy
    for place, rule in enumerate(agent.transfers.rules):
        if not rule.person:
            yield ("transfers", "rules", place), remedy


def doubts(agent: Agent) -> Iterator[Complaint]:
    """What may be meant so, but is worth a look."""
    for place, span in enumerate(agent.outbound.hours):
        if span.start < EARLIEST or span.end > LATEST:
            text = "calls before 8:00 or after 21:00 are forbidden in many places"
            yield ("outbound", "hours", place), text


def _names_twice(agent: Agent) -> Iterator[Complaint]:
    """Two people, or two services, that callers call the same: nobody knows which one is meant."""
    things = {
        ("services", "service"): [service.names for service in agent.services],
        ("people", "person"): [person.names for person in agent.people],
    }
    for (section, kind), entries in things.items():
        first: dict[str, int] = {}
        for place, names in enumerate(entries):
            for at, name in enumerate(names):
                other = first.setdefault(_plain(name), place)
                if other != place:
                    key: Path = (section, place, *(("aliases", at - 1) if at else ("name",)))
                    text = f'the {kind} "{entries[other][0]}" is called "{name}", too'
                    yield key, f"{text}; each needs names of its own"


def _people_meant(agent: Agent) -> Iterator[Complaint]:
    """Whom transfers lead to: one of the people, with a number."""
    meant: list[tuple[Path, str]] = [(("transfers", "to"), agent.transfers.to)]
    for place, rule in enumerate(agent.transfers.rules):
        meant.append((("transfers", "rules", place, "person"), rule.person))
    for path, name in meant:
        person = agent.person(name)
        if name and person is None:
            yield path, _nobody(name, [person.name for person in agent.people])
        elif name and person and not person.number:
            text = f'"{person.name}" has no number; write number = "+1..." below their name'
            yield path, f"{text} in [[people]]"


def _nobody(name: str, names: Sequence[str]) -> str:
    if not names:
        return f'"{name}" is none of the [[people]]: there are none; add them with their numbers'
    return (
        f'"{name}" is none of the [[people]]; expected {listed(names)}{did_you_mean(name, names)}'
    )


def _ring_first(agent: Agent) -> Iterator[Complaint]:
    first = agent.ring_first
    if first.secs and not first.numbers:
        yield (
            ("ring_first", "secs"),
            'nothing would ring; write numbers = ["+1..."] below, or secs = 0',
        )
    if first.numbers and not first.secs:
        yield (
            ("ring_first", "numbers"),
            "would never ring; write secs = 15 or the like, or leave the numbers out",
        )


def _loops(agent: Agent) -> Iterator[Complaint]:
    """Numbers that she answers herself: whoever is put through there comes back to her."""
    targets: list[tuple[Path, str]] = [
        (("people", place, "number"), person.number) for place, person in enumerate(agent.people)
    ]
    targets.append((("owner_phone",), agent.owner_phone))
    for place, number in enumerate(agent.ring_first.numbers):
        targets.append((("ring_first", "numbers", place), number))
    for path, number in targets:
        if number in agent.numbers:
            yield path, f"{number} is one of the numbers that {agent.name} answers; write another"


def _own_people_blocked(agent: Agent) -> Iterator[Complaint]:
    own = {person.number: person.name for person in agent.people if person.number}
    if agent.owner_phone:
        own.setdefault(agent.owner_phone, "the owner")
    for place, entry in enumerate(agent.blocked):
        for number, name in own.items():
            is_one = entry.endswith("*") and number.startswith(entry[:-1])
            if is_one or number == entry:
                yield (
                    ("blocked", place),
                    f'"{entry}" would block {name}; make it longer, or drop it',
                )


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())
