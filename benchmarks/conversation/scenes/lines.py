"""Bad lines: keyboard, street and other people's noise at 20, 10 and 5 dB, echo, packets that come
late or never, late marks."""

from __future__ import annotations

from benchmarks.conversation.scenes.overlaps import HOURS, WAY, back, grunt
from benchmarks.conversation.script import Bed, Scene, Step, over, turn
from tests.simulators.line import LineConditions

SNRS = (20.0, 10.0, 5.0)


def scenes() -> list[Scene]:
    """The calls of this subject."""
    return [
        *(
            Scene(f"{noise}-{snr:g}", f"{noise} noise", _steps(), voice, bed=Bed(noise, snr))
            for noise, voice in (("keyboard", "heart"), ("street", "low"), ("babble", "high"))
            for snr in SNRS
        ),
        *(
            Scene(
                f"{noise}-human-{snr:g}", f"{noise} noise", _human(), "human", bed=Bed(noise, snr)
            )
            for noise in ("keyboard", "street")
            for snr in SNRS
        ),
        *(Scene(f"echo-{echo:g}", "echo", _steps(), echo_db=echo) for echo in (30.0, 20.0, 12.0)),
        *(
            Scene(f"line-{name}", "packets", _marks(), voice, line=line)
            for name, voice, line in (
                ("jitter", "heart", LineConditions(jitter_ms=300, seed=1)),
                ("loss", "low", LineConditions(loss=0.05, seed=2)),
                ("dtx", "high", LineConditions(dtx=True, seed=3)),
                ("all", "quick", LineConditions(200, 0.03, 0.02, dtx=True, seed=4)),
            )
        ),
        Scene("late-marks-150", "late marks", _marks(), echo_late_s=0.15),
        Scene("late-marks-400", "late marks", _marks(), "low", echo_late_s=0.4),
    ]


def _steps() -> tuple[Step, ...]:
    return (
        turn("When are you open?", answer=HOURS),
        turn("I'd like to come", 0.5, "on Monday."),
        turn("Yes."),
    )


def _human() -> tuple[Step, ...]:
    return (
        turn("location", answer=WAY),
        turn("Sunday", 0.5, "no", 0.3, "Monday"),
        turn("Thank you."),
    )


def _marks() -> tuple[Step, ...]:
    return (
        turn("When are you open?", answer=HOURS),
        back("mhm", 1.8),
        grunt("hah", 3.9),
        over(6.0, "And on Sunday?", answer=WAY),
        over(2.3, "wait a moment"),
        turn("Thanks."),
    )
