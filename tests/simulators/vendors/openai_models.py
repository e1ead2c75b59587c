"""Which models the simulated OpenAI has: those that are not shut down on a given day.

The days are OpenAI's announcements, as its SDK 3.52 repeats them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

CHECKED = date(2026, 11, 21)
"""The day for which the lists hold."""

_SHUTDOWN: dict[date, str] = {
    date(2026, 10, 23): "gpt-4.1-nano o4-mini o3-mini o1 gpt-4-turbo gpt-4 gpt-3.5-turbo"
    " gpt-3.5-turbo-0125",
    date(2026, 12, 11): "gpt-5 gpt-5-mini gpt-5-nano o3",
    date(2027, 1, 6): "tts-1 tts-1-hd gpt-4o-mini-tts gpt-4o-mini-tts-2025-12-15",
    date(2027, 1, 14): "gpt-4o gpt-4o-mini gpt-4.1 gpt-4.1-mini gpt-4.1-2025-04-14"
    " gpt-4.1-mini-2025-04-14 gpt-4o-2024-11-20 gpt-4o-2024-08-06 gpt-4o-mini-2024-07-18",
    date(2027, 2, 26): "whisper-1 gpt-4o-transcribe gpt-4o-mini-transcribe"
    " gpt-4o-mini-transcribe-2025-12-15 gpt-4o-transcribe-diarize",
    date(2027, 4, 1): "gpt-5.1 gpt-5.1-2025-11-13 gpt-5.4-nano gpt-5.4-nano-2026-03-17",
}
_STAY = (
    "gpt-5.2 gpt-5.2-2025-12-11 gpt-5.4 gpt-5.4-mini gpt-5.4-mini-2026-03-17 gpt-5.5"
    " gpt-5.5-2026-04-23 gpt-5.6-sol gpt-5.6-terra gpt-5.6-luna gpt-6-luna gpt-6-sol gpt-6-astra"
    " gpt-6.1-sol gpt-6.1-terra gpt-transcribe"
)

SPEECH = frozenset(_SHUTDOWN[date(2027, 1, 6)].split())
TRANSCRIPTION = frozenset(_SHUTDOWN[date(2027, 2, 26)].split()) | {"gpt-transcribe"}


def living(today: date = CHECKED) -> frozenset[str]:
    """The models that can be asked on that day."""
    gone = {name for day, names in _SHUTDOWN.items() if day <= today for name in names.split()}
    known = " ".join([*_SHUTDOWN.values(), _STAY]).split()
    return frozenset(known) - gone


def chats(models: Iterable[str]) -> frozenset[str]:
    """Those that answer in text."""
    return frozenset(models) - SPEECH - TRANSCRIPTION


def was_known(model: str) -> bool:
    """Whether there was such a model once."""
    return any(model in names.split() for names in _SHUTDOWN.values())


def reasons(model: str) -> bool:
    """Whether it is a reasoning model, which takes fewer parameters."""
    return model.startswith(("gpt-5", "gpt-6", "o1", "o3", "o4"))
