"""The desk: performs the tools of one call with the books of the business.

What changes something is done one after another and once for each key; what fails is told as a
result. The tools themselves are in ``booking_tools`` and ``other_tools``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from services.receptionist.agent import Agent
from services.receptionist.books import Appointments, Escalations, Messages, Texts
from services.receptionist.desk.bookings import BookingTools
from services.receptionist.desk.call import DeskCall, refusal
from services.receptionist.desk.others import OtherTools
from services.receptionist.desk.texts import CallTexts
from services.receptionist.desk.wording import pending_note
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from services.receptionist.understanding.lexicon import Lexicon

log = logging.getLogger(__name__)
Record = Callable[[ToolRequest, ToolResult], None]
_Perform = Callable[[ToolRequest], Awaitable[ToolResult]]
FAILED = refusal(
    "failed",
    "That did not work, and it is not certain what became of it: do not say that it is done. Say "
    "that you cannot do it just now, and offer to take a message instead.",
)


class ReceptionDesk:
    """Implements ``tools.Desk`` for one call.

    ``now`` gives an aware datetime. ``record`` is called once for each tool that was performed, not
    for repetitions of its key.

    Codes besides ``ok``: ``unclear`` (what to ask is in the text), ``no_time`` (a day without a
    time; ``slots`` are some of it), ``unknown_service``, ``not_offered``, ``taken``, ``closed``,
    ``theirs`` (booked for this caller already), ``past``, ``too_soon``, ``too_far``, ``off_grid``,
    ``unknown_reference``, ``not_found``, ``too_early`` (confirmed in the turn in which it was
    proposed), ``nobody``, ``not_possible``, ``failed``. The reason stands in ``facts["why"]`` as
    well, free times in ``facts["slots"]``.
    ``transfer_call`` takes one more argument, ``by``: caller (default), rule, emergency,
    misunderstanding. What was confirmed has ``facts["texted"]``: whether the caller gets a text.
    """

    def __init__(
        self,
        agent: Agent,
        agent_id: str,
        *,
        appointments: Appointments,
        messages: Messages,
        escalations: Escalations,
        texts: Texts,
        call_id: str,
        caller: str,
        now: Callable[[], datetime],
        record: Record | None = None,
        lexicon: Lexicon | None = None,
    ) -> None:
        """``lexicon``: the agent's, which takes some ms to make; one can serve all calls."""
        self._call = DeskCall(
            *(agent, agent_id, call_id, caller, appointments, messages, escalations),
            texts=CallTexts(texts, call_id, agent.owner_phone),
            clock=now,
            lexicon=lexicon or Lexicon(agent),
        )
        self._record = record
        self._bookings = BookingTools(self._call)
        others = OtherTools(self._call)
        self._tools: dict[Tool, _Perform] = {
            Tool.OPENING_HOURS: others.hours,
            Tool.CHECK_AVAILABILITY: self._bookings.check,
            Tool.FIND_APPOINTMENTS: self._bookings.find,
            Tool.BOOK_APPOINTMENT: self._bookings.book,
            Tool.CHANGE_APPOINTMENT: self._bookings.change,
            Tool.CANCEL_APPOINTMENT: self._bookings.cancel,
            Tool.CONFIRM: self._bookings.confirm,
            Tool.TAKE_MESSAGE: others.message,
            Tool.TRANSFER_CALL: others.transfer,
            Tool.SEND_SMS: others.text,
        }
        self._one_at_a_time = asyncio.Lock()
        self._done: dict[str, ToolResult] = {}

    async def do(self, request: ToolRequest) -> ToolResult:
        """See ``tools.Desk``. A request with the key of one that is being done waits for it and has
        the same result; one that was cancelled, or that failed, may be tried again."""
        if not request.tool.changes_something:
            return await self._attempt(request)
        async with self._one_at_a_time:
            result = self._done.get(request.key)
            if result is None:
                result = await self._attempt(request)
                if result.code != FAILED.code:
                    self._done[request.key] = result
            return result

    @property
    def can_text(self) -> bool:
        """Whether the caller's own number can be sent text messages."""
        return self._call.texts.reaches(self._call.number)

    @property
    def notes(self) -> Sequence[str]:
        """What was done so far, a sentence each, and what waits for the caller's yes."""
        pending = (
            pending_note(self._call, proposal.booking, proposal.purpose.value)
            for proposal in self._bookings.pending
        )
        return (*self._call.notes, *pending)

    async def withdraw(self) -> None:
        """Give up all holds that were not confirmed. Raises nothing but CancelledError: a hold that
        cannot be given up expires by itself."""
        async with self._one_at_a_time:
            try:
                await self._bookings.withdraw()
            except Exception as error:  # whatever the books raise
                log.warning("holds could not be given up: %s", type(error).__name__)

    async def close(self) -> None:
        """The call is over: ``withdraw``, and see texts on their way off, at most 5 s."""
        try:
            await self.withdraw()
        finally:
            await self._call.texts.close()

    async def _attempt(self, request: ToolRequest) -> ToolResult:
        try:
            result = await self._tools[request.tool](request)
        except Exception as error:  # whatever the books raise: the caller is to hear something
            log.error("the tool %s failed: %s", request.tool.value, type(error).__name__)
            result = FAILED
        if self._record:
            try:
                self._record(request, result)
            except Exception as error:
                log.error("the use of a tool was not recorded: %s", type(error).__name__)
        return result
