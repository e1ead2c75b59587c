"""Flux's turns by place in the call, and which of their words were given. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from services.stt.deepgram_wire import TurnEvent, TurnInfo


class FluxTurns:
    """The turns of one call that have ended and were not given, and the one that is running."""

    def __init__(self) -> None:
        self.reach = 0
        """The place up to which Flux has heard."""
        self.ended_to = 0
        """The place where its last turn ended."""
        self.given = 0
        """Words from before this place were given, or are not wanted."""
        self._ended: list[tuple[TurnInfo, int]] = []  # with the place where its socket began
        self._running: tuple[TurnInfo, int] | None = None

    @property
    def running(self) -> str:
        """The words so far of the turn that has not ended."""
        return self._text([self._running]) if self._running else ""

    @property
    def text(self) -> str:
        """All words not given yet."""
        return self._text([*self._ended, *([self._running] if self._running else [])])

    @property
    def done_to(self) -> int:
        """The place before which all turns have ended, or are not wanted."""
        return max(self.ended_to, self.given)

    def add(self, info: TurnInfo, base: int) -> None:
        """The socket's audio begins at the place ``base``."""
        self.reach = base + info.end
        self._running = None
        if info.event is TurnEvent.END:
            self._ended.append((info, base))
            self.ended_to = self.reach
        elif info.text:
            self._running = info, base

    def take(self) -> str:
        """The words of the turns that have ended, which are given by this."""
        text = self._text(self._ended)
        self._ended.clear()
        return text

    def skip(self, place: int) -> None:
        """Words from before this place were had elsewhere, or are not wanted."""
        self.given = max(self.given, place)

    def socket_lost(self) -> None:
        """The turn that is running will be heard again, from another socket."""
        self._running = None

    def _text(self, turns: Sequence[tuple[TurnInfo, int]]) -> str:
        texts = (info.text_after(self.given - base) for info, base in turns)
        return " ".join(text for text in texts if text)
