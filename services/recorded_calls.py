"""The calls that are being held turn by turn, and the sounds that the carrier may fetch for them.

A call of this kind is nothing but webhooks: when they stop coming, the caller has gone.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from services.audio.wav import wav
from services.call.effects import Purpose, Turn
from services.recorded import LONGEST_S, RecordedCall, Said
from services.switchboard.tokens import Announced

GONE_AFTER_S = LONGEST_S + 90.0
"""Without a webhook for so long, the caller has gone and nobody told us."""
SETTLED_WITHIN_S = 8.0
LEAVES_WITHIN_S = 3.0
"""The carrier may tell of a call's end before it brings what the caller has said last."""
KEPT_S = 60.0
"""How long the sounds of a call that is over can still be fetched."""

_FIRST_LINES = {Purpose.GREETING, Purpose.OUTBOUND}

Open = Callable[[Announced], RecordedCall]
"""Opens a call: its engine, its tools, its journal."""
Ended = Callable[[str, str], None]
"""``ended(call_id, reason)``: a call is over; ``reason`` as in a journal: ``agent: transfer``."""


@dataclass(slots=True)
class _Held:
    call: RecordedCall
    gone: asyncio.TimerHandle | None = None
    sounds: dict[int, str] = field(default_factory=dict)  # id of the Said -> its name


class RecordedCalls:
    """The register. Calls stay in it for a while after their end: webhooks come late. Set ``ended``
    to what else has to know of a call's end."""

    def __init__(self, open_call: Open) -> None:
        self.ended: Ended = lambda call_id, reason: None
        self._open = open_call
        self._held: dict[str, _Held] = {}
        self._sounds: dict[str, tuple[str, Said]] = {}
        self._ending: dict[asyncio.Task[None], str] = {}

    def __len__(self) -> int:
        return sum(not held.call.is_over for held in self._held.values())

    def open(self, announced: Announced) -> RecordedCall:
        """The call; the same one, if its webhook is repeated. One that was put through may come
        back: then it is opened again."""
        held = self._held.get(announced.call_id)
        if held and held.call.is_over and announced.opening not in _FIRST_LINES:
            self._forget(announced.call_id)
            held = None
        if held is None:
            held = self._held[announced.call_id] = _Held(self._open(announced))
        self._expect_more(held)
        return held.call

    def turns(self, call_id: str) -> tuple[Turn, ...]:
        """What was said so far in a call."""
        held = self._held.get(call_id)
        return tuple(held.call.history) if held else ()

    def state(self, call_id: str) -> tuple[str, str] | None:
        """What caller and agent are doing in a call that goes on."""
        held = self._held.get(call_id)
        return held.call.state if held and not held.call.is_over else None

    def find(self, call_id: str) -> RecordedCall | None:
        """A call that goes on, or has just ended."""
        held = self._held.get(call_id)
        if held is None:
            return None
        self._expect_more(held)
        return held.call

    def sound(self, call: RecordedCall, said: Said) -> str:
        """The name under which a sound can be fetched: 128 random bits, which only the carrier is
        told."""
        names = self._held[call.call_id].sounds
        name = names.get(id(said))
        if name is None:
            name = names[id(said)] = secrets.token_hex(16)
            self._sounds[name] = (call.call_id, said)
        return name

    def fetch(self, name: str) -> bytes | None:
        """The sound of this name as a WAV file; its call is told."""
        call_id, said = self._sounds.get(name, ("", None))
        if said is None:
            return None
        if held := self._held.get(call_id):
            held.call.fetched(said)
        return wav(said.audio)

    def leave(self, call_id: str, reason: str) -> bool:
        """The carrier says that the call is over; False if it is none of ours."""
        held = self._held.get(call_id)
        if held is None or held.call.is_over:
            return False
        if held.gone:
            held.gone.cancel()
        held.call.leave()
        loop = asyncio.get_running_loop()
        held.gone = loop.call_later(LEAVES_WITHIN_S, self.end, call_id, reason)
        return True

    def end(self, call_id: str, reason: str) -> None:
        """The call is over. Asked again, nothing happens."""
        held = self._held.get(call_id)
        if held is None or held.call.is_over:
            return
        held.call.stop(reason)
        task = asyncio.create_task(held.call.settle(), name=f"{call_id}/end")
        self._ending[task] = call_id
        task.add_done_callback(self._ending.pop)
        if held.gone:
            held.gone.cancel()
        held.gone = asyncio.get_running_loop().call_later(KEPT_S, self._forget_held, held)
        self.ended(call_id, reason)

    def let_go(self, call_id: str) -> None:
        """The carrier asks what is next: what was said last is over, and with it a call that is put
        through."""
        held = self._held.get(call_id)
        if held is not None and held.call.is_put_through:
            self.end(call_id, "agent: transfer")

    async def settled(self, call_id: str) -> None:
        """Until the books of an earlier part of the call are closed: it has come back."""
        if ending := [task for task, whose in self._ending.items() if whose == call_id]:
            await asyncio.wait(ending, timeout=SETTLED_WITHIN_S)

    async def close(self, reason: str) -> None:
        """End all calls and wait for it."""
        for call_id in list(self._held):
            self.end(call_id, reason)
        await asyncio.gather(*tuple(self._ending), return_exceptions=True)
        for call_id in list(self._held):
            self._forget(call_id)

    def _expect_more(self, held: _Held) -> None:
        if held.call.is_over:
            return
        if held.gone:
            held.gone.cancel()
        loop, call_id = asyncio.get_running_loop(), held.call.call_id
        held.gone = loop.call_later(GONE_AFTER_S, self.end, call_id, "caller: gone")

    def _forget_held(self, held: _Held) -> None:
        if self._held.get(held.call.call_id) is held:
            self._forget(held.call.call_id)

    def _forget(self, call_id: str) -> None:
        held = self._held.pop(call_id, None)
        if held is None:
            return
        if held.gone:
            held.gone.cancel()
        for name in held.sounds.values():
            self._sounds.pop(name, None)
