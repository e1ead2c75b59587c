"""Eager replies, counted: folds over the journals' entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from services.call.effects import CancelReply, CommitReply, Effect, StartReply
from services.call.events import Event, VendorStep


@dataclass(slots=True)
class EagerCount:
    """Replies begun before the turn was certain to be over. Those neither ``used`` nor ``dropped``
    are still waiting. ``wasted_tokens``: what those dropped have cost, prompt and answer; where
    the vendor has not told, it is an estimate."""

    begun: int = 0
    used: int = 0
    dropped: int = 0
    wasted_tokens: int = 0


class EagerFold:
    """Feed it every entry of a call. ``total``: a count of all calls, which is kept as well."""

    def __init__(self, total: EagerCount | None = None) -> None:
        self.count = EagerCount()
        self.total = total
        self._counts = (self.count,) if total is None else (self.count, total)
        self._spent: dict[int, int] = {}
        """Of the replies that wait for the end of their turn: the tokens they have cost so far."""
        self._dropped: set[int] = set()

    def feed(self, event: Event, effects: Sequence[Effect]) -> None:
        """Take in one entry. It is called for every event of every call: most change nothing."""
        if isinstance(event, VendorStep) and event.tokens:
            self._pay(event.reply, event.tokens)
        for effect in effects:
            if type(effect) in _OF_INTEREST:
                self._follow(effect)

    def _pay(self, reply: int, tokens: int) -> None:
        """The bill of a reply; often it comes after the reply was dropped."""
        if reply in self._spent:
            self._spent[reply] += tokens
        elif reply in self._dropped:
            for count in self._counts:
                count.wasted_tokens += tokens

    def _follow(self, effect: Effect) -> None:
        match effect:
            case StartReply(reply=reply, is_eager=True):
                self._spent[reply] = 0
                for count in self._counts:
                    count.begun += 1
            case CommitReply(reply=reply) if self._spent.pop(reply, None) is not None:
                for count in self._counts:
                    count.used += 1
            case CancelReply(reply=reply) if reply in self._spent:
                self._dropped.add(reply)
                for count in self._counts:
                    count.dropped += 1
                    count.wasted_tokens += self._spent[reply]
                del self._spent[reply]


_OF_INTEREST = frozenset({StartReply, CommitReply, CancelReply})
