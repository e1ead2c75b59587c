"""What the caller does: one dataclass per action, and the mini-language for them. Pure.

One action per line or between semicolons; ``#`` begins a comment line::

    wait-agent                     until the agent has finished speaking
    wait-agent silence=900 timeout=30
    say Are you open on Sunday?
    wav tests/speech/hours.wav
    dtmf 5#
    wait 1.5                       seconds
    barge-in 800 Wait a moment     800 ms after the agent becomes audible
    barge-in 800 wav stop.wav
    hangup                         stop, then close; also: hangup close | abort | stop
    expect-hangup                  the server ends the call; also: expect-hangup 30
    raw {"event":"nonsense"}       any text message, as it stands
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

AGENT_SILENCE_MS = 700
AGENT_TIMEOUT_S = 20.0


class HangUpMode(Enum):
    """How a call can end from the caller's side."""

    STOP_AND_CLOSE = "hangup"  # stop, then the socket closes: the usual way
    CLOSE = "close"  # the socket closes without stop
    ABORT = "abort"  # the TCP connection is reset
    STOP_ONLY = "stop"  # stop, but the socket stays open: a transfer


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a typed sentence and wait until it has been spoken."""

    text: str


@dataclass(frozen=True, slots=True)
class PlayWav:
    """Speak a recording and wait until it has been played."""

    path: Path


Utterance = Say | PlayWav


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Speak ``after_ms`` after the agent became audible, in its present or else its next speech."""

    after_ms: float
    utterance: Utterance
    timeout_s: float = AGENT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Press keys of the telephone, 200 ms apart."""

    digits: str


@dataclass(frozen=True, slots=True)
class Wait:
    """Be silent for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitAgent:
    """Until the agent has answered and finished.

    That is: it was audible after the caller's last action, has been silent at the phone for
    ``silence_ms`` and all its marks have been echoed. The script fails after ``timeout_s``.
    """

    silence_ms: float = AGENT_SILENCE_MS
    timeout_s: float = AGENT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call. After ``STOP_ONLY`` the server has five seconds to close the socket."""

    mode: HangUpMode = HangUpMode.STOP_AND_CLOSE


@dataclass(frozen=True, slots=True)
class ExpectHangUp:
    """The server must end the call within ``timeout_s``."""

    timeout_s: float = AGENT_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class SendRaw:
    """Send any message as it stands, text or binary: for hostile tests."""

    message: str | bytes


Action = Say | PlayWav | BargeIn | PressKeys | Wait | WaitAgent | HangUp | ExpectHangUp | SendRaw
Script = Sequence[Action]


class BadScript(ValueError):
    """A line of the mini-language that makes no sense; the text says which and why."""


def parse(text: str) -> list[Action]:
    """Read the mini-language. Raises BadScript."""
    actions = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        actions += [_parse_action(part.strip()) for part in line.split(";") if part.strip()]
    return actions


def parse_arguments(arguments: Sequence[str]) -> list[Action]:
    """Read command-line words: each word that is a verb begins an action. Raises BadScript."""
    lines: list[str] = []
    for argument in arguments:
        if argument in _VERBS or not lines:
            lines.append(argument)
        else:
            lines[-1] += f" {argument}"
    return parse("\n".join(lines))


def utterances(script: Script) -> list[Utterance]:
    """All that the caller will speak, in order: it is rendered before the call."""
    spoken: list[Utterance] = []
    for action in script:
        if isinstance(action, (Say, PlayWav)):
            spoken.append(action)
        elif isinstance(action, BargeIn):
            spoken.append(action.utterance)
    return spoken


def _parse_action(line: str) -> Action:
    verb, _, rest = line.partition(" ")
    if verb not in _VERBS:
        raise BadScript(f"{line!r}: unknown action {verb!r}; known are {', '.join(sorted(_VERBS))}")
    try:
        return _VERBS[verb](rest.strip())
    except ValueError as error:
        raise BadScript(f"{line!r}: {error}") from error


def _say(rest: str) -> Say:
    if not rest:
        raise ValueError("say what?")
    return Say(rest)


def _wav(rest: str) -> PlayWav:
    if not rest:
        raise ValueError("which file?")
    return PlayWav(Path(rest))


def _barge_in(rest: str) -> BargeIn:
    after_ms, _, words = rest.partition(" ")
    verb, _, path = words.strip().partition(" ")
    return BargeIn(float(after_ms), _wav(path.strip()) if verb == "wav" else _say(words.strip()))


def _dtmf(rest: str) -> PressKeys:
    digits = rest.replace(" ", "").upper()
    if not digits or set(digits) - set("0123456789*#ABCD"):
        raise ValueError("keys are 0-9, *, # and A-D")
    return PressKeys(digits)


def _wait_agent(rest: str) -> WaitAgent:
    given = {"silence": float(AGENT_SILENCE_MS), "timeout": AGENT_TIMEOUT_S}
    for word in rest.split():
        name, _, value = word.partition("=")
        if name not in given:
            raise ValueError("options are silence=MS and timeout=SECONDS")
        given[name] = float(value)
    return WaitAgent(given["silence"], given["timeout"])


_VERBS: dict[str, Callable[[str], Action]] = {
    "say": _say,
    "wav": _wav,
    "barge-in": _barge_in,
    "dtmf": _dtmf,
    "wait": lambda rest: Wait(float(rest)),
    "wait-agent": _wait_agent,
    "hangup": lambda rest: HangUp(HangUpMode(rest or "hangup")),
    "expect-hangup": lambda rest: ExpectHangUp(float(rest or AGENT_TIMEOUT_S)),
    "raw": SendRaw,
}
