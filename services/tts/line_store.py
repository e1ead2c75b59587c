"""Standing lines rendered ahead and kept on disk: greeting, apology, goodbye, FAQ answers.

A line that lies ready costs the caller no wait and the vendor no request. It is kept by what its
sound depends on: what is said for its text, and the renderer's name (voice, model, settings). A
full or broken disk costs only the next start some requests.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from services.audio.mulaw import BYTES_PER_MS, decode_samples
from services.tts import Reader, Renderer
from services.vendors import Reports, VendorError
from services.vendors.breaker import Breaker

log = logging.getLogger(__name__)

AT_A_TIME = 2
"""Renderings at once: vendors count concurrent requests, and callers come first."""
_FIRST_REST_S = 1.0  # after a failure; then twice as long, up to
_LONGEST_REST_S = 60.0
_JUST_AFTER_S = 0.01
_LONGEST_BYTES = 300_000 * BYTES_PER_MS  # five minutes: no line is so long
_AUDIBLE = 0.003  # of full scale, -50 dB
_MOST_LEAD_BYTES = 40 * BYTES_PER_MS  # silence before the first sound that is left alone ...
_LEAD_BYTES = 20 * BYTES_PER_MS  # ... and what is left of a longer one


class LineStore:
    """The lines of one voice."""

    def __init__(
        self,
        folder: Path,
        renderer: Renderer,
        reports: Reports | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        """``reports`` is told of each failure. ``breaker``: that of the renderer's way to its
        vendor. It is told how each rendering ends: a caller need not try in vain what we tried."""
        self._folder = folder
        self._renderer = renderer
        self._reports = reports
        self._breaker = breaker
        self._warned = False
        self._rest_s = _FIRST_REST_S

    async def fill(
        self,
        texts: Iterable[str],
        into: dict[str, bytes],
        places: asyncio.Semaphore | None = None,
    ) -> None:
        """Put the audio (mu-law 8 kHz) of each text into ``into``, as soon as it is there.
        ``places`` are shared with others who are in no hurry; by default it has ``AT_A_TIME``.

        Returns when all are; tries until then. Raises nothing; cancel it to give up, what is there
        stays.
        """
        missing = [text for text in dict.fromkeys(texts) if text.strip() and text not in into]
        found = await asyncio.to_thread(lambda: [self._load(text) for text in missing])
        into.update((text, audio) for text, audio in zip(missing, found, strict=True) if audio)
        places = places or asyncio.Semaphore(AT_A_TIME)
        async with asyncio.TaskGroup() as tasks:
            for text in missing:
                if text not in into:
                    tasks.create_task(self._add(text, into, places), name="render line")

    async def _add(self, text: str, into: dict[str, bytes], places: asyncio.Semaphore) -> None:
        audio = b""
        while not audio:
            async with places:
                audio = await self._render(text)
                if audio:
                    self._rest_s = _FIRST_REST_S
                else:  # in its place: a vendor that is down is not asked for the other lines either
                    await asyncio.sleep(self._rest())
                    self._rest_s = min(_LONGEST_REST_S, self._rest_s * 2)
        into[text] = audio
        await asyncio.to_thread(self._keep, text, audio)

    def _rest(self) -> float:
        """How long to rest after a failure, s: no longer than until the breaker's next trial, which
        shall be ours and no caller's."""
        trial_in_s = self._breaker.trial_in_s if self._breaker else 0.0
        return min(self._rest_s, trial_in_s + _JUST_AFTER_S) if trial_in_s else self._rest_s

    async def _render(self, text: str) -> bytes:
        """The audio, or nothing."""
        if self._breaker:
            self._breaker.allows()  # ours may be the trial; nobody waits here, so it need not be
        try:
            audio = without_lead(await self._renderer.render(text))
        except VendorError as error:
            self._failed(error)
            return b""
        except Exception as error:  # no fault of the vendor: its breaker is left alone
            log.error("a standing line could not be rendered: %s", type(error).__name__)
            return b""
        if self._breaker:
            self._breaker.succeeded()
        return audio

    def _failed(self, error: VendorError) -> None:
        if self._reports:
            self._reports.failed(error)
        else:
            log.warning("a standing line could not be rendered yet: %s", error)
        if self._breaker:
            self._breaker.failed(error)

    # --- the disk ---------------------------------------------------------------------------------

    def _path(self, text: str) -> Path:
        reader = self._renderer
        said = reader.spoken(text) if isinstance(reader, Reader) else text
        name = hashlib.sha256(f"{reader.name}\0{said}".encode()).hexdigest()
        return self._folder / f"{name}.ulaw"

    def _load(self, text: str) -> bytes:
        """The audio as it was kept; nothing if there is none, or none that can be."""
        try:
            path = self._path(text)
            return path.read_bytes() if path.stat().st_size <= _LONGEST_BYTES else b""
        except FileNotFoundError:
            return b""
        except OSError as error:
            self._warn(error)
            return b""

    def _keep(self, text: str, audio: bytes) -> None:
        """Write it whole or not at all, for nobody else to read."""
        path = self._path(text)
        fresh = path.with_name(f".{path.stem}.{secrets.token_hex(4)}")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                with open(
                    os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
                ) as file:
                    file.write(audio)
                os.replace(fresh, path)
            finally:
                fresh.unlink(missing_ok=True)
        except OSError as error:
            self._warn(error)

    def _warn(self, error: OSError) -> None:
        if not self._warned:
            log.warning("standing lines cannot be kept on disk: %s", error.strerror)
        self._warned = True


def without_lead(audio: bytes) -> bytes:
    """Audio without the silence before its first sound, if that is more than 40 ms."""
    audible = np.flatnonzero(np.abs(decode_samples(audio)) > _AUDIBLE)
    if not audible.size or audible[0] <= _MOST_LEAD_BYTES:
        return audio
    return audio[int(audible[0]) - _LEAD_BYTES :]
