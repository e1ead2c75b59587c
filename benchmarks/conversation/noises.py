"""Sounds that are no speech, made with numpy from a fixed seed. Nothing here is a recording.

They are crude, but have what a voice detector goes by: the spectrum, the attack, the rhythm and,
for a cleared throat, a fundamental. ``cough``: two bursts of noise of 250-3500 Hz, 15 ms of attack,
110 ms of decay, with some voice behind. ``throat``: pulses at 95 Hz through two formants.
``sniff``: a swelling hiss. ``click``: one knock of 6 ms. ``door``: a dull blow. ``keyboard``:
knocks of 1.5-3.8 kHz, six to nine a second, in bursts. ``street``: noise that falls by 6 dB an
octave with cars that swell and fade, and a horn now and then. ``babble`` and
``hack``, a cough with voice in it, are made in ``clips`` out of speech. Silero takes none of these
here for speech; ``hack`` and the grunts of the scenes it does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Wave = NDArray[np.float64]
BED_S = 20.0

_SEED = 4


def _noise(rng: np.random.Generator, seconds: float, low: float, high: float, tilt: float) -> Wave:
    """Noise of ``low`` to ``high`` Hz that falls with frequency to the power of ``tilt``."""
    count = int(seconds * RATE)
    frequency = np.fft.rfftfreq(count, 1 / RATE)
    inside = (frequency >= low) & (frequency <= high)
    shape = np.where(inside, np.maximum(frequency, 1.0) ** -tilt, 0.0)
    wave = np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * shape, count)
    return np.asarray(wave / np.sqrt(np.mean(wave**2)))


def _burst(wave: Wave, attack_s: float, decay_s: float) -> Wave:
    time = np.arange(len(wave)) / RATE
    return np.asarray(wave * np.minimum(time / attack_s, 1) * np.exp(-time / decay_s))


def _voice(rng: np.random.Generator, seconds: float, hz: float, formants: tuple[int, ...]) -> Wave:
    """A rough voice: irregular pulses through resonances."""
    count = int(seconds * RATE)
    pulses = np.zeros(count)
    at = 0.0
    while at < count:
        pulses[int(at)] = rng.uniform(0.6, 1.0)
        at += RATE / hz * rng.uniform(0.9, 1.1)
    time = np.arange(int(0.03 * RATE)) / RATE
    wave = sum(
        np.convolve(pulses, np.sin(2 * np.pi * f * time) * np.exp(-time * 2 * np.pi * 90))[:count]
        for f in formants
    )
    return np.asarray(wave / np.sqrt(np.mean(np.square(wave))))


def _cough(rng: np.random.Generator) -> Wave:
    parts = []
    for loud in (1.0, 0.7):
        hiss = _burst(_noise(rng, 0.28, 250, 3500, 0.5), 0.015, 0.07)
        behind = _burst(_voice(rng, 0.28, 140, (600, 1300)), 0.04, 0.06)
        parts += [loud * (hiss + 0.4 * behind), np.zeros(int(0.09 * RATE))]
    return np.concatenate(parts[:-1])


def _throat(rng: np.random.Generator) -> Wave:
    rough = _voice(rng, 0.42, 95, (500, 1100, 2300)) + 0.5 * _noise(rng, 0.42, 300, 3000, 0.5)
    return _burst(rough, 0.03, 0.25)


def _sniff(rng: np.random.Generator) -> Wave:
    wave = _noise(rng, 0.35, 900, 3600, 0.0)
    return np.asarray(0.5 * wave * np.sin(np.linspace(0, np.pi, len(wave))) ** 2)


def _click(rng: np.random.Generator) -> Wave:
    return _burst(_noise(rng, 0.03, 1500, 3800, 0.0), 0.0005, 0.003)


def _door(rng: np.random.Generator) -> Wave:
    return _burst(_noise(rng, 0.4, 80, 700, 1.0), 0.004, 0.09)


def _keyboard(rng: np.random.Generator) -> Wave:
    bed = np.zeros(int(BED_S * RATE))
    at = 0.2
    while at < BED_S - 0.1:
        for _ in range(int(rng.integers(4, 22))):  # a word or two, then a thought
            knock = _click(rng) * rng.uniform(0.4, 1.0)
            start = int(at * RATE)
            if start + len(knock) > len(bed):
                break
            bed[start : start + len(knock)] += knock
            at += 1 / rng.uniform(6, 9)
        at += rng.uniform(0.2, 1.0)
    return bed


def _street(rng: np.random.Generator) -> Wave:
    bed = 0.4 * _noise(rng, BED_S, 60, 3400, 1.0)
    time = np.arange(len(bed)) / RATE
    for middle in np.arange(2.0, BED_S, 4.3):
        near = np.exp(-(((time - middle) / rng.uniform(0.7, 1.4)) ** 2))
        bed += 1.2 * near * _noise(rng, BED_S, 80, 2500, 0.8)
    start, length = int(11 * RATE), int(0.5 * RATE)
    horn = sum(np.sin(2 * np.pi * hz * time[:length]) for hz in (415, 520, 830))
    bed[start : start + length] += 0.8 * horn * np.hanning(length)
    return np.asarray(bed)


MAKERS: dict[str, Callable[[np.random.Generator], Wave]] = {
    "cough": _cough,
    "throat": _throat,
    "sniff": _sniff,
    "click": _click,
    "door": _door,
    "keyboard": _keyboard,
    "street": _street,
}


def make(name: str) -> Wave:
    """The noise of that name; its level is of no meaning. KeyError if there is none."""
    place = list(MAKERS).index(name) if name in MAKERS else -1
    return MAKERS[name](np.random.default_rng((_SEED, place)))
