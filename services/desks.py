"""The desk of each call: the receptionist's tools with the books of this server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from services.receptionist.agent import Agent
from services.receptionist.books import Escalations, Texts
from services.receptionist.desk import ReceptionDesk
from services.receptionist.tools import ToolRequest, ToolResult
from services.receptionist.understanding.lexicon import Lexicon
from services.store import Store


class CallRecord(Protocol):
    """What is put down of a call; see ``services.records.record``."""

    def used(self, request: ToolRequest, result: ToolResult) -> None: ...
    def texted(self, text: str) -> None: ...


class _Counted:
    """Text messages, each of which is told of when it was sent: they cost money."""

    def __init__(self, texts: Texts, sent: Callable[[str], None]) -> None:
        self._texts = texts
        self._sent = sent
        self._keys: set[str] = set()

    @property
    def is_possible(self) -> bool:
        return self._texts.is_possible

    async def send(self, call_id: str, to: str, text: str, key: str) -> bool:
        is_sent = await self._texts.send(call_id, to, text, key)
        if is_sent and key not in self._keys:
            self._keys.add(key)
            self._sent(text)
        return is_sent


class Desks:
    """Opens desks, for calls on either path."""

    def __init__(
        self,
        store: Callable[[], Store],
        escalations: Escalations,
        texts: Callable[[Agent], Texts],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """``store`` gives the database, which is opened after this was made; ``texts`` who sends
        text messages for an agent; ``now`` an aware time."""
        self._store = store
        self._escalations = escalations
        self._texts = texts
        self._now = now
        self._lexicons: dict[str, tuple[Agent, Lexicon]] = {}

    def open(
        self, agent_id: str, agent: Agent, call_id: str, caller: str, record: CallRecord
    ) -> ReceptionDesk:
        """The desk of one call. ``record`` is told of each tool that was used, and of each text
        message that was sent."""
        store = self._store()
        known, lexicon = self._lexicons.get(agent_id, (None, None))
        if known is not agent or lexicon is None:  # its file has changed
            lexicon = Lexicon(agent)
            self._lexicons[agent_id] = agent, lexicon
        return ReceptionDesk(
            agent,
            agent_id,
            appointments=store.appointments,
            messages=store.messages,
            escalations=self._escalations,
            texts=_Counted(self._texts(agent), record.texted),
            call_id=call_id,
            caller=caller,
            now=self._now,
            record=record.used,
            lexicon=lexicon,
        )
