"""The caller of the fault table: recorded human speech out, legible voices in.

A telephone line carries mu-law untouched, so whoever gets the caller's audio can be asked which
words of a recording are in it, whole or cut, once or twice; and what the caller heard can be read
back letter by letter, whoever spoke it.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from services.audio.mulaw import FRAME_BYTES, FRAME_MS, SILENCE, encode_samples
from tests.phone import FakePhone
from tests.simulators.vendors.legible import text_of
from tests.speech import TEXTS, frames, prompt

PROMPTS = ("please-try-call-later", "hours", "location")
"""What the caller says, turn by turn. The first has a pause: two utterances in one turn."""
WITHOUT_PAUSE = ("vm-msgsaved", "hours", "location")

_VOICED = 800  # of 32768: less is the noise of a recording
_ANCHOR_BYTES = 64
_BURST = 10  # frames that are sent together while nothing depends on one of them
_LISTENS_CLOSELY_MS = 800


@cache
def recording(name: str) -> tuple[bytes, ...]:
    """The frames of a prompt, from its first to its last voiced sample."""
    samples = np.frombuffer(prompt(name), dtype="<i2").astype(np.float32)
    voiced = np.flatnonzero(np.abs(samples) > _VOICED)
    audio = encode_samples(samples[voiced[0] : voiced[-1] + 1] / 32768)
    return tuple(frames(audio + SILENCE[: -len(audio) % FRAME_BYTES]))


@cache
def _anchors() -> dict[bytes, tuple[str, bool]]:
    """Pieces of sound at a quarter and at three quarters of each word -> word, is its second."""
    found: dict[bytes, tuple[str, bool]] = {}
    for name in {*PROMPTS, *WITHOUT_PAUSE}:
        audio, words = b"".join(recording(name)), TEXTS[name].split()
        for number, word in enumerate(words):
            for is_second in (False, True):
                middle = int(len(audio) * (number + (0.75 if is_second else 0.25)) / len(words))
                found[audio[middle : middle + _ANCHOR_BYTES]] = word, is_second
    assert len(found) == 2 * sum(len(TEXTS[name].split()) for name in {*PROMPTS, *WITHOUT_PAUSE})
    return found


def hears(audio: bytes) -> str:
    """The recorded words in some mu-law, in order; a word of which half is missing is "?"."""
    places = [
        (at, word, is_second)
        for anchor, (word, is_second) in _anchors().items()
        for at in _places(audio, anchor)
    ]
    heard: list[str] = []
    begun = ""
    for _, word, is_second in sorted(places):
        if not is_second:
            heard += ["?"] if begun else []
            begun = word
        else:
            heard.append(word if begun == word else "?")
            begun = ""
    return " ".join([*heard, "?"] if begun else heard)


def _places(audio: bytes, anchor: bytes) -> Iterator[int]:
    at = audio.find(anchor)
    while at >= 0:
        yield at
        at = audio.find(anchor, at + 1)


class Saying:
    """What the caller is saying right now, for a recogniser that must know it from the first
    syllable on: it stands where the texts of a simulator's stretches stand."""

    def __init__(self) -> None:
        self.text = ""

    def __len__(self) -> int:
        return 1 << 30

    def __getitem__(self, number: int) -> str:
        return self.text


class Caller:
    """The caller's hand on the telephone, and the caller's ear."""

    def __init__(self, phone: FakePhone, saying: Saying) -> None:
        self._phone = phone
        self._saying = saying
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._sent = 0

    async def say(self, name: str, hook: Callable[[str], Awaitable[None]]) -> float:
        """Say a prompt, then listen closely; when its last voiced sample arrived. ``hook`` is
        called in its "middle" and at its "end"."""
        self._saying.text = TEXTS[name]
        spoken = recording(name)
        await self._send(spoken[: len(spoken) // 2])
        await hook("middle")
        await self._send(spoken[len(spoken) // 2 :])
        ended = self._loop.time() - FRAME_MS / 1000
        await hook("end")
        await self._send([SILENCE] * (_LISTENS_CLOSELY_MS // FRAME_MS))
        return ended

    async def listen(self, ms: int) -> None:
        """Say nothing."""
        await self._send([SILENCE] * (ms // FRAME_MS), _BURST)

    async def _send(self, spoken: Sequence[bytes], burst: int = 1) -> None:
        for at in range(0, len(spoken), burst):
            together = spoken[at : at + burst]
            await asyncio.sleep(FRAME_MS / 1000 * (len(together) - 1))  # nothing comes too early
            for frame in together:
                media = {
                    "track": "inbound",
                    "timestamp": str(self._sent * FRAME_MS),
                    "payload": _payload(frame),
                }
                self._phone.say({"event": "media", "streamSid": "MZ1", "media": media})
                self._sent += 1
            due = self._began + self._sent * FRAME_MS / 1000
            await asyncio.sleep(due - self._loop.time())


@cache
def _payload(frame: bytes) -> str:
    return base64.b64encode(frame).decode()


Played = list[tuple[float, bytes]]
"""When each piece of audio began to be heard, on the loop's clock."""


def played(sent: Sequence[tuple[float, dict[str, Any]]]) -> Played:
    """What a telephone that got these messages really played."""
    pieces: Played = []
    ends = 0.0
    for at, body in sent:
        if body["event"] == "media":
            begins, audio = max(at, ends), base64.b64decode(body["media"]["payload"])
            pieces.append((begins, audio))
            ends = begins + len(audio) / 8000
        elif body["event"] == "clear":
            pieces = [
                (begin, part[: int((at - begin) * 8000)]) for begin, part in pieces if begin < at
            ]
            ends = at
    return pieces


def first_sound(pieces: Played, after: float) -> float | None:
    """When something was first heard after this moment."""
    for begin, audio in pieces:
        skipped = max(0, int((after - begin) * 8000))
        heard = audio[skipped:]
        if sound := heard.lstrip(SILENCE[:1]):
            return begin + (skipped + len(heard) - len(sound)) / 8000
    return None


def letters(text: str) -> str:
    """A text without its spaces: those are not heard."""
    return "".join(text.split())


def read(pieces: Played) -> str:
    """The letters that were heard."""
    return letters(_text_of(b"".join(audio for _, audio in pieces)))


_text_of = lru_cache(maxsize=256)(text_of)  # many calls sound the same
