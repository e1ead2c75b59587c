"""Pauses in a voice, found as one would by hand; and words that follow what is known of them."""

from __future__ import annotations

from itertools import groupby
from random import Random

import pytest

from services.call.alignment import quiet_parts
from services.call.playback import Playback

QUIET = (*range(0x78, 0x80), *range(0xF8, 0x100))
LOUD = sorted(set(range(256)) - set(QUIET))
PAUSE = 30 * 8


def by_hand(audio: bytes) -> list[tuple[int, int]]:
    """Long silences, and those at the edges however short."""
    found, at = [], 0
    for is_quiet, run in groupby(audio, QUIET.__contains__):
        begin, at = at, at + len(list(run))
        if is_quiet and (at - begin >= PAUSE or begin == 0 or at == len(audio)):
            found.append((begin, at))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_pauses_are_found_from_their_first_sample_to_their_last(seed: int) -> None:
    random = Random(seed)
    audio = bytearray()
    for _ in range(random.randrange(12)):
        audio += bytes(random.choices(LOUD, k=random.choice([0, 1, 2, 400])))
        audio += bytes(random.choices(QUIET, k=random.choice([0, 5, 239, 240, 241, 900])))
    assert quiet_parts(bytes(audio)) == by_hand(audio)


def test_words_are_placed_anew_when_there_is_more_of_a_reply() -> None:
    playback, sound = Playback(1, 200), bytes([0x10]) * 8000
    playback.append(b"", "One")
    assert playback.unheard_text() == "One"
    playback.append(sound, "two.")
    playback.release(0.0)
    assert playback.begun_text() == "One two."
    playback.append(sound, "Three.")
    assert playback.unheard_text() == "One two. Three."
    playback.bridge(sound)
    playback.append(sound, "Four.")
    playback.release(0.0)
    playback.finish()
    assert playback.begun_text() == "One two. Three. Four."
    playback.assume_played()
    assert playback.heard_text() == "One two. Three. Four."
