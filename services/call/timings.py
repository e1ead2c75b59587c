"""The patience of a call: every duration that a decision depends on, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Durations in milliseconds, but for ``max_call_s``. The defaults suit a telephone."""

    turn_silence_ms: int = 800
    """Silence after the last voiced frame that ends the caller's turn, if the words do not tell."""
    complete_silence_ms: int = 600
    """The same, after words that are whole."""
    open_silence_ms: int = 2400
    """The same, after words that lack their end: "I'd like to", "um"."""
    asked_silence_ms: int = 1200
    """The same, after "just a second": then the agent says that it waits."""
    half_answer_ms: int = 3000
    """The same, amid a telephone number, an address, a date: what was asked for is not whole."""
    longest_pause_ms: int = 1200
    """The most that a caller's own way of pausing makes of it."""
    eager_replies: int = 2
    """How many replies may be begun for one turn before it is certain to be over; 0: none."""
    transcript_wait_ms: int = 1500
    """How long the end of a turn waits for words that the recogniser still owes."""
    resume_ms: int = 800
    """After a pause without words, the agent speaks on at the latest this much later."""
    hold_limit_ms: int = 5000
    """A caller who makes sound over the agent this long has the floor, words or not."""
    barge_in_tail_ms: int = 700
    """"Yes" over the agent's last this-much is an answer, not a "yes, go on"."""
    fill_after_ms: int = 1900
    """No audio of an answer so long after the turn's end: a stored line bridges the wait. With the
    turn's silence it is 2.5 s after the last word; after 3 s people ask whether you are there."""
    fill_gap_ms: int = 2800
    """Silence amid an answer, when all that there is of it was played, before the same is done."""
    give_up_ms: int = 8000
    """No audio of a reply by then: it is cancelled and apologised for."""
    tool_ms: int = 8000
    """The same again is given to a reply for which a tool is at work."""
    idle_ms: int = 8000
    """Silence after which the agent asks whether the caller is still there; then says goodbye."""
    asked_idle_ms: int = 30_000
    """The same, for a caller who has asked for a moment."""
    max_turn_ms: int = 30_000
    """The longest turn: on a line that is never quiet, nothing else would ever end one."""
    digit_pause_ms: int = 2000
    """Pause after a key that ends an entry on the keypad; ``#`` ends it at once."""
    mark_every_ms: int = 400
    """A mark follows each stretch of audio of this length: how finely we know what was heard."""
    marks_grace_ms: int = 2000
    """A mark that is this late is taken as played: carriers lose messages too."""
    max_call_s: int = 600
    """The longest call; then a goodbye that cannot be interrupted."""

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if getattr(self, name) < (name != "eager_replies"):
                raise ValueError(f"{name} must be greater than zero, not {getattr(self, name)}")
        if self.mark_every_ms % 20:
            raise ValueError(f"mark_every_ms must be whole 20 ms frames, not {self.mark_every_ms}")
