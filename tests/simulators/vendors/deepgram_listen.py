"""What Deepgram's v1 socket does with audio and commands: results, finals, Finalize, CloseStream.

Results cover the audio from the last final one on; ``is_final`` means that its range will not
change, ``speech_final`` that a pause ended the speech (facts 1.4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.simulators.vendors.deepgram_answers import metadata, results
from tests.simulators.vendors.deepgram_ears import Stretch, Word
from tests.simulators.vendors.deepgram_query import ListenQuery, too_many_keyterms
from tests.simulators.vendors.deepgram_socket import Message
from tests.simulators.vendors.deepgram_stream import Link, LinkedStream

INTERIM_S = 1.0
"""Interim results come about once in so many seconds of speech."""
WINDOW_S = 5.0
"""Longer speech, or silence, is made final in pieces. Undocumented; clients must bear it."""

_NEVER = float("inf")


class ListenStream(LinkedStream):
    """One v1 stream."""

    commands = frozenset({"KeepAlive", "Finalize", "CloseStream", "Configure"})

    def __init__(
        self,
        query: ListenQuery,
        link: Link,
        *,
        empty_finalize: bool = False,
    ) -> None:
        """``empty_finalize``: a Finalize with nothing to flush is answered, too."""
        super().__init__(link)
        self._query = query
        self._empty_finalize = empty_finalize
        self._pending: list[Stretch] = []
        self._final_until = 0.0
        self._interim_at = _NEVER
        self._utterance_end_at = _NEVER
        self._last_word_end = 0.0
        self._configuring: asyncio.TimerHandle | None = None

    # --- audio ------------------------------------------------------------------------------------

    def _hear(self, stretch: Stretch) -> None:
        if not self._pending:
            self._interim_at = stretch.start + INTERIM_S
        self._pending.append(stretch)
        self._utterance_end_at = _NEVER
        if self._query.vad_events:
            message = {"type": "SpeechStarted", "channel": [0, 1], "timestamp": stretch.start}
            self._outbox.put(lambda: message, self._latencies.interim_ms)

    def _tick(self) -> None:
        ears, now = self._ears, self._ears.now
        pause_ms = self._query.endpointing_ms
        if self._pending and ears.stretch is None:
            if pause_ms is not None and ears.quiet_ms >= max(pause_ms, ears.gap_ms):
                self._final(speech_final=True)
            elif pause_ms is None and now - self._final_until >= WINDOW_S:
                self._final(speech_final=False)
        elif now - self._final_until >= WINDOW_S:
            self._window()
        if now >= self._interim_at:
            self._interim()
        if now >= self._utterance_end_at:
            self._utterance_end_at = _NEVER
            end = {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": self._last_word_end}
            self._outbox.put(lambda: end, self._latencies.interim_ms)

    def _interim(self) -> None:
        now = self._ears.now
        self._interim_at = now + INTERIM_S
        words = [word for stretch in self._pending for word in stretch.words(now)]
        if self._query.interim_results and words:
            message = self._results(words, self._final_until, now)
            self._outbox.put(lambda: message, self._latencies.interim_ms)

    def _window(self) -> None:
        """Long speech, or long silence, up to here: it will not change."""
        now, stretch = self._ears.now, self._ears.stretch
        if any(one.text is None for one in self._pending):
            return  # the recogniser wants the whole stretch
        words: list[Word] = []
        for one in self._pending:
            known = one.words(now)
            one.give(known)
            words += known
        message = self._results(words, self._final_until, now, is_final=True)
        over = [one for one in self._pending if one is not stretch]
        self._outbox.put_final(lambda: message, self._latencies.final_ms, self._ears, over)
        self._pending = [stretch] if stretch is not None else []
        self._final_until = now
        self._await_utterance_end(over)

    def _await_utterance_end(self, over: Sequence[Stretch]) -> None:
        """UtteranceEnd counts from the last word, whatever ``endpointing`` says."""
        if over and self._ears.stretch is None:
            self._last_word_end = over[-1].end
            if self._query.utterance_end_ms is not None:
                self._utterance_end_at = self._last_word_end + self._query.utterance_end_ms / 1000

    def _final(self, *, speech_final: bool, from_finalize: bool = False) -> None:
        """All words up to here, for good."""
        start, now = self._final_until, self._ears.now
        stretches, self._pending = self._pending, []
        self._final_until = now
        self._interim_at = _NEVER
        self._await_utterance_end(stretches)

        def build() -> Message:
            words = [word for stretch in stretches for word in stretch.words()]
            return self._results(
                words,
                start,
                now,
                is_final=True,
                speech_final=speech_final,
                from_finalize=from_finalize,
            )

        self._outbox.put_final(build, self._latencies.final_ms, self._ears, stretches)

    def _results(self, words: Sequence[Word], start: float, end: float, **flags: bool) -> Message:
        return results(self._query, self._request_id, words, start, end, **flags)

    # --- commands ---------------------------------------------------------------------------------

    def _obey(self, kind: str, message: dict[str, Any], data: str) -> None:
        if kind == "Finalize":
            self._finalize()
        elif kind == "CloseStream":
            self._close_stream()
        elif kind == "Configure":
            self._configure(data, message)

    def _refuse(self, data: str) -> None:
        error = {
            "type": "Error",
            "variant": "SchemaError",
            "description": "Could not parse the text message",
            "message": data,
        }
        self._outbox.put(lambda: error, 0)

    def _finalize(self) -> None:
        self._ears.end()
        if self._pending or self._empty_finalize:
            self._final(speech_final=True, from_finalize=True)

    def _close_stream(self) -> None:
        """The rest, the metadata, and the close."""
        self._closed = True
        self._ears.end()
        if self._pending:
            self._final(speech_final=True)
        sha256 = f"{self._ears.received:064x}"  # nobody looks at it
        message = metadata(self._query, self._request_id, sha256, self._ears.now)
        self._outbox.put(lambda: {"type": "Metadata"} | message, self._latencies.final_ms)
        self._outbox.close(1000)

    def _configure(self, data: str, message: dict[str, Any]) -> None:
        """New key terms, or features: one request at a time (facts 1.3)."""
        terms, features = message.get("keyterms"), message.get("features")
        if not _is_texts(terms) or not _is_switches(features):
            self._told.wrong("ill-formed Configure")
            self._refuse(data)
        elif self._configuring is not None:
            self._refuse_configure("ALREADY_PENDING", "another Configure is still pending")
        elif terms is not None and not self._query.has_keyterms:
            self._refuse_configure("KEYTERMS_NOT_SUPPORTED", "only nova-3 has key terms")
        elif too_many_keyterms(terms or []):
            self._refuse_configure("KEYTERM_LIMIT_EXCEEDED", "more than 500 tokens")
        else:
            done: Message = {"type": "ConfigureSuccess", "request_id": self._request_id}
            if terms is not None:
                done["keyterms"] = terms
            loop, delay_ms = asyncio.get_running_loop(), self._latencies.interim_ms
            self._configuring = loop.call_later(delay_ms / 1000, self._configured, done)

    def _configured(self, done: Message) -> None:
        self._configuring = None
        self._outbox.put(lambda: done, 0)

    def _refuse_configure(self, code: str, why: str) -> None:
        failure = {
            "type": "ConfigureFailure",
            "request_id": self._request_id,
            "code": f"CONFIGURE_{code}",
            "description": why,
        }
        self._told.wrong(f"Configure: {why}")
        self._outbox.put(lambda: failure, 0)


def _is_texts(value: object) -> bool:
    return value is None or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    )


def _is_switches(value: object) -> bool:
    return value is None or (
        isinstance(value, dict) and all(isinstance(item, bool) for item in value.values())
    )
