"""What a language model is told before a call: the agent file in words, and how to talk.

What never changes stands first and the clock last, so that vendors can reuse the work they did on
the same beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache, partial

from services.receptionist.agent import Agent, Service
from services.receptionist.calendar.days import full_date
from services.receptionist.calendar.schedule import Schedule
from services.receptionist.calendar.times import spans_aloud
from services.receptionist.hours import answer_hours
from services.receptionist.numbers import read_aloud
from services.receptionist.prompt_rules import rules
from services.receptionist.week_hours import week

_DAYS_AHEAD = 8
_YEAR = 366
_ERRAND = (
    'You have called them, they have not called you; "the caller" above is whoever answered. You '
    "have said who you are and why you call: “{errand}” Deal with that, and keep it short. If it "
    "is not the person you want, ask them to pass it on; if you are told not to call, apologise "
    "and end the call."
)


class Prompt:
    """The system prompt of one agent; shared by all calls."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._schedule = agent.schedule
        facts = "\n".join(_facts(agent))
        # Milliseconds of work, and the same for all calls of a day or of a minute.
        self._days = lru_cache(maxsize=2)(partial(_days, self._schedule))
        self._clock = lru_cache(maxsize=2)(partial(_clock, self._schedule))
        self._stable = (
            f"You are {agent.name}, the automated telephone receptionist of {agent.business.name}. "
            f"{_language(agent.engines.language)}\n\n{rules(agent)}\n\nFacts:\n{facts}"
        )

    @property
    def goodbye(self) -> str:
        """The agent's own last words."""
        return self.agent.goodbye

    def text(
        self,
        now: datetime,
        caller_number: str = "",
        so_far: Sequence[str] = (),
        *,
        errand: str = "",
    ) -> str:
        """The prompt at a moment (aware). ``caller_number`` is the other party's, as the carrier
        gave it; ``so_far`` says in sentences what was done in this call; ``errand`` is why we call,
        if we do."""
        minute = now.astimezone(UTC).replace(second=0, microsecond=0)
        day = self._days(self._schedule.local(now).date())
        is_number = sum(char.isdigit() for char in caller_number) > 2
        call = [f"The caller's number is {caller_number}."] if is_number else []
        if errand:
            call.append(_ERRAND.format(errand=errand))
        call = ["This call:", *call, *so_far, self._clock(minute)]
        return "\n\n".join(filter(None, (self._stable, day, "\n".join(call))))


def system_prompt(agent: Agent, now: datetime) -> str:
    """The prompt for a call of which nothing is known yet; ``now`` is aware."""
    return Prompt(agent).text(now)


def _language(code: str) -> str:
    """What to speak; ``code`` is a BCP 47 tag, or ``multi`` for whatever the caller speaks."""
    if code == "multi":
        return "Speak the caller's language."
    named = "English" if code.partition("-")[0] == "en" else f'the language with the code "{code}"'
    return f"Speak {named} only, also where the facts below are in another language."


def _facts(agent: Agent) -> Iterator[str]:
    """The agent file, a line for each fact."""
    business = agent.business
    phone = read_aloud(business.phone, business.country) if business.phone else ""
    known = {
        "Business": business.name,
        "Address": business.address,
        "Directions": business.directions,
        "Telephone": f"{business.phone} (said as {phone})" if phone else "",
        "E-mail": business.email,
        "Time zone": business.timezone.key,
    }
    yield from (f"{name}: {value}" for name, value in known.items() if value)
    if agent.schedule.is_known:
        yield f"Opening hours: {week(agent.schedule)}"
    else:
        yield "Opening hours: not known to you."
    if agent.services:
        yield "Services and prices (there are no others that you know of):"
        yield from (f"- {_service(service)}" for service in agent.services)
    if agent.people:
        names = (_also(person.name, person.aliases) for person in agent.people)
        yield f"People whom callers ask for, none of whom is on this line: {'; '.join(names)}."
    if agent.faq:
        yield "Answers of the owner; give them nearly in these words:"
        yield from (f"- {' / '.join(faq.questions)}: {agent.fill(faq.answer)}" for faq in agent.faq)


def _service(service: Service) -> str:
    minutes = f"about {service.minutes} minutes" if service.minutes else ""
    facts = ", ".join(filter(None, (service.price or "price not known", minutes)))
    return f"{_also(service.name, service.aliases)}: {facts}. {service.description}".strip()


def _also(name: str, aliases: Sequence[str]) -> str:
    return f"{name} (also: {', '.join(aliases)})" if aliases else name


def _days(schedule: Schedule, today: date) -> str:
    return "\n".join(_coming_days(schedule, today))


def _coming_days(schedule: Schedule, today: date) -> Iterator[str]:
    """The hours of the next days by date, and the exceptions after them within a year."""
    if not schedule.is_known:
        return
    yield "The coming days:"
    for ahead in range(_DAYS_AHEAD):
        near = {0: "Today, ", 1: "Tomorrow, "}.get(ahead, "")
        yield f"- {near}{_hours(schedule, today + timedelta(days=ahead))}"
    after = today + timedelta(days=_DAYS_AHEAD)
    later = {schedule.next_day_of(holiday, after) for holiday in schedule.holidays}
    for day in sorted(filter(None, later)):
        yield f"- {_hours(schedule, day, _last_day(schedule, day))} (not the usual hours)"


def _last_day(schedule: Schedule, first: date) -> date:
    """The end of the stretch of one holiday that begins on that day."""
    last, holiday = first, schedule.holiday(first)
    while schedule.holiday(last + timedelta(days=1)) is holiday and (last - first).days < _YEAR:
        last += timedelta(days=1)
    return last


def _hours(schedule: Schedule, day: date, last: date | None = None) -> str:
    spans, holiday = schedule.spans(day), schedule.holiday(day)
    until = f" to {_dated(last)}" if last and last != day else ""
    hours = f"open {spans_aloud(spans)}" if spans else "closed"
    why = f", because of {holiday.name}" if holiday else ""
    return f"{_dated(day)}{until}: {hours}{why}"


def _dated(day: date) -> str:
    return f"{full_date(day)} {day.year}"


def _clock(schedule: Schedule, now: datetime) -> str:
    local = schedule.local(now)
    zone = f"{schedule.zone.key}, {local:%Z}" if schedule.zone.key != f"{local:%Z}" else "UTC"
    state = answer_hours("are you open right now", schedule, now) if schedule.is_known else ""
    state = f' To "Are you open now?" the answer is: {state}' if state else ""
    clock = f"{local:%I:%M %p}".lstrip("0")
    return f"It is now {clock} on {_dated(local.date())} ({zone}).{state}"
