"""Sends text messages: implements ``Texts`` of ``services.receptionist.books``."""

from __future__ import annotations

import logging
import re

from services.carriers.twilio_rest import MAX_TEXT_CHARS, TwilioError, TwilioRest
from services.receptionist.agent import Agent
from services.store import Texts as TextBook
from services.store import TextState

log = logging.getLogger(__name__)

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


class CarrierTexts:
    """The texts of one agent: sent by the carrier, each at most once, and kept in the store."""

    def __init__(self, book: TextBook, rest: TwilioRest | None, from_number: str) -> None:
        """``rest`` is None without an account; ``from_number`` may be empty."""
        self._book = book
        self._rest = rest
        self._from = from_number

    @classmethod
    def of(
        cls, agent: Agent, book: TextBook, rest: TwilioRest | None, twilio_number: str
    ) -> CarrierTexts:
        """The texts of this agent, from its own number or else TWILIO_NUMBER."""
        return cls(book, rest, agent.from_number or twilio_number)

    @property
    def is_possible(self) -> bool:
        """Whether there is an account and a number to send from."""
        return self._rest is not None and bool(self._from)

    async def send(self, call_id: str, to: str, text: str, key: str) -> bool:
        """Send it, once for each call and key; False if it was refused, or nobody knows.

        A repeated key tells how the first try ended. Raises StoreError: what could not be claimed
        is not sent.
        """
        if self._rest is None or not self._from or not _NUMBER.fullmatch(to) or not text.strip():
            return False
        body = _cut(text.strip())
        if not await self._book.claim(call_id, key, to, body):
            earlier = await self._book.get(call_id, key)
            return earlier is not None and earlier.state in (TextState.SENT, TextState.SENDING)
        try:
            sid = await self._rest.send_text(to, self._from, body)
        except TwilioError as error:
            log.warning("call %s: a text message was not sent: %s", call_id, error)
            state = TextState.FAILED if error.is_refusal else TextState.UNKNOWN
            await self._book.settle(call_id, key, state, error=str(error.code or error.status))
            return False
        await self._book.settle(call_id, key, TextState.SENT, sid=sid)
        return True


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else text[: MAX_TEXT_CHARS - 1].rstrip() + "…"
