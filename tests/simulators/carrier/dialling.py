"""``<Dial>``: rings other telephones, whispers to who answers, and connects the two."""

from __future__ import annotations

import asyncio
import math
import re
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element

from tests.simulators import twilio_wire as wire
from tests.simulators.carrier.documents import Document, attribute, callbacks_of, flag
from tests.simulators.carrier.voices import render
from tests.simulators.carrier.web import Fetch

if TYPE_CHECKING:
    from tests.simulators.carrier.legs import Leg

CHAT_S = 30.0
"""After so long the called party hangs up, if neither was told when to."""

E164 = re.compile(r"\+[1-9]\d{6,14}")


async def dial(leg: Leg, verb: Element, document: Document) -> Fetch | bool | None:
    """Perform a ``<Dial>``."""
    if leg.parent is not None:
        leg.carrier.error(leg.sid, "<Dial> on a leg that was dialled itself")
        return False
    if not flag(verb, "answerOnBridge", False):
        leg.pick_up()
    caller_id = _caller_id(leg, verb)
    nouns = list(verb) or [verb]
    numbers = [(noun.text or "").strip() for noun in nouns]
    for number in numbers:
        if not E164.fullmatch(number):
            leg.carrier.error(leg.sid, f"13224: <Dial> of {number!r}")
    pairs = zip(numbers, nouns, strict=True)
    children = [_child(leg, number, noun, caller_id, document) for number, noun in pairs]
    leg.children += children
    attempt = _Attempt(leg, verb, document, children)
    leg.farewell = attempt.caller_gone
    try:
        await attempt.run(nouns)
    finally:
        await attempt.close()
    leg.farewell = None
    if not verb.get("action"):
        return None
    return attempt.result()


def _caller_id(leg: Leg, verb: Element) -> str:
    """What the called telephone shows; empty if Twilio would not have it."""
    caller_id = verb.get("callerId", leg.from_ if leg.direction == "inbound" else leg.to)
    allowed = {leg.from_, leg.to, *leg.carrier.numbers}
    if caller_id in allowed and E164.fullmatch(caller_id):
        return caller_id
    leg.carrier.error(leg.sid, "13214: <Dial> with a callerId that is none of the call's or ours")
    return ""


def _child(leg: Leg, number: str, noun: Element, caller_id: str, document: Document) -> Leg:
    child = type(leg)(
        leg.carrier,
        sid=wire.new_sid("CA"),
        from_=caller_id,
        to=number,
        direction="outbound-dial",
        party=leg.carrier.party(number) if caller_id and E164.fullmatch(number) else None,
        parent=leg,
    )
    if wanted := callbacks_of(noun):
        child.callbacks.url = document.absolute(wanted["url"])
        child.callbacks.method = wanted["method"]
        child.callbacks.events = wanted["events"].split()
    return child


class _Attempt:
    """The telephones of one ``<Dial>``, from the first ring to the end of the talk."""

    def __init__(self, leg: Leg, verb: Element, document: Document, children: list[Leg]) -> None:
        self._leg = leg
        self._verb = verb
        self._document = document
        self._children = children
        self._taken: asyncio.Queue[Leg] = asyncio.Queue()
        self._bridged: Leg | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def run(self, nouns: list[Element]) -> None:
        """Ring, whisper, connect."""
        self._tasks = [
            asyncio.create_task(self._ring(child, noun), name=f"dialled {child.sid}")
            for child, noun in zip(self._children, nouns, strict=True)
        ]
        patience = asyncio.create_task(self._lose_patience())
        waiting = asyncio.create_task(self._all_over())
        taken = asyncio.create_task(self._taken.get())
        try:
            await asyncio.wait({taken, waiting}, return_when=asyncio.FIRST_COMPLETED)
            winner = taken.result() if taken.done() else None
            if winner is None:
                waiting.result()
        finally:
            for task in (patience, waiting, taken):
                task.cancel()
        if winner is not None:
            await self._talk(winner)

    async def _ring(self, child: Leg, noun: Element) -> None:
        child.clips = await render(child.party, child.carrier.speak)
        outcome = await child.ringing(attribute(self._verb, "timeout", 30))
        if outcome:
            await child.end(outcome)
            return
        if url := noun.get("url") if noun.tag == "Number" else None:
            method = noun.get("method", "POST")
            whisper = Fetch("whisper", self._document.absolute(url), method)
            if not await child.drive(whisper):
                await child.end("completed")
                return
        self._taken.put_nowait(child)

    async def _all_over(self) -> None:
        await asyncio.gather(*self._tasks)
        if not self._taken.empty():
            await asyncio.Event().wait()  # the one who has taken it decides

    async def _lose_patience(self) -> None:
        party = self._leg.party
        if party is not None and party.waits_s < math.inf:
            await self._leg.carrier.sleep(party.waits_s)
            self._leg.hang_up("the party does not wait any longer")

    async def _talk(self, winner: Leg) -> None:
        """The two are connected until one of them hangs up."""
        self._bridged = winner
        await self._end_others()
        leg, limit = self._leg, attribute(self._verb, "timeLimit", 14_400)
        leg.pick_up()
        leg.carrier.note(leg.sid, f"is connected to {winner.to}")
        here = leg.party.talks_s if leg.party else math.inf
        there = winner.party.talks_s if winner.party else math.inf
        if here == there == math.inf:
            there = CHAT_S
        order = await winner.interruptible(leg.carrier.sleep(min(here, there, limit)))
        if order is None and here < min(there, limit):
            await leg.party_hangs_up()
        await winner.end("completed")

    async def _end_others(self) -> None:
        for task, child in zip(self._tasks, self._children, strict=True):
            if child is not self._bridged:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await child.end("canceled" if child.answered_s is None else "completed")

    async def close(self) -> None:
        """Hang up on whoever is left, when the caller is gone or the call was sent elsewhere."""
        await self._end_others()
        if self._bridged is not None:
            await self._bridged.end("completed")

    async def caller_gone(self) -> None:
        """The action is told even then; its answer steers nothing any more."""
        if self._verb.get("action"):
            fetch = self.result()
            await self._leg.carrier.web.document(self._leg.sid, fetch, self._leg.form())

    def result(self) -> Fetch:
        """What the action is told."""
        told = self._bridged or self._children[-1]
        answered = [child for child in self._children if child.answered_s is not None]
        statuses = [child.status for child in self._children]
        status = "failed"
        if answered:
            told, status = self._bridged or answered[-1], "completed"
        else:
            ranked = [each for each in ("canceled", "no-answer", "busy") if each in statuses]
            status = ranked[0] if ranked else status
        form = {
            "DialCallSid": told.sid,
            "DialCallStatus": status,
            "DialBridged": "true" if self._bridged is not None else "false",
        }
        if answered:
            form["DialCallDuration"] = str(math.ceil(told.duration_s))
        url = self._document.absolute(self._verb.get("action", ""))
        return Fetch("action", url, self._verb.get("method", "POST"), form)
