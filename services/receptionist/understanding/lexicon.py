"""Understanding an utterance with the words of one agent file: its services, people and questions.

The general patterns live in ``intents``; here they meet what the owner wrote, and where both claim
a clause, one rule decides (`_contest`). Deterministic; tolerant of the slips of a small
recogniser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TypeVar

from services.receptionist.agent import Agent, Faq, Person, Service, TransferRule
from services.receptionist.understanding.heard import Heard as Heard
from services.receptionist.understanding.heard import Want as Want
from services.receptionist.understanding.intents import (
    ABOUT_BOOKINGS,
    DAYS_ONLY,
    KINDS,
    VOCABULARY,
    Intent,
    Kind,
    find_intents,
)
from services.receptionist.understanding.wishes import tells_clock, tells_day
from services.receptionist.understanding.words import (
    CLOSE_ENOUGH,
    alike,
    content,
    correct,
    covered,
    normalise,
    stem,
    yes_or_no,
)

_ENOUGH_OF_A_QUESTION = 0.64
_ENOUGH_OF_A_CLAUSE = 0.3
_BEATS_A_FACT = 0.5
_BEATS_A_BOOKING = 0.6
_BEATS_AN_ACTION = 0.8
_OPENERS = "what|where|when|how|who|do|does|are|is|can|could|will|would|i|also|tell|may|then|please"
_BOUNDARY = re.compile(
    r"(?<!\bdr)(?<!\bmr)(?<!\bms)(?<!\bmrs)(?<!\bst)(?<!\b[ap]\.m)[.?!;,]+(?=\s|$)"
    rf"|\band (?=(?:{_OPENERS})\b)",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"\b(?:no|not|without|never)(?: \w+){0,2} $")
_LACKS = re.compile(r"\bi (?:do not have|have no)\b")
_ASKS_WHETHER_IN = re.compile(r"\bis .*\b(?:there|in|available|around|here|free)\b")
_HAS_NEWS_FOR = re.compile(r"^(?:can you |could you |please )*(?:tell|ask|let|inform)\b")
_WANTS_TO_HAVE = re.compile(
    r"(?<!do )\bi (?:need|want|would like|am looking for|have to)\b(?! to (?:know|ask))"
)
_ORDERS = re.compile(r"^(?!thank).*\b(?:too|as well|please)$")
_ASKS = re.compile(r"(?:do|does|is|are|how|what|can you|could you|tell)\b")
_ONLY_AN_APPOINTMENT = re.compile(r"(?:(?:hi|hello|yes|an?|new) )*appointment(?: please)?$")
_OPEN = re.compile(r"\b(?:open|close[sd]?|hours)\b")
_FOR_SOMEBODY = {Intent.MESSAGE, Intent.PERSON}
_MAY_BE_A_QUESTION = {*ABOUT_BOOKINGS, Intent.MATTER}
_LONGEST_COMPARED = 1000
_LONGEST_KEPT = 3000
"""Characters: two minutes of speech are about 2000."""
_NAMES_SOUND_ALIKE = 78
"""Recognisers swap "Maria" and "Mario"; nothing else needs to be this lenient."""


_Entry = TypeVar("_Entry", Service, Person)


class Lexicon:
    """What the words of an agent file mean."""

    def __init__(self, agent: Agent) -> None:
        self._holidays = [
            normalise(name) for day in agent.holidays for name in (day.name, *day.aliases)
        ]
        self._business = _words(agent.business.name)
        self._emergencies = [normalise(words) for words in agent.emergency.words]
        self._rules = [
            (normalise(phrase), rule) for rule in agent.transfers.rules for phrase in rule.words
        ]
        self._questions = [
            (content(normalise(question)), faq) for faq in agent.faq for question in faq.questions
        ]
        self._services = [
            ([stem(word) for word in _words(name)], service)
            for service in agent.services
            for name in (service.name, *service.aliases)
        ]
        self._people = [
            (_words(name), person)
            for person in agent.people
            for name in (person.name, *person.aliases)
        ]
        urgent = [*self._emergencies, *(phrase for phrase, _ in self._rules)]
        owner = [*urgent, *(normalise(text) for text in _own_texts(agent))]
        self._vocabulary = VOCABULARY | {word for text in owner for word in text.split()}

    def understand(self, text: str) -> Heard:
        """What the caller wants; the most pressing things only, in the order of the words.

        Of a very long turn only its beginning is understood: patterns are not for novels.
        """
        text = text[:_LONGEST_KEPT]
        compared = text[:_LONGEST_COMPARED]
        words = correct(normalise(compared), self._vocabulary)
        spoken = frozenset(found.intent for found in find_intents(words))
        wants = [want for clause in self._clauses(compared) for want in self._wants(clause)]
        wants += [Want(one, words) for one in spoken if KINDS[one] is Kind.CLOSING]
        if Intent.EMERGENCY in spoken or self._names_emergency(words):
            wants = [Want(Intent.EMERGENCY, words)]
        return Heard(
            text,
            words,
            _most_pressing(wants),
            spoken,
            yes_or_no(words),
            self.services(words),
            self._rule(words),
        )

    def person(self, words: str) -> Person | None:
        """The person of the agent file who is named."""
        found = _longest(self._people, words.split(), _NAMES_SOUND_ALIKE)
        return found and found[1]

    def services(self, words: str) -> tuple[Service, ...]:
        """The services that are named; each word names one of them only."""
        given, named = [stem(word) for word in words.split()], []
        while found := _longest(self._services, given):
            name, service = found
            named.append(service)
            given = [word for word in given if not any(alike(part, word) for part in name)]
        return tuple(dict.fromkeys(named))

    def _names_emergency(self, words: str) -> bool:
        return any(_says(phrase, words) for phrase in self._emergencies)

    def _rule(self, words: str) -> TransferRule | None:
        return next((rule for phrase, rule in self._rules if _says(phrase, words)), None)

    def _clauses(self, text: str) -> list[str]:
        """The parts of an utterance that can be understood one by one."""
        clauses: list[str] = []
        for part in _BOUNDARY.split(text):
            words = correct(normalise(part), self._vocabulary)
            if clauses and re.search(DAYS_ONLY, words):
                clauses[-1] += f" {words}"  # "... on Friday, Saturday and Sunday?"
            elif words:
                clauses.append(words)
        return clauses

    def _wants(self, words: str) -> list[Want]:
        """What one clause asks for, of its most pressing kind; all facts that it asks for."""
        intents = {found.intent: found.start for found in find_intents(words)}
        told = next((one for one in (Intent.LATE, Intent.COMPLAINT) if one in intents), None)
        is_for_somebody = _HAS_NEWS_FOR.search(words) or intents.keys() & _FOR_SOMEBODY
        if told and not is_for_somebody:
            return [Want(told, words)]  # whatever else it speaks of
        services, person = self.services(words), self.person(words)
        if person and (len(words.split()) <= 3 or _ASKS_WHETHER_IN.search(words)):
            intents.setdefault(Intent.PERSON, 0)
        if not intents and tells_day(words) and tells_clock(words):
            intents[Intent.BOOK] = 0  # "Tomorrow at ten?"
        if not intents and any(
            re.search(rf"\b{re.escape(name)}\b", words) for name in self._holidays
        ):
            intents[Intent.HOURS] = 0
        if "is this" in words and covered(self._business, words.split()) == 1.0:
            intents.setdefault(Intent.IDENTITY, 0)
        if person and _HAS_NEWS_FOR.search(words):
            intents.setdefault(Intent.MESSAGE, 0)
        is_fact = any(KINDS[one] is Kind.FACT for one in intents)
        if services and not intents.keys() & set(ABOUT_BOOKINGS):
            tells_when = tells_day(words) or tells_clock(words)
            asks_hours = is_fact and (intents.keys() != {Intent.HOURS} or _OPEN.search(words))
            orders = not is_fact and _ORDERS.search(words) and not _ASKS.match(words)
            if orders or _WANTS_TO_HAVE.search(words) or (tells_when and not asks_hours):
                intents.setdefault(Intent.BOOK, 0)
            elif not is_fact:
                intents.setdefault(Intent.SERVICES, 0)
        if any(KINDS[one] is Kind.FACT for one in intents):
            intents.pop(Intent.MATTER, None)  # "I'm calling about your opening hours"
        faq = self._contest(words, intents)
        if Intent.DIRECTIONS in intents:
            intents.pop(Intent.ADDRESS, None)  # directions begin with the address
        return [
            Want(intent, words, faq, services, person)
            for intent in sorted(intents, key=lambda intent: intents[intent])
        ]

    def _contest(self, words: str, intents: dict[Intent, int]) -> Faq | None:
        """The owner's question against the patterns, which it may push out: the more so, the more
        of the clause it explains."""
        faq, of_question, of_clause = self._closest_question(words)
        if faq is None:
            return None
        if faq.answer.startswith("Yes") and _LACKS.search(words):
            intents.setdefault(Intent.MATTER, 0)  # "I don't have insurance" is no question
            return None
        kinds = {KINDS[intent] for intent in intents}
        if kinds & {Kind.ACTION, Kind.ABOUT} and not intents.keys() <= _MAY_BE_A_QUESTION:
            wins = of_question > 0.9 and of_clause >= _BEATS_AN_ACTION
        elif kinds & {Kind.ACTION, Kind.FACT}:
            enough = _BEATS_A_BOOKING if Kind.ACTION in kinds else _BEATS_A_FACT
            wins = of_question > 0.9 and of_clause >= enough
        else:
            score = 0.75 * of_question + 0.25 * of_clause
            wins = score >= _ENOUGH_OF_A_QUESTION and of_clause >= _ENOUGH_OF_A_CLAUSE
        if Intent.MY_APPOINTMENT in intents or (
            intents.keys() & set(ABOUT_BOOKINGS)
            and (_WANTS_TO_HAVE.search(words) or _ONLY_AN_APPOINTMENT.match(words))
        ):
            wins = False  # "I'd like an appointment" is no question about appointments
        if not wins:
            return None
        for intent in [one for one in intents if KINDS[one] in (Kind.ACTION, Kind.FACT)]:
            del intents[intent]
        intents[Intent.FAQ] = 0
        return faq

    def _closest_question(self, words: str) -> tuple[Faq | None, float, float]:
        """The nearest question, how much of it was said, and how much of the clause it explains."""
        given = content(words)
        scored = [
            (covered(wanted, given), covered(given, wanted), -number)
            for number, (wanted, _) in enumerate(self._questions)
        ]
        if not scored:
            return None, 0.0, 0.0
        of_question, of_clause, number = max(
            scored, key=lambda one: (0.75 * one[0] + one[1] / 4, one[2])
        )
        return self._questions[-number][1], of_question, of_clause


def _says(phrase: str, words: str) -> bool:
    """Whether a phrase is in the words, and is not denied."""
    return any(
        not _NEGATION.search(words[: match.start()])
        for match in re.finditer(rf"\b{re.escape(phrase)}", words)
    )


def _most_pressing(wants: Sequence[Want]) -> tuple[Want, ...]:
    """What to react to: facts, then one action or a goodbye; small talk if there is no more."""
    if urgent := [want for want in wants if want.kind is Kind.URGENT]:
        return tuple(urgent[:1])
    about = _once(want for want in wants if want.kind is Kind.ABOUT)
    actions = sorted(
        (want for want in wants if want.kind is Kind.ACTION and not about),
        key=lambda want: want.intent.value,
    )
    in_clause = {want.words for want in actions}
    facts = _once(
        want
        for want in wants
        if want.kind is Kind.FACT and (want.intent is Intent.FAQ or want.words not in in_clause)
    )
    goodbye = [want for want in wants if want.intent is Intent.GOODBYE]
    if about or facts or actions:
        return (*about, *facts, *(actions[:1] or goodbye[:1]))
    for kind in (Kind.CLOSING, Kind.CONTROL, Kind.SOCIAL):
        if of_kind := sorted(
            (w for w in wants if w.kind is kind), key=lambda want: want.intent.value
        ):
            return tuple(of_kind[:1])
    return ()


def _once(wants: Iterable[Want]) -> list[Want]:
    """Each fact once, though two patterns found it; the same about other days counts twice."""
    return list({(w.intent, w.words, w.faq and w.faq.answer): w for w in wants}.values())


def _longest(
    entries: Sequence[tuple[Sequence[str], _Entry]],
    given: Sequence[str],
    closeness: int = CLOSE_ENOUGH,
) -> tuple[Sequence[str], _Entry] | None:
    """The longest name all of whose words were said, and its entry."""
    named = [pair for pair in entries if pair[0] and covered(pair[0], given, closeness) == 1.0]
    return max(named, key=lambda pair: len(" ".join(pair[0])), default=None)


def _words(name: str) -> list[str]:
    return [word for word in normalise(name).split() if word not in ("a", "an", "the")]


def _own_texts(agent: Agent) -> Iterable[str]:
    yield from (name for entry in agent.services for name in (entry.name, *entry.aliases))
    yield from (name for entry in agent.people for name in (entry.name, *entry.aliases))
    yield from (question for faq in agent.faq for question in faq.questions)
