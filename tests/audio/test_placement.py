"""Carrier audio on the media clock: nothing twice, nothing missing, nothing without bound."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.audio.mulaw import FRAME_BYTES, SILENCE, loudness
from services.audio.placement import MAX_FILL_MS, Placement

SOUND = bytes(range(1, 251)) * 64  # 2 s without a repeat inside a frame; no silence in it


def place(placement: Placement, start_ms: int, end_ms: int) -> bytes:
    """Place ``SOUND``'s milliseconds ``start_ms`` to ``end_ms`` where they belong."""
    return b"".join(placement.place(start_ms, SOUND[start_ms * 8 : end_ms * 8]))


def test_frames_leave_as_soon_as_they_are_whole() -> None:
    placement = Placement()
    assert placement.place(0, SOUND[:100]) == []
    assert placement.place(12, SOUND[100:400]) == [SOUND[:160], SOUND[160:320]]


def test_the_clock_starts_with_the_first_audio() -> None:
    assert len(Placement().place(987_654, SOUND[:160])) == 1


@given(st.lists(st.integers(1, 900), max_size=60))
def test_any_chunking_gives_the_same_frames(sizes: list[int]) -> None:
    placement = Placement()
    frames: list[bytes] = []
    at = 0
    for size in [*sizes, len(SOUND)]:
        frames += placement.place(at * 1000 // 8000, SOUND[at : at + size])
        at = min(at + size, len(SOUND))
    assert b"".join(frames) == SOUND
    assert placement.dropped_ms == placement.filled_ms == 0


def test_repeated_and_late_audio_is_dropped() -> None:
    placement = Placement()
    placed = place(placement, 0, 100) + place(placement, 0, 100) + place(placement, 40, 60)
    assert placed + place(placement, 100, 200) == SOUND[:1600]
    assert placement.dropped_ms == 120


def test_an_overlap_is_trimmed() -> None:
    placement = Placement()
    assert place(placement, 0, 100) + place(placement, 60, 200) == SOUND[:1600]
    assert placement.dropped_ms == 40


def test_jitter_of_a_timestamp_is_neither_gap_nor_overlap() -> None:
    placement = Placement()
    placed = b"".join(
        frame
        for number in range(20)
        for frame in placement.place(
            number * 20 + (number % 3) * 4 - 4, SOUND[number * 160 : number * 160 + 160]
        )
    )
    assert placed == SOUND[: 20 * 160]


def test_a_gap_is_filled_with_a_fading_repeat_and_then_silence() -> None:
    placement = Placement()
    place(placement, 0, 100)
    filled = place(placement, 300, 400)
    assert filled[-800:] == SOUND[2400:3200]
    gap = filled[:-800]
    assert len(gap) == 200 * 8
    loud = [loudness(gap[at : at + FRAME_BYTES]) for at in range(0, len(gap), FRAME_BYTES)]
    assert loudness(SOUND[640:800]) > loud[0] > loud[1] > 0
    assert set(loud[2:]) == {0}
    assert placement.filled_ms == 200


def test_a_wild_timestamp_fills_two_seconds_at_most() -> None:
    placement = Placement()
    place(placement, 0, 100)
    frames = placement.place(10**15, SOUND[:160])
    assert len(frames) == MAX_FILL_MS // 20 + 1


def test_after_a_wild_timestamp_the_true_clock_comes_back() -> None:
    placement = Placement()
    place(placement, 0, 100)
    placement.place(10**9, SOUND[:160])
    heard = [placement.place(100 + 20 * n, SOUND[:160]) for n in range(100)]
    assert heard[0] == []
    assert heard[-1] == [SOUND[:160]]
    assert 900 <= placement.dropped_ms <= 1000


def test_a_long_payload_that_is_repeated_is_not_a_clock_gone_back() -> None:
    placement = Placement()
    assert len(place(placement, 0, 2000)) == 16_000
    assert place(placement, 0, 2000) == b""


def test_a_stall_is_silence_and_a_jump_over_it_is_not_filled_again() -> None:
    placement = Placement()
    place(placement, 0, 100)
    assert placement.stall(200) == [SILENCE] * 10
    assert placement.stall(100) == [SILENCE] * 5
    after = place(placement, 500, 600)  # 400 ms were missing, 300 are there
    assert after == SILENCE * 5 + SOUND[4000:4800]


def test_a_burst_after_a_stall_is_not_lost() -> None:
    placement = Placement()
    place(placement, 0, 100)
    placement.stall(200)
    burst = b"".join(place(placement, at, at + 20) for at in range(100, 300, 20))
    assert burst == SOUND[800:2400]
    assert placement.dropped_ms == 0
    assert len(place(placement, 400, 500)) == 200 * 8  # a true gap later on is filled


def test_a_stall_of_any_length_is_bounded() -> None:
    assert len(Placement().stall(10**12)) == MAX_FILL_MS // 20
    assert Placement().stall(-5) == []


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(-(10**18), 10**18), st.binary(max_size=2000)),
            st.tuples(st.integers(0, 3000), st.binary(max_size=2000)),
            st.integers(-(10**9), 10**9),
        ),
        max_size=30,
    )
)
def test_no_input_breaks_it_or_makes_it_grow(
    inputs: list[tuple[int, bytes] | int],
) -> None:
    placement = Placement()
    for item in inputs:
        if isinstance(item, int):
            frames, audio = placement.stall(item), b""
        else:
            frames, audio = placement.place(*item), item[1]
        assert all(len(frame) == FRAME_BYTES for frame in frames)
        assert sum(map(len, frames)) <= len(audio) + MAX_FILL_MS * 8 + FRAME_BYTES
