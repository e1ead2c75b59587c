"""A call's turns as chat messages. Pure.

They take turns, the caller first, as strict servers want it. What an earlier turn became never
changes: vendors charge less for a beginning that they know.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.call.effects import Speaker, Turn

_MOST_TURNS = 100
_LONGEST_UNHEARD = 240
"""Characters of what was not heard. More would only invite the model to recite it."""

_CALL_COMES_IN = "(The telephone rings and you pick up.)"
_SILENCE = "(The caller says nothing.)"
_NOT_HEARD = (
    "(Note, not from the caller: you were cut off, and they did not hear: “{}”. Say it again only "
    "if it still matters.)"
)


def message(role: str, content: str, **more: str) -> dict[str, Any]:
    """A message as chat completions take it."""
    return {"role": role, "content": content, **more}


def chat_messages(system: str, turns: Sequence[Turn]) -> list[dict[str, Any]]:
    """The system's message and the last of the turns, up to the caller's last."""
    messages, unheard = [message("system", system)], list[str]()
    for turn in turns[-_MOST_TURNS:]:
        if turn.speaker is Speaker.CALLER:
            _add(messages, "user", _with_note(unheard, turn.text))
            unheard = []
            continue
        if len(messages) == 1:
            messages.append(message("user", _CALL_COMES_IN))
        _add(messages, "assistant", turn.text)
        if any(map(str.isalnum, turn.unheard)):
            unheard.append(turn.unheard)
    if messages[-1]["role"] != "user":
        messages.append(message("user", _with_note(unheard, _SILENCE)))
    return messages


def _add(messages: list[dict[str, Any]], role: str, text: str) -> None:
    if messages[-1]["role"] == role:
        messages[-1]["content"] += f" {text}"
    else:
        messages.append(message(role, text))


def _with_note(unheard: Sequence[str], text: str) -> str:
    """The caller's words, after what they did not hear. It stands here and not with the agent's
    turn, since a model would learn from that to speak such notes. It does not say who cut the
    agent off: that may have been the caller, a vendor that failed, or our own patience."""
    if not unheard:
        return text
    return f"{_NOT_HEARD.format(_shortened(' … '.join(unheard)))} {text}"


def _shortened(text: str) -> str:
    """At most so long, cut between words."""
    if len(text) <= _LONGEST_UNHEARD:
        return text
    kept, _, _ = text[: _LONGEST_UNHEARD - 1].rpartition(" ")
    return f"{kept or text[: _LONGEST_UNHEARD - 2]} …"
