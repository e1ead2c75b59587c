"""A scripted call, held and measured from end to end, and the stand-ins in it.

The caller is human recordings and the agent's voice a tone, so that no speech engine is needed.
"""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from benchmarks.conversation import measures, overlap
from benchmarks.conversation.call import hold
from benchmarks.conversation.clips import Pcm, clip
from benchmarks.conversation.ears import EarOptions, ScriptedEars
from benchmarks.conversation.policies import Policy
from benchmarks.conversation.report import by_policy, score
from benchmarks.conversation.scenes import all_scenes
from benchmarks.conversation.script import Aside, Kind, Scene, over, turn
from benchmarks.conversation.timeline import Timeline, Word
from benchmarks.conversation.voice import Book, Stamp
from services.call import events as on
from tests.virtual_time import run_virtual

LONG = "we are open from nine to five and on Sunday we are closed so please come on a week day"


def tone(text: str) -> Pcm:
    """60 ms for each letter."""
    time = np.arange(len(text) * 480) / 8000
    return (2000 * np.sin(2 * np.pi * 400 * time)).astype(np.int16)


def held(*steps: object, turn_silence_ms: int = 550, **timings: int) -> Timeline:
    scene = Scene("test", "tests", steps, "human", greeting="Hello.")  # type: ignore[arg-type]
    policy: Policy = {"timings": {"turn_silence_ms": turn_silence_ms, **timings}}
    return hold(scene, policy, render=tone)


def test_a_pause_longer_than_the_policys_silence_is_a_cut_off_and_a_shorter_one_is_not() -> None:
    step = turn("hours", 1.2, "Sunday")
    patient, hasty = held(step, turn_silence_ms=1500), held(step, turn_silence_ms=400)
    assert [moment.failed for moment in measures.cut_offs(patient)] == [False]
    assert [moment.failed for moment in measures.cut_offs(hasty)] == [True]


def test_a_wait_is_as_long_as_the_policys_silence() -> None:
    step = turn("location")  # words that do not tell whether they are all
    (slow,), (fast,) = (
        measures.waits(held(step, turn_silence_ms=ms, eager_replies=0)) for ms in (1500, 500)
    )
    assert slow.value is not None
    assert fast.value is not None
    assert slow.value - fast.value == pytest.approx(1.0, abs=0.03)


def test_an_interruption_stops_the_agent_and_the_account_of_it_is_true() -> None:
    call = held(turn("hours", answer=LONG), over(1.5, "Please try again."))
    assert [moment.failed for moment in overlap.interruptions(call)] == [False]
    assert [moment.failed for moment in overlap.heard_errors(call)] == [False]
    (stopped,) = overlap.holds(call)
    assert stopped.value is not None
    assert 0 < stopped.value < 0.2


def test_a_voice_without_words_makes_the_agent_pause_and_speak_on() -> None:
    grunt = Aside(Kind.COUGH, "no", over_s=1.5, heard_as="")
    call = held(turn("hours", answer=LONG), grunt, turn("Thank you."))
    assert [moment.failed for moment in overlap.false_interruptions(call)] == [False]
    (recovered,) = overlap.recoveries(call)
    assert recovered.value is not None
    assert 0 < recovered.value < 1.0
    assert call.skipped == []


def test_the_same_call_is_held_the_same_way_again() -> None:
    steps = (turn("hours", answer=LONG), over(2.0, "tomorrow"))
    assert held(*steps) == held(*steps)


def test_calls_add_up_to_a_table() -> None:
    total = score([held(turn("hours")), held(turn("location"))])
    text = by_policy({"mine": total})
    assert (total.calls, total.turns) == (2, 2)
    assert "| false cut-offs, of turns " in text
    assert "0/2 (0 %)" in text


# --- the scenes -----------------------------------------------------------------------------------


def test_there_are_calls_of_every_kind_with_names_of_their_own() -> None:
    scenes = all_scenes()
    kinds = {getattr(step, "kind", None) for scene in scenes for step in scene.steps}
    assert len({scene.name for scene in scenes}) == len(scenes) >= 60
    assert set(Kind) <= kinds
    assert {scene.bed.snr_db for scene in scenes if scene.bed} == {20, 10, 5}


def test_the_human_voice_can_say_all_that_it_is_given() -> None:
    texts = {
        part
        for scene in all_scenes()
        if scene.voice == "human"
        for step in scene.steps
        for part in getattr(step, "parts", ())
        if isinstance(part, str)
    }
    assert all(len(clip("human", text).words) >= 1 for text in texts)
    with pytest.raises(ValueError, match="no human prompt says"):
        clip("human", "something else")


# --- the stand-ins --------------------------------------------------------------------------------


def test_every_frame_of_the_agents_voice_tells_what_it_is() -> None:
    book = Book(tone)
    audio = book.spoken(3, "Hello,") + book.spoken(3, "you.") + b"\xff" * 160
    stamps = list(book.read(audio))
    spoken = [stamp for stamp in stamps if stamp and stamp.word >= 0]
    assert spoken == [Stamp(3, 0, n, 18) for n in range(18)] + [
        Stamp(3, 1, n, 12) for n in range(12)
    ]
    assert stamps[-1] is None
    assert list(book.read(audio[:-50])) == stamps[:-1], "half a frame is not counted"


def test_audio_that_is_not_the_voices_is_noticed() -> None:
    with pytest.raises(ValueError, match="did not make"):
        list(Book(tone).read(b"\x10" * 160))


async def _heard(
    options: EarOptions, says: str, *, goes_on: bool = False
) -> list[tuple[float, on.Event]]:
    """Each word takes 500 ms; the utterance is from 0 to its end and 200 ms of silence."""
    loop = asyncio.get_running_loop()
    words = [Word(text, n / 2, n / 2 + 0.5) for n, text in enumerate(says.split())]
    told: list[tuple[float, on.Event]] = []
    ears = ScriptedEars(lambda: words, lambda at: goes_on, options)
    running = asyncio.create_task(ears.run(lambda event: told.append((loop.time(), event))))
    await asyncio.sleep(0)
    ears.speech_started(1, 60)
    while loop.time() < len(words) / 2 + 0.2 - 1e-9:
        await asyncio.sleep(0.02)
        ears.hear(b"")
    ears.speech_stopped(1)
    await asyncio.sleep(2)
    running.cancel()
    return told


def test_words_come_as_late_as_they_should() -> None:
    told = run_virtual(_heard(EarOptions(interim_s=0.25, final_s=0.06), "to be"))
    first, *_, last = told
    assert first == (pytest.approx(0.76, abs=0.02), on.TranscriptInterim(1, 1, "to"))
    assert last == (pytest.approx(1.26), on.TranscriptFinal(1, 1, "to be"))


def test_the_ears_tell_of_the_turns_end_if_they_are_asked_to() -> None:
    options = EarOptions(may_end_s=0.3, ends_s=0.5)
    told = run_virtual(_heard(options, "to be"))
    assert told[-2:] == [
        (pytest.approx(1.3), on.TurnMayEnd(1, "to be")),
        (pytest.approx(1.5), on.TurnEnded(1)),
    ]
    sure = EarOptions(may_end_s=0.3, ends_s=0.5, wrong_may_end=0, wrong_ends=0)
    told = run_virtual(_heard(sure, "to be", goes_on=True))
    assert isinstance(told[-1][1], on.TranscriptFinal), "the caller is not finished"


def test_noise_has_no_words() -> None:
    told = run_virtual(_heard(EarOptions(), ""))
    assert [event for _, event in told] == [on.TranscriptFinal(1, 1, "")]


def test_ears_that_err_lose_some_words_always_the_same() -> None:
    says = " ".join(f"word{n}" for n in range(40))
    told = [run_virtual(_heard(EarOptions(word_errors=0.3), says))[-1][1] for _ in range(2)]
    assert told[0] == told[1]
    assert told[0].text != says
