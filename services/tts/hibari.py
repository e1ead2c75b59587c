"""Hibari, the embedded voice (US English, Apache-2.0): small enough to speak faster than a vendor.

A sentence of ten words takes some 20 ms of one core. What comes out at 24 kHz for headphones is
made fit for a telephone: 8 kHz, no boom, loud enough, and without the third of a second of silence
with which the voice begins.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator

import numpy as np

from services.audio.models import ModelMissing, packaged_file, verified
from services.audio.mulaw import RATE_HZ, SILENCE, Samples, encode_samples
from services.audio.resample import resample
from services.audio.workers import Workers
from services.tts import Say, SpokenAudio
from services.tts.speakable import speakable

_SHA256 = "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8"
_SEED = 7  # of the breath noise: the same text always sounds the same
_HIGH_PASS_HZ = 180  # half of the voice's power lies below 300 Hz, where telephones only rattle
_HIGH_PASS_ORDER = 4
_GAIN = 1.6  # 4 dB: towards the level of recorded telephone prompts
_KNEE = 0.7  # peaks above this are rounded off, not clipped
_AUDIBLE = 0.003  # of full scale, -50 dB
_LEAD_MS = 20  # silence kept before the first sound ...
_TAIL_MS = 250  # ... and after the last one: the pause between sentences
_SHORT = 80  # characters: a phrase up to this is rendered in one go
_CACHE_BYTES = 8_000_000  # 16 minutes

_SENTENCE_END = re.compile(r"(?<=\w{4}[.!?])\s+(?=[A-Z])")
"""Where long text is cut. Four letters before the mark: "Mrs." and "p.m." do not end a sentence."""


class HibariVoice:
    """The voice of all calls; it renders in the workers."""

    name = "hibari"

    def __init__(self, workers: Workers) -> None:
        """Loads the model. Raises ModelMissing."""
        model = verified(packaged_file("hibari", "assets/hibari.onnx"), _SHA256)
        try:
            from hibari import SAMPLE_RATE, Hibari  # not on every machine

            self._hibari = Hibari(model=str(model))
        except ImportError as error:
            raise ModelMissing(f"{error.name} is not installed") from error
        self._rate_hz: int = SAMPLE_RATE
        self._workers = workers
        self._cache: OrderedDict[str, bytes] = OrderedDict()
        self._cached_bytes = 0

    async def warm(self) -> None:
        """Load what the first sentence would have to wait for (a quarter of a second)."""
        await self.render("Hello.")

    async def run(self) -> None:
        """Nothing is kept open for a call."""
        await asyncio.Event().wait()

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        """Render the phrases, sentence by sentence if they are long: audio shall begin early."""
        async for phrase in phrases:
            for sentence in _sentences(phrase):
                say(SpokenAudio(await self.render(sentence), sentence))

    def spoken(self, text: str) -> str:
        """What is said for ``text``; empty if there is nothing to say."""
        return speakable(text)

    async def render(self, text: str) -> bytes:
        """All of ``text`` as mu-law, at least one frame; out of the cache if it is there."""
        said = self.spoken(text)
        if not said:
            return SILENCE
        if said in self._cache:
            self._cache.move_to_end(said)
            return self._cache[said]
        audio = await self._workers.run(self._synthesise, said)
        self._keep(said, audio)
        return audio

    def _synthesise(self, said: str) -> bytes:
        sound = self._hibari(said, seed=_SEED)
        if not sound.size:
            return SILENCE
        sound = _trim(_without_boom(resample(sound, self._rate_hz, RATE_HZ)))
        return encode_samples(_limit(sound * _GAIN)) or SILENCE

    def _keep(self, said: str, audio: bytes) -> None:
        if said not in self._cache:
            self._cached_bytes += len(audio)
        self._cache[said] = audio
        while self._cached_bytes > _CACHE_BYTES:
            _, dropped = self._cache.popitem(last=False)
            self._cached_bytes -= len(dropped)


def _sentences(phrase: str) -> list[str]:
    """The phrase in parts that, joined, are the phrase: spaces stay with the sentence before."""
    if len(phrase) <= _SHORT:
        return [phrase]
    cuts = [0, *(match.end() for match in _SENTENCE_END.finditer(phrase)), len(phrase)]
    return [phrase[start:end] for start, end in zip(cuts, cuts[1:], strict=False)]


def _without_boom(sound: Samples) -> Samples:
    """A high-pass without delay: the amplitude response of a Butterworth filter."""
    size = 1 << len(sound).bit_length()  # a power of two is fast, and leaves room for the echo
    frequency = np.fft.rfftfreq(size, 1 / RATE_HZ)
    with np.errstate(divide="ignore"):
        response = 1 / np.sqrt(1 + (_HIGH_PASS_HZ / frequency) ** (2 * _HIGH_PASS_ORDER))
    filtered = np.fft.irfft(np.fft.rfft(sound, size) * response, size)
    return filtered[: len(sound)].astype(np.float32)


def _trim(sound: Samples) -> Samples:
    """The sound from just before its first to a pause after its last audible sample."""
    audible = np.flatnonzero(np.abs(sound) > _AUDIBLE)
    if not audible.size:
        return sound[:0]
    start = max(0, int(audible[0]) - _LEAD_MS * RATE_HZ // 1000)
    return sound[start : int(audible[-1]) + _TAIL_MS * RATE_HZ // 1000]


def _limit(sound: Samples) -> Samples:
    """Above the knee, ever more softly up to full scale."""
    size = np.abs(sound)
    rounded = _KNEE + (1 - _KNEE) * np.tanh((size - _KNEE) / (1 - _KNEE))
    return np.where(size > _KNEE, np.sign(sound) * rounded, sound).astype(np.float32)
