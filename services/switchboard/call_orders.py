"""What somebody at the business orders for a call that goes on: put it through, or end it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from services.call.events import HangUpOrdered, TransferOrdered
from services.carriers.twilio_rest import TwilioError, TwilioRest
from services.receptionist.agent import Agent
from services.receptionist.books import Handling, NewEscalation
from services.store import CallState, Direction, EscalationState, StoredCall
from services.switchboard.board import Live
from services.switchboard.call_book import CallBook, is_over
from services.switchboard.transfers import AgentById, TransferDesk, settle

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


class NoSuchCall(LookupError):
    """There is no call with this id, or it is over."""


class NotPossible(Exception):
    """The order cannot be carried out. ``code``: bad_person (there is nobody of that name with a
    number), not_answered, already_transferred, no_account, carrier_refused. The text says what to
    do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Switch(Protocol):
    """What the orders need of the switchboard."""

    @property
    def transfers(self) -> TransferDesk: ...
    async def ask(self, wish: NewEscalation) -> None: ...


class CallOrders:
    """Orders for calls in progress. A call with a stream is told; others are changed by REST."""

    def __init__(
        self,
        book: CallBook,
        agents: AgentById,
        switchboard: Switch,
        live: Live,
        rest: TwilioRest | None,
        public_url: str,
    ) -> None:
        self._book = book
        self._agents = agents
        self._switchboard = switchboard
        self._live = live
        self._rest = rest
        self._base = public_url.rstrip("/")
        self.recorded_over: Callable[[str, str], None] = lambda call_id, reason: None
        """``recorded_over(call_id, reason)`` ends a call that is held on the recording path."""

    async def transfer(self, call_id: str, to: str) -> str:
        """Put a call through to one of the agent's people, by name, or to a number; whose name or
        number it is. Raises NoSuchCall, NotPossible and StoreError."""
        call = await self._active(call_id)
        agent = self._agents.agent(call.agent)
        person, number = _person(agent, to)
        if call.state is CallState.TRANSFERRED:
            raise NotPossible("already_transferred", "The call is being put through already.")
        session = self._live.session(call_id)
        if session is None and call.state is not CallState.LIVE:
            raise NotPossible("not_answered", "The call has not been answered yet.")
        rest = None if session else self._account(needs_base=True)
        wish = NewEscalation(
            call.agent,
            call_id,
            call.caller if call.direction is Direction.INBOUND else call.called,
            name="",
            person=person,
            number=number,
            reason="put through by a colleague",
            urgency="normal",
            handling=Handling(agent.transfers.handling),
            by="api",
        )
        await self._switchboard.ask(wish)
        if session:
            session.emit(TransferOrdered())
        elif rest:
            await self._redirect(rest, call)
        return person

    async def hang_up(self, call_id: str) -> None:
        """End a call. Raises NoSuchCall and NotPossible."""
        call = await self._active(call_id)
        if session := self._live.session(call_id):
            session.emit(HangUpOrdered())
            return
        rest = self._account()
        if not call.sid:
            raise NotPossible(
                "not_answered", "The carrier has not said yet whether it has placed the call."
            )
        try:
            await rest.hang_up(call.sid)
        except TwilioError as error:
            raise NotPossible("carrier_refused", f"{error}.") from None
        self.recorded_over(call_id, "agent: ordered")
        if call.state is CallState.TRANSFERRED:
            await settle(self._book, call_id)
        if call.state is not CallState.LIVE or call.path != "record":
            outcome = "no_answer" if call.direction is Direction.OUTBOUND else "abandoned"
            answered = call.answered_at is not None or call.state is CallState.TRANSFERRED
            await self._book.finish(call_id, "agent: ordered", "" if answered else outcome)

    async def _active(self, call_id: str) -> StoredCall:
        call = await self._book.get(call_id)
        if call is None:
            raise NoSuchCall("There is no call with this id.")
        if is_over(call) and self._live.session(call_id) is None:
            raise NoSuchCall("The call is over.")
        return call

    async def _redirect(self, rest: TwilioRest, call: StoredCall) -> None:
        wish = await self._book.wish(call.id)
        if wish is None:
            raise NotPossible("carrier_refused", "The wish is no longer on record; try again.")
        document = await self._switchboard.transfers.dial(self._base, call, wish)
        try:
            await rest.update_call(call.sid, twiml=document)
        except (TwilioError, ValueError) as error:
            await self._book.update(call.id, state=CallState.LIVE)
            await self._book.move(wish, EscalationState.FAILED)
            raise NotPossible("carrier_refused", f"{error}.") from None
        self.recorded_over(call.id, "agent: transfer")

    def _account(self, *, needs_base: bool = False) -> TwilioRest:
        missing = ["PUBLIC_URL"] if needs_base and not self._base else []
        if self._rest is None:
            missing += ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]
        if missing or self._rest is None:
            message = f"This call has no stream on this server; set {', '.join(missing)} for that."
            raise NotPossible("no_account", message)
        return self._rest


def _person(agent: Agent, to: str) -> tuple[str, str]:
    """Name and number of one of the people, or a number twice. Raises NotPossible."""
    wanted = to.strip().casefold()
    for person in agent.people:
        names = {name.casefold() for name in (person.name, *person.aliases)}
        if wanted in names and person.number:
            return person.name, person.number
    number = re.sub(r"[\s().-]", "", to)
    if _NUMBER.fullmatch(number):
        return number, number
    reachable = ", ".join(person.name for person in agent.people if person.number)
    raise NotPossible(
        "bad_person",
        f"Expected a number with its country, like +15551234567, or one of: {reachable or 'nobody'}"
        ".",
    )
