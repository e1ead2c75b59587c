"""The utterances whose words a live recogniser still owes, and their clocks."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stop:
    """An utterance that ended at a place of the audio. ``is_waiting``: it was not answered yet,
    neither with words nor with a failure."""

    utterance: int
    place: int
    is_waiting: bool = True
    clocks: list[asyncio.TimerHandle] = field(default_factory=list)

    def stop_clocks(self) -> None:
        """None of them goes off."""
        for clock in self.clocks:
            clock.cancel()
        self.clocks.clear()

    def give_up_waiting(self) -> None:
        """The utterance needs no words any more, at least not in a hurry."""
        self.is_waiting = False
        self.stop_clocks()


class Owed:
    """The utterances of one call that have ended and have no words yet, in order."""

    def __init__(self) -> None:
        self.answered = 0
        """The last utterance that has its words."""
        self._stops: deque[Stop] = deque()

    @property
    def waiting(self) -> list[Stop]:
        """Those that nobody has answered, not even with a failure."""
        return [stop for stop in self._stops if stop.is_waiting]

    @property
    def is_clear(self) -> bool:
        """Whether all that have ended have words."""
        return not self._stops

    def stopped(self, utterance: int, place: int) -> Stop:
        """An utterance ended here."""
        stop = Stop(utterance, place)
        self._stops.append(stop)
        return stop

    def after(self, stop: Stop, ms: int, then: Callable[[Stop], None]) -> None:
        """Call ``then`` if the utterance still waits in so many milliseconds."""
        loop = asyncio.get_running_loop()
        stop.clocks.append(loop.call_later(ms / 1000, then, stop))

    def no_hurry(self) -> None:
        """The caller speaks on: those that wait can wait for the next one to end."""
        for stop in self._stops:
            stop.stop_clocks()

    def settle(self, utterance: int) -> int:
        """All up to this utterance have their words. Where the last of them ended; 0: nothing
        was owed."""
        place = 0
        while self._stops and self._stops[0].utterance <= utterance:
            stop = self._stops.popleft()
            place = stop.place
            stop.give_up_waiting()
        self.answered = max(self.answered, utterance)
        return place

    def forget_failed(self) -> int:
        """Nobody wants the words of utterances any more that failed before all that wait. Where
        the last of them ended; 0: there was none."""
        place = 0
        while self._stops and not self._stops[0].is_waiting:
            place = self.settle(self._stops[0].utterance)
        return place

    def close(self) -> None:
        """The call is over: no clock goes off."""
        for stop in self._stops:
            stop.give_up_waiting()
