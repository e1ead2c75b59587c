"""What the vendors' clients share: how a failure is told, and to whom.

A client never lets a vendor's own exception out: it raises :class:`VendorError`, with the vendor's
own code. Whoever has another way of doing the work catches it, tells the call through
:class:`Reports`, and goes that way.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from services.call.events import VendorEvent, VendorFailed, VendorStep

log = logging.getLogger(__name__)


class VendorError(Exception):
    """A vendor did not do what it was asked. Never holds a key or anybody's words.

    ``code``: the vendor's own code, if it gave one (``429``, ``NET-0001``, ``1011``,
    ``quota_exceeded``), else what we saw (``refused``, ``connect timeout``, ``first byte timeout``,
    ``stall``, ``malformed``).
    """

    def __init__(
        self, vendor: str, step: str, code: str, *, at_once: bool = False, only_here: bool = False
    ) -> None:
        super().__init__(f"{vendor}: {step}: {code}")
        self.vendor = vendor
        self.step = step
        self.code = code
        self.at_once = at_once
        """Asking again would fail, or take the same time, again: a refused key, a time-out."""
        self.only_here = only_here
        """What was asked was refused, not who asked: no other call need meet it."""


class Reports:
    """What the vendors did for one call. Tells the call's journal, and counts failures for all."""

    def __init__(self, failures: Counter[tuple[str, str]] | None = None) -> None:
        self._failures = failures if failures is not None else Counter()
        self._emit: Callable[[VendorEvent], None] | None = None
        self._early: list[VendorEvent] = []

    def attach(self, emit: Callable[[VendorEvent], None]) -> None:
        """From now on tell the call itself; what happened before is told now."""
        self._emit = emit
        for event in self._early:
            emit(event)
        self._early.clear()

    def step(
        self, vendor: str, step: str, reply: int = 0, *, tokens: int = 0, answer_tokens: int = 0
    ) -> None:
        """A vendor took a step, or was asked to. ``tokens``: what that has cost, prompt and answer;
        ``answer_tokens``: the answer alone."""
        self._tell(VendorStep(vendor, step, reply, tokens, answer_tokens))

    def failed(self, error: VendorError) -> None:
        """A vendor failed. Call it once for each failure, where it is dealt with."""
        self._failures[error.vendor, error.code] += 1
        log.warning("%s failed: %s: %s", error.vendor, error.step, error.code)
        self._tell(VendorFailed(error.vendor, error.step, error.code))

    def _tell(self, event: VendorEvent) -> None:
        if self._emit is None:
            self._early.append(event)
        else:
            self._emit(event)
