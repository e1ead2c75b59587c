"""The words around changes of appointments: what callers say of them, and what is said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from services.receptionist.calendar.spoken_slots import (
    MOST_OFFERED,
    a_service,
    moment,
    your_service,
)
from services.receptionist.calendar.times import listed
from services.receptionist.script.change_form import Aim, ChangeForm
from services.receptionist.script.picking import picked
from services.receptionist.script.progress import Appointment
from services.receptionist.tools import ToolResult
from services.receptionist.understanding.heard import Heard
from services.receptionist.understanding.wishes import tells_clock, tells_day, when_in

_BACK = re.compile(r"\bback (?:by )?((?:an?|one|two|three|half an) (?:hour|day|week)s?)\b")
_RESCHEDULE_FOR = re.compile(r"^(.*\bresched\w+.*?) for (.*)$")
_INSTEAD = re.compile(r"^(.*?)\b((?:can|could|how about|what about) (?!not\b).*\binstead\b.*)$")
_FROM_TO = re.compile(r"^(.*?)\b(?<!quarter )(?<!want )(?<!like )(?<!need )to (.*)$")
_ANY_TIME = re.compile(r"\d:\d|\b(?:any|first|earliest|soonest|week|month|possible)\b")


def at_the_same_time(when: str) -> str:
    """ "To Wednesday" keeps the time of day."""
    only_day = tells_day(when) and not tells_clock(when) and not _ANY_TIME.search(when)
    return f"{when} at the same time" if only_day else when


def which_and_when(aim: Aim, words: str) -> tuple[str, str]:
    """The words that may tell which appointment is meant, and those for the new time."""
    if aim is not Aim.MOVE:
        return words, ""
    words = _BACK.sub(r"\1 later", words)
    if (parts := _RESCHEDULE_FOR.match(words)) and (when := when_in(parts[2])):
        return parts[1], when
    if (parts := _INSTEAD.match(words)) and (when := when_in(parts[2], is_answer=True)):
        return parts[1], when
    if (parts := _FROM_TO.match(words)) and (when := when_in(parts[2], is_answer=True)):
        return parts[1], when
    is_target = re.search(r"\b(?:it|that|instead|earlier|later|make|next day|day after)\b", words)
    return ("", when_in(words)) if is_target else (words, "")


def meant(heard: Heard, found: Sequence[Appointment]) -> list[int]:
    """The places of the appointments that an answer names, by time, place or service."""
    named = picked(heard.words, [one.start for one in found])
    if named and len(named) == 1:
        return named
    sold = {service.name for service in heard.services}
    return [place for place, one in enumerate(found) if one.service in sold] or named or []


def appointments_in(result: ToolResult) -> tuple[Appointment, ...]:
    return tuple(
        Appointment(str(one["reference"]), str(one["service"]), str(one["start"]))
        for one in result.facts.get("bookings", ())
    )


def all_of(found: Sequence[Appointment]) -> str:
    named = [f"{a_service(one.service)} on {moment(one.start)}" for one in found[:MOST_OFFERED]]
    return listed(named)


def in_words(form: ChangeForm) -> str:
    """What the caller wants, for people to read."""
    verb = "cancel" if form.aim is Aim.CANCEL else "change"
    which = f"{verb} {your_service(service_of(form))}".replace(" your ", " my ")
    return f"{which} to {form.when}" if form.when and form.aim is Aim.MOVE else which


def service_of(form: ChangeForm) -> str:
    return form.chosen.service if form.chosen else "appointment"


def start_of(form: ChangeForm) -> str:
    return form.chosen.start if form.chosen else form.start


def sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
