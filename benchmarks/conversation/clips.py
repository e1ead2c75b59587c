"""The sound of everything that is said: human prompts, Hibari, noises. Kept on disk once rendered.

``human`` is the speaker of ``tests/speech``: what she says is put together of her prompts. Hibari's
packaged model holds one voice, ``heart``; ``low`` and ``high`` are that voice with its pitch and
formants moved (rendered at another speed, then resampled by as much), ``quick`` speaks faster.
Words are placed in proportion to their letters within the audible stretch of a clip.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from benchmarks.conversation import noises
from benchmarks.conversation.voicing import first_voiced_s
from tests import speech
from tests.simulators.sound import active_level, segments

FOLDER = Path(__file__).parents[2] / "data" / "benchmarks" / "clips"
RATE = 8000
LEVEL = 2000.0
"""RMS of a caller's active speech, of 32768: about -24 dBFS, as on a usual telephone line."""
PROMPT_GAP_S = 0.06
"""Between two human prompts that are said in one go."""

Pcm = NDArray[np.int16]

_VERSION = 1  # of the rendering: a new one makes all clips anew
_SEED = 7
_VOICES = {"heart": (1.0, 1.0), "low": (1.0, 0.84), "high": (1.0, 1.13), "quick": (1.3, 1.0)}
"""Speed, and the factor by which pitch and formants are moved."""


@dataclass(frozen=True, slots=True)
class Clip:
    """Something said in one go, from its first to its last audible sample.

    ``words``: the text, and the seconds in the clip where each word begins and ends.
    """

    sound: Pcm
    words: tuple[tuple[str, float, float], ...]

    @property
    def seconds(self) -> float:
        return len(self.sound) / RATE

    @property
    def voiced_s(self) -> float:
        """From its beginning to its first voiced frame."""
        return first_voiced_s(self.sound) or 0.0


@cache
def clip(voice: str, text: str) -> Clip:
    """``text`` in that voice, at the usual level. ValueError if the voice cannot say it."""
    if voice == "human":
        return _human(text)
    sound = _levelled(_trimmed(_hibari(text, *_VOICES[voice])))
    return Clip(sound, _spread(text, 0.0, len(sound) / RATE))


@cache
def noise(name: str) -> Pcm:
    """A noise; its audible windows have the level of speech."""
    speechlike = {"babble": _babble, "hack": _hack}
    made = speechlike[name]() if name in speechlike else noises.make(name)
    made = made * (LEVEL / np.sqrt(np.mean(np.square(_active(made)))))
    return _pcm(made)


def louder(sound: Pcm, gain_db: float) -> Pcm:
    """The sound, so many dB louder."""
    return _pcm(sound * 10 ** (gain_db / 20)) if gain_db else sound


@cache
def agent_word(text: str) -> Pcm:
    """A word in the agent's voice, at the usual level."""
    return _levelled(_trimmed(_hibari(text, 1.1, 1.0)))


def _human(text: str) -> Clip:
    sounds: list[Pcm] = []
    words: list[tuple[str, float, float]] = []
    at = 0.0
    for name in _prompts(text):
        raw = np.frombuffer(speech.prompt(name), dtype="<i2").astype(np.int16)
        sound = _levelled(_trimmed(raw))
        if sounds:
            gap = np.zeros(int(PROMPT_GAP_S * RATE), np.int16)
            sounds.append(gap)
            at += PROMPT_GAP_S
        sounds.append(sound)
        words += _spread(speech.TEXTS[name], at, at + len(sound) / RATE)
        at += len(sound) / RATE
    return Clip(np.concatenate(sounds), tuple(words))


def _prompts(text: str) -> list[str]:
    """The prompts of which the text can be put together, longest first."""
    known = {_letters(said): name for name, said in speech.TEXTS.items()}
    left = _letters(text).split()
    found: list[str] = []
    while left:
        size = next((n for n in range(len(left), 0, -1) if " ".join(left[:n]) in known), 0)
        if not size:
            raise ValueError(f"no human prompt says {' '.join(left)!r}")
        found.append(known[" ".join(left[:size])])
        del left[:size]
    return found


def _letters(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


def _spread(text: str, begin: float, end: float) -> tuple[tuple[str, float, float], ...]:
    """The words between two moments, each as long as its letters, and one more for the gap."""
    words = text.split()
    sizes = np.cumsum([0, *(len(word) + 1 for word in words)])
    edges = begin + (end - begin) * sizes / max(1, sizes[-1])
    return tuple(
        (word, float(edges[place]), float(edges[place + 1])) for place, word in enumerate(words)
    )


# --- rendering ------------------------------------------------------------------------------------


def _hibari(text: str, speed: float, shift: float) -> Pcm:
    """``text`` as Hibari says it, at 8 kHz, from the disk if it was rendered before."""
    key = hashlib.sha256(f"{_VERSION}|{speed}|{shift}|{text}".encode()).hexdigest()[:24]
    path = FOLDER / f"{key}.npy"
    if not path.exists():
        engine = _engine()
        wave = engine(text, speed=speed / shift, seed=_SEED)
        at_phone = soxr.resample(wave, engine.sample_rate * shift, RATE)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, _pcm(at_phone * 32768))
    sound: Pcm = np.load(path)
    return sound


@cache
def _engine() -> Any:
    try:
        from hibari import Hibari
    except ImportError as error:
        raise RuntimeError(f"the callers' voice is missing: {error}; see requirements") from error
    return Hibari()


def _hack() -> NDArray[np.float64]:
    """A cough with voice in it: a burst of noise, then a short, hoarse "huh"; twice."""
    burst = noises.make("cough")[: int(0.09 * RATE)]
    voice = clip("low", "huh").sound / LEVEL
    hoarse = np.concatenate([2 * burst, voice * np.linspace(1.4, 0.4, len(voice))])
    return np.concatenate([hoarse, np.zeros(int(0.06 * RATE)), 0.7 * hoarse])


def _babble() -> NDArray[np.float64]:
    """Four people who talk at once, far away."""
    said = (
        "So I told him that we would never make it in time, and he just laughed at me.",
        "Did you see the game last night? I could not believe that last minute.",
        "We should get some bread on the way home, and maybe some of that cheese.",
        "The train was late again, so the whole meeting had to start without us.",
    )
    bed = np.zeros(int(noises.BED_S * RATE))
    for place, (text, voice) in enumerate(zip(said, _VOICES, strict=True)):
        sound = clip(voice, text).sound
        shifted = np.roll(np.resize(sound, len(bed)), place * RATE)
        bed += shifted
    return bed


def _pcm(wave: NDArray[Any]) -> Pcm:
    pcm: Pcm = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
    return pcm


def _trimmed(sound: Pcm) -> Pcm:
    """From the first to the last audible sample."""
    size = np.abs(sound.astype(np.int32))
    found = segments(_pcm(sound * (8000 / max(1, int(size.max())))))
    if not found:
        return sound
    return sound[int(found[0].start_ms * 8) : int(found[-1].end_ms * 8)]


def _levelled(sound: Pcm) -> Pcm:
    level = active_level(sound)
    return _pcm(sound * (LEVEL / level)) if level else sound


def _active(wave: NDArray[np.float64]) -> NDArray[np.float64]:
    """The louder half of its windows of 5 ms."""
    windows = wave[: len(wave) // 40 * 40].reshape(-1, 40)
    power = np.mean(np.square(windows), axis=1)
    louder_half: NDArray[np.float64] = windows[power >= np.quantile(power, 0.5)]
    return louder_half
