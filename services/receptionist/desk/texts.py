"""The text messages of one call: to the owner, and to the caller's own number.

Most are sent in the background: nobody on the telephone waits for them. Their tasks belong to the
call and are awaited at its end.
"""

from __future__ import annotations

import asyncio
import logging

from services.receptionist.books import Texts
from services.receptionist.numbers import can_be_texted

log = logging.getLogger(__name__)
SETTLE_WITHIN_S = 5.0
"""How long the end of a call waits for texts on their way."""


class CallTexts:
    """Sends the texts of a call, each once for its key."""

    def __init__(self, texts: Texts, call_id: str, owner: str) -> None:
        self._texts = texts
        self._call_id = call_id
        self._owner = owner
        self._tasks: set[asyncio.Task[bool]] = set()

    def reaches(self, number: str) -> bool:
        """Whether a text can be sent to this number (E.164)."""
        return bool(number) and self._texts.is_possible and can_be_texted(number)

    def to_owner(self, text: str, key: str) -> None:
        """Tell the owner, in the background, if there is a number for that."""
        if self._owner and self._texts.is_possible:
            self.soon(self._owner, text, f"owner:{key}")

    def soon(self, to: str, text: str, key: str) -> None:
        """Send it in the background."""
        task = asyncio.create_task(self.send(to, text, key), name="text-message")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def send(self, to: str, text: str, key: str) -> bool:
        """Send it; False if that did not work."""
        try:
            return await self._texts.send(self._call_id, to, text, key)
        except Exception as error:  # whatever it is: a text must not end a call
            log.warning("a text message could not be sent: %s", type(error).__name__)
            return False

    async def close(self) -> None:
        """See off what is on its way, for a while; give up the rest."""
        tasks = set(self._tasks)
        try:
            if tasks:
                await asyncio.wait(tasks, timeout=SETTLE_WITHIN_S)
        finally:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
