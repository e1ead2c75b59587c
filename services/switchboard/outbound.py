"""Calls that go out: placed once for each key, within the hours in which the agent may call.

The call is on record before the carrier is asked. If nobody knows whether the carrier did it (no
answer in time), that stands in the record, and nothing is tried again by itself: it might ring
twice. A callback of the carrier's then tells.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.call.effects import Purpose
from services.call.events import MachineAnswered
from services.carriers import twiml
from services.carriers.twilio_rest import TwilioError, TwilioRest
from services.receptionist.agent import Agent
from services.receptionist.calendar.schedule import WEEKDAYS, Schedule
from services.receptionist.numbers import Fit, fit
from services.store import CallEnd, CallState, Direction, NewCall, Store, StoredCall
from services.switchboard.board import OUTBOUND_PREFIX, Directory, Live
from services.switchboard.call_book import CallBook, announce, is_over
from services.switchboard.connecting import connect, webhook
from services.switchboard.routing import is_blocked
from services.switchboard.tokens import Tokens

log = logging.getLogger(__name__)

MachinePolicy = Literal["leave_message", "hang_up"]

UNKNOWN = "unknown"
"""The status of a call of which nobody knows whether the carrier has placed it; in its record the
error begins so."""

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_WITHIN_S = 60
"""How long it rings."""
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that somebody wants placed. ``agent`` is an agent's id; or ``voice`` tells the agent,
    by the voice that its file names; without both it is the one that answers TWILIO_NUMBER.
    ``machine`` is what to do if a machine answers; empty: as the agent's file says."""

    to: str
    purpose: str
    agent: str = ""
    voice: str = ""
    key: str = ""
    machine: MachinePolicy | Literal[""] = ""


class CannotCall(Exception):
    """The call is not placed. ``code``: bad_number, unknown_agent, outside_hours, blocked,
    no_account, key_reused, lines_busy, carrier_refused. The text says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Placed:
    """A call on record. ``status``: ``queued``, ``ringing``, ``live``, ``transferred``, ``ended``,
    or ``unknown``. ``is_new`` is False for a repeated key."""

    call_id: str
    status: str
    is_new: bool = True


class Outbound:
    """Places calls and answers what the carrier asks about them. Set ``full`` once there is
    something to set it to."""

    def __init__(
        self,
        store: Callable[[], Store],
        agents: Directory,
        tokens: Tokens,
        live: Live,
        now: Callable[[], datetime],
        *,
        rest: TwilioRest | None,
        public_url: str,
        twilio_number: str,
    ) -> None:
        """``now`` gives an aware time; ``rest`` is None without an account."""
        self.full: Callable[[], bool] = lambda: False
        self._store = store
        self._book = CallBook(store)
        self._agents = agents
        self._tokens = tokens
        self._live = live
        self._now = now
        self._rest = rest
        self._base = public_url.rstrip("/")
        self._twilio_number = twilio_number
        self._told: dict[str, None] = {}  # calls that know of their machine: once is enough

    # --- placing ----------------------------------------------------------------------------------

    async def place(self, wanted: Wanted) -> Placed:
        """Place a call, once for each key. Raises CannotCall, and StoreError."""
        agent_id, agent = self._agent(wanted.agent, wanted.voice)
        call = self._new_call(wanted, agent_id, agent)
        if wanted.key and (known := await self._store().calls.get(call.id)):
            return _again(known, call)
        rest = self._check(call, agent)
        stored, is_new = await self._store().calls.start_outbound(call)
        if not is_new:  # two requests at the same moment
            return _again(stored, call)
        return await self._ask(rest, call)

    def _agent(self, agent_id: str, voice: str) -> tuple[str, Agent]:
        agents = self._agents.agents
        if not agent_id and not voice:
            return self._agents.for_number(self._twilio_number)
        fitting = {
            each: agent
            for each, agent in agents.items()
            if agent_id in ("", each) and voice in ("", agent.engines.voice)
        }
        if not fitting:
            known = ", ".join(sorted(agents))
            what = "with this voice" if voice else "of this name"
            raise CannotCall("unknown_agent", f"There is no agent {what}; there are: {known}.")
        return next(iter(sorted(fitting.items(), key=lambda pair: pair[0])))

    def _new_call(self, wanted: Wanted, agent_id: str, agent: Agent) -> NewCall:
        """The call as it goes on record. Its id follows from the key: one key, one call."""
        to = re.sub(r"[\s().-]", "", wanted.to)
        if not _NUMBER.fullmatch(to) or fit(to, agent.business.country) is not Fit.COMPLETE:
            message = "Expected a number with its country in `to`, like +15551234567."
            raise CannotCall("bad_number", message)
        key = wanted.key
        tail = hashlib.sha256(key.encode()).hexdigest()[:32] if key else secrets.token_hex(16)
        return NewCall(
            f"{OUTBOUND_PREFIX}{tail}",
            agent_id,
            Direction.OUTBOUND,
            caller=agent.from_number or self._twilio_number,
            called=to,
            state=CallState.QUEUED,
            purpose=wanted.purpose,
            machine=wanted.machine or agent.outbound.machine,
            idempotency_key=key,
        )

    def _check(self, call: NewCall, agent: Agent) -> TwilioRest:
        """Raises CannotCall."""
        missing = [
            name
            for name, is_there in (
                ("TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN", self._rest is not None),
                ("TWILIO_NUMBER", bool(call.caller)),
                ("PUBLIC_URL", bool(self._base)),
            )
            if not is_there
        ]
        if self._rest is None or missing:
            raise CannotCall("no_account", f"To place calls, set {', '.join(missing)}.")
        if call.called == call.caller or call.called in agent.numbers:
            raise CannotCall("bad_number", "The number in `to` is one of this agent's own.")
        if is_blocked(agent.blocked, call.called):
            raise CannotCall("blocked", "The number is blocked in the agent's file.")
        if allowed := next_allowed(agent, self._now()):
            raise CannotCall("outside_hours", allowed)
        if self.full():
            raise CannotCall("lines_busy", "All lines are busy; try again in a few minutes.")
        return self._rest

    async def _ask(self, rest: TwilioRest, call: NewCall) -> Placed:
        policy: MachinePolicy = "hang_up" if call.machine == "hang_up" else "leave_message"
        try:
            sid = await rest.create_call(
                call.called,
                call.caller,
                webhook(self._base, "voice", call.id),
                status_callback=webhook(self._base, "status", call.id),
                timeout_s=_WITHIN_S,
                machine=policy,
                amd_callback=webhook(self._base, "amd", call.id),
            )
        except TwilioError as error:
            log.warning("call %s: not placed: %s", call.id, error)
            code = str(error.code or error.status)
            if error.is_refusal:
                end = CallEnd("carrier: refused", outcome="failed", error=f"Twilio {code}")
                await self._store().calls.finish(call.id, end)
                raise CannotCall("carrier_refused", f"{error}.") from None
            await self._book.update(call.id, error=f"{UNKNOWN}: {error}")
            return Placed(call.id, UNKNOWN)
        await self._book.update(call.id, sid=sid)
        log.info("call %s: placed", call.id)
        return Placed(call.id, CallState.QUEUED.value)

    # --- what the carrier asks and tells ----------------------------------------------------------

    async def answered(self, base: str, call_id: str, sid: str) -> str:
        """Somebody, or some machine, has picked up: TwiML that connects the call."""
        call = await self._book.get(call_id)
        if call is None or call.direction is not Direction.OUTBOUND or is_over(call):
            return twiml.hang_up()
        if call.sid and call.sid != sid:
            log.warning("call %s: answered under another id than it was placed", call_id)
            return twiml.hang_up()
        if call.answered_by and not _wants_words(call.answered_by, call.machine):
            await self._book.finish(call_id, "agent: machine", "no_answer")
            return twiml.hang_up()
        if self._live.session(call_id) is None and self.full():
            await self._book.finish(call_id, "refused: busy", "failed", "all lines were busy")
            return twiml.hang_up()
        await self._book.update(call_id, sid=sid, answered_at=call.answered_at or self._now())
        announced = announce(replace(call, sid=sid), Purpose.OUTBOUND)
        return connect(self._tokens, base, announced)

    async def machine(self, call_id: str, answered_by: str) -> None:
        """Who has answered, as the carrier believes. The first word of it counts."""
        call = await self._book.get(call_id)
        if call is None or call.answered_by or is_over(call):
            return
        await self._book.update(call_id, answered_by=answered_by)
        self._tell(call_id, answered_by, call.machine)

    async def stream_began(self, call_id: str) -> None:
        """The call's stream is up: tell it what was found out before."""
        call = await self._book.get(call_id)
        if call is not None and call.direction is Direction.OUTBOUND and call.answered_by:
            self._tell(call_id, call.answered_by, call.machine)

    def _tell(self, call_id: str, answered_by: str, policy: str) -> None:
        session = self._live.session(call_id)
        if session is None or not is_machine(answered_by) or call_id in self._told:
            return
        self._told[call_id] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        session.emit(MachineAnswered(message=_wants_words(answered_by, policy)))


def next_allowed(agent: Agent, now: datetime) -> str:
    """When the agent may call next, in a sentence; empty if it may call now."""
    rules = agent.outbound
    week = tuple(rules.hours if day in rules.weekdays else () for day in WEEKDAYS)
    hours = Schedule(agent.business.timezone, week)
    if hours.closing(now) is not None:
        return ""
    zone = agent.business.timezone.key
    opening = hours.opening(now)
    when = f"from {hours.local(opening).isoformat()}" if opening else "at no time"
    return (
        f"This agent calls nobody at {hours.local(now):%H:%M} ({zone}); it may call again {when}. "
        "The section [outbound] of its file says when."
    )


def is_machine(answered_by: str) -> bool:
    """Whether it is certain enough that no person has answered; who is unknown is a person."""
    return answered_by == "fax" or answered_by.startswith("machine")


def _wants_words(answered_by: str, policy: str) -> bool:
    """Whether what has answered is to be spoken to."""
    if not is_machine(answered_by):
        return True
    return answered_by != "fax" and policy != "hang_up"


def _again(known: StoredCall, wanted: NewCall) -> Placed:
    """A key that was used before. Raises CannotCall if it was for another call."""
    same = (
        (known.called, wanted.called),
        (known.agent, wanted.agent),
        (known.purpose, wanted.purpose),
        (known.machine, wanted.machine),
    )
    if known.direction is not Direction.OUTBOUND or any(one != other for one, other in same):
        message = "This idempotency key was used for another call; choose a new one."
        raise CannotCall("key_reused", message)
    is_unknown = known.error.startswith(UNKNOWN) and known.state is CallState.QUEUED
    return Placed(known.id, UNKNOWN if is_unknown else known.state.value, is_new=False)
