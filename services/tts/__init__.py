"""Text to speech: what the cascade engine needs of a voice; one file per voice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class SpokenAudio:
    """Audio (mu-law 8 kHz, any length) and the text that begins to be spoken in it."""

    audio: bytes
    text: str = ""


class Say(Protocol):
    """Takes the next pieces of a reply's audio; those that are there together, together: each call
    costs as much. Never blocks."""

    def __call__(self, *parts: SpokenAudio) -> None: ...


class Voice(Protocol):
    """The voice of one call."""

    async def run(self) -> None:
        """Lives as long as the call: opens sockets ahead, keeps them open, opens them again.

        Never raises; cancelling it closes everything that the voice has open.
        """

    async def speak(self, reply: int, phrases: AsyncIterator[str], say: Say) -> None:
        """Speak one reply, phrase by phrase as they come; returns when all its audio was said.

        The texts of the pieces, joined by single spaces, are the phrases joined by single spaces,
        as a reader would see them and in whole words; how they are pronounced is the voice's
        business. Audio belongs to the text that came with it or last before it. Cancelling stops
        the work: nothing is said after it. Raises VendorError; then what was said is exactly the
        pieces said so far, and the rest can be spoken by another voice.
        """


class Renderer(Protocol):
    """Renders standing lines ahead; shared by all calls."""

    name: str
    """Voice, model and whatever else the sound depends on: lines are kept on disk by it."""

    async def render(self, text: str) -> bytes:
        """All of ``text`` as mu-law 8 kHz. Raises VendorError."""


@runtime_checkable
class Reader(Protocol):
    """A renderer that reads aloud: it makes text speakable first ("$5" is "five dollars")."""

    def spoken(self, text: str) -> str:
        """What is said for ``text``. Lines are kept on disk by it too: read in another way, they
        sound different."""
