"""The calls that can be made to a running server, whose brain answers as it likes.

Left out are those that lie in the hands of the stand-ins: noise and echo that are mixed into the
line, late marks, the voice without alignment; and those that live on the agent's asking for
something. A number that is asked for comes in a call of its own: the agent file that comes with the
server takes messages.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.conversation.scenes import lines, overlaps, pauses, turns
from benchmarks.conversation.script import Scene, turn

_FAMILIES = {"babble noise", "keyboard noise", "street noise", "echo", "late marks"}
_USUAL = (
    "plain-high",
    "one-word-heart",
    "monologue-low",
    "open-0.8",
    "maybe-0.5",
    "hesitations-1",
    "corrections-2",
    "message-1",
    "backchannels-1",
    "cough-2",
    "interrupt-1",
    "command-1",
    "line-jitter",
)
"""One of each subject: about eight minutes."""


def live_scenes(wanted: Sequence[str] | None = None) -> list[Scene]:
    """Those whose name or subject is ``wanted``; by default one of each subject."""
    modules = (turns, pauses, overlaps, lines)
    known = [scene for module in modules for scene in module.scenes()] + _messages()
    playable = [scene for scene in known if scene.family not in _FAMILIES and scene.aligned]
    if not wanted:
        return sorted(
            (scene for scene in playable if scene.name in _USUAL),
            key=lambda scene: _USUAL.index(scene.name),
        )
    return [
        scene
        for scene in playable
        if any(scene.name.startswith(each) or scene.family == each for each in wanted)
    ]


def _messages() -> list[Scene]:
    """A message with a number in groups: the agent asks for a name first."""
    numbers = (
        ("It's two one two,", 0.8, "five five five,", 1.2, "zero one nine nine."),
        ("five five five", 0.5, "eight six seven", 1.2, "five three zero nine."),
    )
    return [
        Scene(
            f"message-{place + 1}",
            "phone numbers",
            (
                turn("I'd like to leave a message for the dentist."),
                turn("My name is Peter Miller."),
                turn(*parts),
            ),
            voice,
        )
        for place, (parts, voice) in enumerate(zip(numbers, ("heart", "low"), strict=True))
    ]
