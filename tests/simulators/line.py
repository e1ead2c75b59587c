"""What a telephone line does to the caller's audio on its way to the server. Pure and seeded.

A stretch of caller audio that travels in one media message is called a packet here: on a clean line
it is one 20 ms frame, but other sizes can be asked for.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np

from tests.simulators.mulaw import BYTES_PER_MS, RATE, Pcm, to_pcm

NOISE_SECONDS = 10
_NOMINAL_LEVEL = 1640.0  # rms of active speech on a telephone line, about -26 dBFS


@dataclass(frozen=True, slots=True)
class LineConditions:
    """How bad the line is. Probabilities are per packet; the default is a clean line.

    ``jitter_ms``: the latest that a packet may be; one late packet holds up those behind it,
    which then arrive in a burst. ``loss`` leaves a hole in the timestamps. ``dtx``: no packets at
    all while the caller is silent. ``snr_db``: pink noise, so many dB under the caller's voice.
    """

    jitter_ms: float = 0.0
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    dtx: bool = False
    snr_db: float | None = None
    packet_bytes: int = 160
    seed: int = 0

    def __post_init__(self) -> None:
        if self.packet_bytes < 1:
            raise ValueError("packet_bytes must be at least 1")
        for name in ("loss", "duplicate", "reorder"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability: 0 to 1")

    @property
    def packet_ms(self) -> float:
        """How long one packet sounds."""
        return self.packet_bytes / BYTES_PER_MS


CLEAN_LINE = LineConditions()


@dataclass(frozen=True, slots=True)
class Transit:
    """How one packet travels: when it leaves, how often (0: lost), if the next one overtakes it."""

    leaves_ms: float
    copies: int = 1
    overtaken: bool = False


class Line:
    """Carries packets. The same conditions and seed always give the same fate."""

    def __init__(self, conditions: LineConditions) -> None:
        self._conditions = conditions
        self._random = random.Random(conditions.seed)
        self._last_ms = 0.0

    def carry(self, packet: int) -> Transit:
        """The fate of packet number ``packet`` (from 0, in order).

        It leaves no earlier than its last sample was spoken, at ``(packet + 1) * packet_ms``.
        """
        conditions, chance = self._conditions, self._random.random
        leaves = (packet + 1) * conditions.packet_ms
        if conditions.jitter_ms:
            # The eighth power makes most packets nearly punctual and few very late.
            leaves += conditions.jitter_ms * chance() ** 8
        self._last_ms = max(self._last_ms, leaves)
        copies = 1
        if conditions.loss and chance() < conditions.loss:
            copies = 0
        elif conditions.duplicate and chance() < conditions.duplicate:
            copies = 2
        overtaken = bool(conditions.reorder) and chance() < conditions.reorder
        return Transit(self._last_ms, copies, overtaken)


def background_noise(snr_db: float, voice_level: float | None, seed: int) -> Pcm:
    """Ten seconds of pink noise of 300-3400 Hz, to be repeated.

    ``voice_level`` is the rms of the caller's active speech; None stands for -26 dBFS.
    """
    count = NOISE_SECONDS * RATE
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    band = (frequency >= 300) & (frequency <= 3400)
    shape = np.where(band, 1 / np.sqrt(np.maximum(frequency, 1.0)), 0.0)
    noise = np.fft.irfft(spectrum * shape, count)
    level = (voice_level or _NOMINAL_LEVEL) / 10 ** (snr_db / 20)
    noise *= level / np.sqrt(np.mean(noise**2))
    return to_pcm(noise)


def mix(voice: Pcm, noise: Pcm, at_sample: int) -> Pcm:
    """The voice with the repeating noise under it, as it stands at ``at_sample`` of the call."""
    indexes = (at_sample + np.arange(len(voice))) % len(noise)
    return to_pcm(voice.astype(np.int32) + noise[indexes])
