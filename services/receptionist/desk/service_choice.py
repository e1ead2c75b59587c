"""Which service a caller means, among those for which appointments are made."""

from __future__ import annotations

from services.receptionist.abilities import bookable
from services.receptionist.agent import Service
from services.receptionist.desk import wording as say
from services.receptionist.desk.call import DeskCall
from services.receptionist.nearest import nearest
from services.receptionist.tools import ToolResult
from services.receptionist.understanding.words import normalise

_SOUNDS_LIKE = 75
"""How alike a word that was said is to the name that may be meant: 0 to 100."""


def service_named(call: DeskCall, said: str) -> Service | ToolResult:
    """The service that was named, or what to say about it. The only one need not be named."""
    offered = bookable(call.agent)
    if not offered:
        return say.not_offered()
    words = normalise(said)
    if not words and len(offered) == 1:
        return offered[0]
    by_name = {normalise(name): one for one in offered for name in (one.name, *one.aliases)}
    if words in by_name:
        return by_name[words]
    named = call.lexicon.services(words)
    if found := [one for one in named if one in offered]:
        return found[0]
    names = [one.name for one in offered]
    if named:
        return say.without_appointment(named[0].name, names)
    if close := nearest(words, by_name, _SOUNDS_LIKE):
        return by_name[close]
    return say.unknown_service(names, was_said=bool(words))
