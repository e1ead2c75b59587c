"""The tools besides appointments: opening hours, messages, transfers, texts to the caller."""

from __future__ import annotations

import hashlib

from services.call.events import AfterReply
from services.receptionist.agent import Person
from services.receptionist.books import Handling, NewEscalation, NewMessage
from services.receptionist.calendar.days import named_days
from services.receptionist.calendar.times import clock
from services.receptionist.calendar.when import understand
from services.receptionist.desk.call import OFFER_MESSAGE, DeskCall, refusal
from services.receptionist.desk.reasons import told
from services.receptionist.hours import answer_hours
from services.receptionist.numbers import e164, read_aloud
from services.receptionist.tools import ToolRequest, ToolResult
from services.receptionist.understanding.words import normalise

MOST_TEXTS = 3
"""How many texts a caller may have sent to themselves in one call."""
_LONGEST_MESSAGE = 3000
_LONGEST_TEXT = 600
_LONGEST_DETAIL = 100
_BY = ("caller", "rule", "emergency", "misunderstanding", "api")


class OtherTools:
    """What a caller can have done in one call, besides appointments."""

    def __init__(self, call: DeskCall) -> None:
        self._call = call
        self._texts_sent = 0

    async def hours(self, request: ToolRequest) -> ToolResult:
        """The opening hours of some day, or of the week."""
        call, said = self._call, _argument(request, "when")
        schedule = call.agent.schedule
        words = normalise(said)
        today = schedule.local(call.now).date()
        if said and not named_days(words, today, schedule):
            when = understand(said, schedule, call.now, country=call.country)
            if len(when.days) == 1:
                words = f"{when.days[0]:%B} {when.days[0].day}".lower()
        answer = answer_hours(words, schedule, call.now)
        return ToolResult("ok", answer, {"answer": answer})

    async def message(self, request: ToolRequest) -> ToolResult:
        """Keep a message, and tell the owner."""
        call = self._call
        name, number = _argument(request, "name"), _argument(request, "number")
        text = request.arguments.get("message", "").strip()[:_LONGEST_MESSAGE]
        is_complete = not _is_no(request.arguments.get("complete", ""))
        is_urgent = _is_yes(request.arguments.get("urgent", ""))
        if not text and (is_complete or not (name or number)):
            return ToolResult(
                "unclear", "There is no message yet: ask what it is.", {"why": "message"}
            )
        number = e164(number, call.country) or number
        message = NewMessage(
            *(call.agent_id, call.call_id, call.caller, name, number, text),
            urgent=is_urgent,
            complete=is_complete,
        )
        is_new = await call.messages.add(message)
        if is_new:
            self._tell_owner_of(message)
            who = f" from {name}" if name else ""
            call.notes.append(f"A message{who} was taken and will be passed on.")
        back = f" Number to call back: {read_aloud(number, call.country)}." if number else ""
        said = "The message was kept" if is_new else "The same message was kept before"
        text = f"{said} and will be passed on.{back} Tell the caller so, in one sentence."
        return ToolResult("ok", text, {"name": name, "number": number, "new": is_new})

    def _tell_owner_of(self, message: NewMessage) -> None:
        call = self._call
        urgent = "URGENT message" if message.urgent else "Message"
        cut = "" if message.complete else " (cut off by the end of the call)"
        number = message.number or call.number or "no number"
        body = f": {message.text}" if message.text else ""
        who = message.name or "a caller"
        text = f"{call.agent.business.name}: {urgent}{cut} from {who}, {number}{body}"
        call.texts.to_owner(text, f"message:{hashlib.sha256(text.encode()).hexdigest()[:16]}")

    async def transfer(self, request: ToolRequest) -> ToolResult:
        """Have the caller put through to a person."""
        call, rules = self._call, self._call.agent.transfers
        by = _argument(request, "by").lower()
        by = by if by in _BY else "caller"
        urgency = "high" if _argument(request, "urgency").lower() == "high" else "normal"
        if rules.open_hours_only and by != "emergency" and not self._is_open:
            return self._closed()
        asked = _argument(request, "person")
        person = self._person(asked)
        if person is None or not person.number:
            whom = person.name if person else "anybody"
            text = f"The caller cannot be put through to {whom} now. {OFFER_MESSAGE}"
            return refusal("nobody", text, {"person": person.name if person else ""})
        name, reason = _argument(request, "name"), _argument(request, "reason", 300)
        await call.escalations.ask(
            NewEscalation(
                *(call.agent_id, call.call_id, call.caller, name, person.name, person.number),
                reason=reason,
                urgency=urgency,
                handling=Handling(rules.handling),
                by=by,
            )
        )
        self._tell_owner_about_transfer(person, name, reason, urgency, by)
        call.notes.append(f"The caller is being put through to {person.name}.")
        text = (
            f"The call goes to {person.name} as soon as your answer was spoken. Say in one short "
            "sentence that you are putting the caller through, and nothing else."
        )
        return ToolResult("ok", text, {"person": person.name}, AfterReply.TRANSFER)

    def _tell_owner_about_transfer(
        self, person: Person, name: str, reason: str, urgency: str, by: str
    ) -> None:
        call = self._call
        what = "Urgent call" if urgency == "high" else "Call"
        what = "EMERGENCY call" if by == "emergency" else what
        who = f"{name or 'a caller'}, {call.number or 'number withheld'}"
        why = told(reason, person.name)
        text = (
            f"{call.agent.business.name}: {what} from {who}, put through to {person.name}."
            f"{f' Reason: {why}.' if why else ''}"
        )
        call.texts.to_owner(text, f"transfer:{person.number}")

    def _person(self, asked: str) -> Person | None:
        """Who was asked for; whoever takes calls if nobody in particular was."""
        agent = self._call.agent
        named = self._call.lexicon.person(normalise(asked)) if asked else None
        if named:
            return named
        reachable = [one for one in agent.people if self._can_take(one)]
        usual = next((one for one in reachable if one.name == agent.transfers.to), None)
        if usual or reachable:
            return usual or reachable[0]
        owner = Person("the owner", agent.owner_phone)
        return owner if self._can_take(owner) else None

    def _can_take(self, person: Person) -> bool:
        """Nobody is put through to the telephone from which they call."""
        return bool(person.number) and person.number != self._call.number

    @property
    def _is_open(self) -> bool:
        return self._call.agent.schedule.closing(self._call.now) is not None

    def _closed(self) -> ToolResult:
        schedule, now = self._call.agent.schedule, self._call.now
        opening = schedule.opening(now)
        again = ""
        if opening:
            local = schedule.local(opening)
            again = f" We open again on {local:%A} at {clock(local.hour * 60 + local.minute)}."
        text = f"Callers are put through during opening hours only.{again} {OFFER_MESSAGE}"
        return refusal("closed", text)

    async def text(self, request: ToolRequest) -> ToolResult:
        """Send a text to the number from which the caller calls, and to no other."""
        call, body = self._call, request.arguments.get("text", "").strip()[:_LONGEST_TEXT]
        if not body:
            return ToolResult("unclear", "There is no text to send.", {"why": "text"})
        if not call.texts.reaches(call.number):
            text = "No text can be sent to this caller's number. Tell them what it says instead."
            return refusal("not_possible", text)
        if self._texts_sent >= MOST_TEXTS:
            return refusal("not_possible", "No more texts can be sent in this call.")
        self._texts_sent += 1
        if not await call.texts.send(call.number, body, f"text:{request.key}"):
            text = "The text could not be sent. Tell the caller what it says instead."
            return refusal("not_possible", text)
        call.notes.append("A text message was sent to the caller's number.")
        ending = " ".join(call.number[-4:])
        text = f"The text was sent to the number ending in {ending}. Tell the caller."
        return ToolResult("ok", text, {"number": call.number})


def _argument(request: ToolRequest, name: str, longest: int = _LONGEST_DETAIL) -> str:
    return " ".join(request.arguments.get(name, "").split())[:longest]


def _is_yes(value: str) -> bool:
    return value.strip().lower() in ("yes", "true", "1")


def _is_no(value: str) -> bool:
    return value.strip().lower() in ("no", "false", "0")
