"""Puts callers through to people: dials, has the person accept, and brings the caller back.

Where a transfer stands is the escalation's state in the store, so a webhook that is delivered twice
is answered the same and changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from services.carriers import twiml
from services.receptionist.agent import Agent
from services.receptionist.books import Handling, NewEscalation
from services.receptionist.desk.reasons import told
from services.receptionist.numbers import read_aloud
from services.store import CallState, EscalationState, StoredCall, StoredEscalation
from services.switchboard.call_book import CallBook
from services.switchboard.connecting import webhook
from services.switchboard.routing import ANONYMOUS, shown

log = logging.getLogger(__name__)

ACCEPT_KEY = "1"
ACCEPT_WITHIN_S = 10
"""How long a person may think about it after the summary."""
MAX_WORDS = 20
"""Of a summary; the digits of the number do not count."""

_TOOK = {"completed", "answered"}
_OVER = {"completed", "busy", "failed", "no-answer", "canceled"}
_OPEN = (EscalationState.ASKED, EscalationState.DIALLING, EscalationState.ACCEPTED)


@dataclass(frozen=True, slots=True)
class Dialled:
    """How a ``<Dial>`` went, as the carrier tells: DialCallStatus, DialBridged, and CallStatus of
    the caller's own call."""

    status: str
    bridged: str = ""
    call_status: str = ""

    @property
    def took(self) -> bool:
        """Whether somebody, or some machine, took the call."""
        return self.status in _TOOK and self.bridged != "false"

    @property
    def caller_gone(self) -> bool:
        return self.call_status in _OVER


class AgentById(Protocol):
    """The agents, by id."""

    def agent(self, agent_id: str) -> Agent: ...


ComeBack = Callable[[str, StoredCall], Awaitable[str]]
"""``come_back(base, call)``: TwiML that brings a caller back to the agent."""


class TransferDesk:
    """Transfers of calls that are on record. ``base`` is the address under which we are reached."""

    def __init__(self, book: CallBook, agents: AgentById, come_back: ComeBack) -> None:
        self._book = book
        self._agents = agents
        self._come_back = come_back

    async def dial(self, base: str, call: StoredCall, wish: StoredEscalation) -> str:
        """Ring the person. Asked again while that goes on, the same."""
        await self._book.move(wish, EscalationState.DIALLING)
        current = await self._book.wish(call.id)
        if current is None or current.state not in _OPEN:
            return await self._come_back(base, call)
        try:
            document = self._document(base, call, wish.wish)
        except ValueError:
            log.warning("call %s: the number of a person is none; nobody was rung", call.id)
            await self._book.move(wish, EscalationState.FAILED)
            return await self._come_back(base, call)
        await self._book.update(call.id, state=CallState.TRANSFERRED)
        log.info("call %s: put through (%s)", call.id, wish.wish.handling.value)
        return document

    def _document(self, base: str, call: StoredCall, wish: NewEscalation) -> str:
        warm = wish.handling is Handling.WARM
        return twiml.dial(
            wish.number,
            # The person sees who calls; if we called, or the caller withholds it, our own number.
            shown(call.caller, call.called),
            self._agents.agent(call.agent).transfers.ring_secs,
            webhook(base, "transferred", call.id),
            whisper_url=webhook(base, "whisper", call.id) if warm else "",
        )

    async def whisper(self, base: str, call: StoredCall) -> str:
        """What the person hears who has picked up, alone."""
        wish = await self._book.wish(call.id)
        if wish is None or wish.state not in (EscalationState.DIALLING, EscalationState.ACCEPTED):
            return twiml.hang_up()
        country = self._agents.agent(call.agent).business.country
        text = f"{summary(wish.wish, country)} Press {ACCEPT_KEY} to take the call."
        return twiml.whisper(text, webhook(base, "accept", call.id), ACCEPT_WITHIN_S)

    async def accept(self, call: StoredCall, digits: str) -> str:
        """The person has pressed a key: TwiML for the person; an empty one connects the two."""
        wish = await self._book.wish(call.id)
        if wish is None:
            return twiml.hang_up()
        if digits != ACCEPT_KEY:
            await self._book.move(wish, EscalationState.REFUSED)
            return twiml.hang_up()
        await self._book.move(wish, EscalationState.ACCEPTED)
        current = await self._book.wish(call.id)
        if current and current.id == wish.id and current.state is EscalationState.ACCEPTED:
            return twiml.nothing()
        return twiml.say("The caller has hung up. Goodbye.")

    async def transferred(self, base: str, call: StoredCall, dialled: Dialled) -> str:
        """The dialling is over: they have spoken, or nobody took it, or the caller has gone."""
        wish = await self._book.wish(call.id)
        if wish is None:
            return twiml.hang_up()
        agreed = wish.wish.handling is Handling.COLD or wish.accepted_at is not None
        if wish.state is EscalationState.CONNECTED or (dialled.took and agreed):
            await self._book.move(wish, EscalationState.CONNECTED)
            await self._book.finish(call.id, "agent: transfer", "transferred")
            return twiml.hang_up()
        if dialled.caller_gone or wish.state is EscalationState.WITHDRAWN:
            await settle(self._book, call.id)
            await self._book.finish(call.id, "caller: hangup", "abandoned")
            return twiml.hang_up()
        failed = dialled.status == "failed" or wish.accepted_at is not None
        state = EscalationState.FAILED if failed else EscalationState.UNANSWERED
        if await self._book.move(wish, state) or wish.state is EscalationState.REFUSED:
            log.info("call %s: nobody took it (%s)", call.id, dialled.status)
        return await self._come_back(base, call)

    async def withdraw(self, call_id: str) -> None:
        """A wish that was not begun to be carried out is void."""
        wish = await self._book.wish(call_id)
        if wish is not None and wish.state is EscalationState.ASKED:
            await self._book.move(wish, EscalationState.WITHDRAWN)


async def settle(book: CallBook, call_id: str) -> bool:
    """The call is over: settle its transfer, as far as can be told; whether it was accepted."""
    wish = await book.wish(call_id)
    if wish is None:
        return False
    accepted = wish.accepted_at is not None
    await book.move(wish, EscalationState.CONNECTED if accepted else EscalationState.WITHDRAWN)
    return accepted


def is_open(wish: StoredEscalation | None) -> bool:
    """Whether the caller is still to be put through, or just being."""
    return wish is not None and wish.state in _OPEN


def summary(wish: NewEscalation, country: str) -> str:
    """Who calls and why, in one breath: ``Call from Jane Doe, 5 5 5, 0 1 0 0. Reason: a crown.``"""
    lead = "Urgent call" if wish.urgency == "high" else "Call"
    who = f"{lead} from {_first_words(wish.name, 5) or 'a caller'}"
    is_known = wish.caller.startswith("+") and wish.caller not in ANONYMOUS
    digits = read_aloud(wish.caller, country) if is_known else "number withheld"
    reason = told(wish.reason, wish.person)
    reason = _first_words(reason, MAX_WORDS - len(who.split()) - 3)
    said = f"{who}, {digits}."
    return f"{said} Reason: {reason.rstrip('.!?,;: ')}." if reason else said


def _first_words(text: str, limit: int) -> str:
    return " ".join(text.split()[:limit])
