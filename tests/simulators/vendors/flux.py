"""What Deepgram's Flux socket (``/v2/listen``) does: turns of one speaker, found by the model.

All of its time is audio received: if no audio comes, no turn ends (facts 1.6 and
developers.deepgram.com/docs/flux/state).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.simulators.vendors.deepgram_ears import Stretch, Word
from tests.simulators.vendors.deepgram_query import FLUX_LIMITS, BadQuery, FluxQuery, flux_changes
from tests.simulators.vendors.deepgram_socket import Message
from tests.simulators.vendors.deepgram_stream import Link, LinkedStream

UPDATE_S = 0.25
"""An Update comes after so much audio in which nothing else was said."""

_SPEAKING = 0.05
_MOST = 0.99
_CONFIDENCE = 0.97


@dataclass(frozen=True, slots=True)
class Turns:
    """How the model decides that a turn is over: its confidence grows evenly with the silence."""

    end_ms: float = 260
    """The silence in which the confidence reaches 0.7. It ends below 1."""

    def confidence(self, quiet_ms: float) -> float:
        """That no more speech is coming."""
        return max(_SPEAKING, min(_MOST, 0.7 * quiet_ms / self.end_ms))


class FluxStream(LinkedStream):
    """One Flux stream: between turns, in a turn, or (after EagerEndOfTurn) awaiting its end."""

    commands = frozenset({"CloseStream", "ForceEndTurn", "Configure"})

    def __init__(
        self,
        query: FluxQuery,
        link: Link,
        turns: Turns,
    ) -> None:
        super().__init__(link)
        self._query = query
        self._turns = turns
        self._sequence = 0
        self._turn = 0
        self._turn_from = 0.0
        self._started = False
        self._eager: str | None = None
        """What was said when EagerEndOfTurn came; None in the other states."""
        self._stretches: list[Stretch] = []
        self._forced: list[Stretch] | None = None
        """What ForceEndTurn came after, until the recogniser has said what it was."""
        self._update_at = UPDATE_S
        self._outbox.put(lambda: self._numbered({"type": "Connected"}), 0)

    # --- audio ------------------------------------------------------------------------------------

    def _hear(self, stretch: Stretch) -> None:
        self._stretches.append(stretch)

    def _tick(self) -> None:
        now = self._ears.now
        if self._stretches:
            self._follow(now)
        if now >= self._update_at:
            self._tell("Update")

    def _follow(self, now: float) -> None:
        """Somebody speaks, or has spoken since the last turn."""
        words = self._words()
        if self._eager is not None and _text(words) != self._eager:
            self._eager = None
            self._tell("TurnResumed")
        if words and not self._started:
            self._started = True
            self._tell("StartOfTurn")
        if self._forced is not None:
            if all(stretch.text is not None for stretch in self._forced):
                self._end("manual", self._forced)
        elif any(stretch.open or stretch.text is None for stretch in self._stretches):
            if self._eager is not None and self._speaks():
                self._eager = None
                self._tell("TurnResumed")
        elif not words:
            self._forget(self._stretches)  # it was noise
            self._stretches = []
        else:
            self._await_end()

    def _speaks(self) -> bool:
        """Whether what is being said has words; that of a recogniser may."""
        stretch = self._ears.stretch
        return stretch is not None and stretch.text != ""

    def _await_end(self) -> None:
        """Silence after the words of a turn."""
        quiet_ms, query = self._ears.quiet_ms, self._query
        sure = self._turns.confidence(quiet_ms)
        if sure >= query.eot_threshold:
            self._end("model", self._stretches)
        elif quiet_ms >= query.eot_timeout_ms:
            self._end("timeout", self._stretches)
        elif (
            query.eager_eot_threshold is not None
            and sure >= query.eager_eot_threshold
            and self._eager is None
        ):
            self._eager = _text(self._words())
            self._tell("EagerEndOfTurn")

    def _end(self, trigger: str, stretches: Sequence[Stretch]) -> None:
        words = [word for stretch in stretches for word in stretch.words()]
        self._forced = None
        if words:
            self._tell("EndOfTurn", trigger=trigger, words=words, of=list(stretches))
            self._turn += 1
            self._turn_from = self._ears.now
        else:
            self._forget(stretches)
        self._stretches = [stretch for stretch in self._stretches if stretch not in stretches]
        self._started, self._eager = False, None

    def _forget(self, stretches: Sequence[Stretch]) -> None:
        for stretch in stretches:
            self._ears.forget(stretch)

    def _words(self) -> list[Word]:
        stretches = self._stretches if self._forced is None else self._forced
        now = self._ears.now
        return [word for stretch in stretches for word in stretch.words(now)]

    # --- messages ---------------------------------------------------------------------------------

    def _tell(
        self,
        event: str,
        *,
        trigger: str = "",
        words: list[Word] | None = None,
        of: Sequence[Stretch] = (),
    ) -> None:
        """A TurnInfo with what is known now. ``of``: the stretches that it ends."""
        now = self._ears.now
        self._update_at = now + UPDATE_S
        info = self._info(event, self._words() if words is None else words, now)
        if trigger:
            info["trigger"] = trigger
        late = event in {"EagerEndOfTurn", "EndOfTurn"}
        delay_ms = self._latencies.final_ms if late else self._latencies.interim_ms
        self._outbox.put_final(lambda: self._numbered(info), delay_ms, self._ears, of)

    def _info(self, event: str, words: Sequence[Word], now: float) -> Message:
        speaking = self._ears.stretch is not None or not words
        sure = _SPEAKING if speaking else self._turns.confidence(self._ears.quiet_ms)
        info: Message = {
            "type": "TurnInfo",
            "event": event,
            "turn_index": self._turn,
            "audio_window_start": round(self._turn_from, 6),
            "audio_window_end": round(now, 6),
            "transcript": _text(words),
            "words": [
                {"word": word.text, "confidence": _CONFIDENCE, "start": word.start, "end": word.end}
                for word in words
            ],
            "end_of_turn_confidence": round(sure, 4),
        }
        if self._query.model == "flux-general-multi":
            info["languages"] = ["en"] if words else []
        if self._query.hints:
            info["languages_hinted"] = list(self._query.hints)
        return info

    def _numbered(self, message: Message) -> Message:
        """With its place among all messages; called when it is sent."""
        message |= {"request_id": self._request_id, "sequence_id": self._sequence}
        self._sequence += 1
        return message

    # --- commands ---------------------------------------------------------------------------------

    def _obey(self, kind: str, message: dict[str, Any], data: str) -> None:
        if kind == "ForceEndTurn":
            self._force()
        elif kind == "CloseStream":
            self._close_stream()
        else:
            self._configure(message)

    def _refuse(self, data: str) -> None:
        """An Error is fatal; with which code the socket is closed is not documented."""
        self._closed = True
        why = f"not a command: {data[:80]}"
        error = {"type": "Error", "code": "UNPARSABLE_CLIENT_MESSAGE", "description": why}
        self._outbox.put(lambda: self._numbered(error), 0)
        self._outbox.close(1008, "UNPARSABLE_CLIENT_MESSAGE")

    def _force(self) -> None:
        """End the turn here; without a turn nothing happens."""
        self._ears.end()
        if not self._stretches or self._forced is not None:
            return
        self._forced = list(self._stretches)
        for stretch in self._forced:
            if stretch.recogniser is not None:
                stretch.recogniser.add_done_callback(lambda _: self._recognised())
        self._follow(self._ears.now)

    def _recognised(self) -> None:
        if self._forced is not None and not self._closed:
            self._follow(self._ears.now)

    def _close_stream(self) -> None:
        """The last Update, and a close without a code; the turn is not ended."""
        self._closed = True
        self._ears.end()
        stretches, now = list(self._stretches), self._ears.now

        def build() -> Message:
            words = [word for stretch in stretches for word in stretch.words()]
            return self._numbered(self._info("Update", words, now))

        self._outbox.put(build, self._latencies.final_ms, stretches)
        self._outbox.close(None)

    def _configure(self, message: dict[str, Any]) -> None:
        try:
            self._query = query = flux_changes(self._query, message)
        except BadQuery as error:
            why = str(error)
            self._told.wrong(f"Configure: {why}")
            failure = {"type": "ConfigureFailure", "code": "INVALID_CONFIGURATION"}
            self._outbox.put(lambda: self._numbered({**failure, "description": why}), 0)
            return
        done: Message = {
            "type": "ConfigureSuccess",
            "thresholds": {name: getattr(query, name) for name in FLUX_LIMITS},
            "keyterms": list(query.keyterms),
            "language_hints": list(query.hints),
            "numerals": query.numerals,
        }
        self._outbox.put(lambda: self._numbered(done), self._latencies.interim_ms)


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
