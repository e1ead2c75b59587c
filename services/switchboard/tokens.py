"""One-time tokens: a socket that no webhook and no talk page announced gets nothing.

A signature on the handshake proves where a socket comes from, but it carries no date and no number
and can be replayed for ever. So whoever announces a call gets a token for it, and the stream's
``start`` must bring it back. It is good once, for one call, for a short while.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.call.effects import Purpose, Turn
from services.call.events import words

Origin = Literal["twilio", "talk"]
"""Who announced the call: Twilio's webhook or the talk page."""

Direction = Literal["inbound", "outbound"]


@dataclass(frozen=True, slots=True)
class Announced:
    """A call that may open one stream.

    ``caller`` is the other person's number and ``called`` ours, whoever called whom. ``agent`` is
    the agent's id; empty: the one that answers ``called``. ``sid`` is the carrier's id of the call,
    if that is not ``call_id``. ``opening`` is what is said first, ``purpose`` what an outbound call
    is for, ``earlier`` what was said before the call came back from a transfer.
    """

    call_id: str
    caller: str = words()
    called: str = ""
    origin: Origin = "twilio"
    agent: str = ""
    sid: str = ""
    direction: Direction = "inbound"
    opening: Purpose = Purpose.GREETING
    purpose: str = words("")
    earlier: tuple[Turn, ...] = words(())

    @property
    def carrier_id(self) -> str:
        """The id under which the carrier knows the call."""
        return self.sid or self.call_id


@dataclass(frozen=True, slots=True)
class _Unused:
    call: Announced
    expires: float


class Tokens:
    """The tokens that were issued and neither used nor outlived; kept in memory, by one process.

    A token is 256 random bits, looked up in a dict by its hash: the time that takes tells nothing
    about the tokens in it, so no constant-time comparison is needed.
    """

    def __init__(
        self,
        lifetime_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
        limit: int = 10_000,
    ) -> None:
        """``clock`` gives seconds. Beyond ``limit`` unused tokens the oldest one gives way."""
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._limit = limit
        # Oldest first in both: all tokens live equally long.
        self._unused: dict[str, _Unused] = {}
        self._of_call: dict[tuple[Origin, str], str] = {}

    def issue(self, call_id: str, caller: str, called: str, origin: Origin) -> str:
        """:meth:`announce` for a call about which no more is known."""
        return self.announce(Announced(call_id, caller, called, origin))

    def announce(self, call: Announced) -> str:
        """A token for the call's stream, URL-safe, 43 characters.

        The same one again, its life begun anew, while it is unused: a carrier repeats a webhook
        when the answer was lost on the way. It then stands for what was announced last.
        """
        self._forget_expired()
        token = self._of_call.get((call.origin, call.call_id))
        if token is None:
            token = secrets.token_urlsafe(32)
        else:
            self._forget(token)
        if len(self._unused) >= self._limit:
            self._forget(next(iter(self._unused)))
        self._unused[token] = _Unused(call, self._clock() + self._lifetime_s)
        self._of_call[call.origin, call.call_id] = token
        return token

    def redeem(self, token: str, carrier_id: str, call_id: str = "") -> Announced | None:
        """Use up the token: the call it announced, or None if it is no good for this call.

        ``carrier_id`` is what the carrier calls the call; ``call_id`` what we do, if the stream's
        address told.
        """
        self._forget_expired()
        unused = self._unused.get(token)
        if unused is None or unused.call.carrier_id != carrier_id:
            return None
        if call_id and unused.call.call_id != call_id:
            return None
        self._forget(token)
        return unused.call

    def known(self, token: str, origin: Origin) -> bool:
        """Whether ``origin`` was issued this token and it is still good. Does not use it up."""
        self._forget_expired()
        unused = self._unused.get(token)
        return unused is not None and unused.call.origin == origin

    @property
    def unused(self) -> int:
        """How many tokens wait to be used."""
        return len(self._unused)

    def _forget_expired(self) -> None:
        now = self._clock()
        while self._unused:
            token = next(iter(self._unused))
            if now < self._unused[token].expires:
                return
            self._forget(token)

    def _forget(self, token: str) -> None:
        call = self._unused.pop(token).call
        del self._of_call[call.origin, call.call_id]
