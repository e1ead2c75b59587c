"""What sounds and words over the agent amount to: do they take the turn from it?"""

from __future__ import annotations

from services.call.agent_side import Agent, AgentSide
from services.call.doubt import Doubt
from services.call.effects import Purpose
from services.call.endpointing import Endpointing
from services.call.events import AfterReply
from services.call.timings import Timings
from services.call.words.speech_acts import OverAgent

_ASKS_FOR_WORDS = (Purpose.REPAIR, Purpose.APOLOGY, Purpose.IDLE_PROMPT, Purpose.IDLE_GOODBYE)
"""Lines over which even a "yes" is an answer: they ask for any sign of the caller."""


class Interruptions:
    """Judges what comes in while a reply is live, and learns whether this line makes sounds of its
    own."""

    def __init__(self, timings: Timings, endpointing: Endpointing, agent: AgentSide) -> None:
        self._timings = timings
        self._endpointing = endpointing
        self._agent = agent
        self._doubt = Doubt()

    @property
    def line_echoes(self) -> bool:
        """Whether sounds over the agent have come to nothing lately."""
        return self._doubt.is_there

    def is_doubtful(self, now: float) -> bool:
        """Whether a sound is believed to be the caller only once it has words."""
        if self._agent.state is not Agent.SPEAKING or self._agent.guarded_until(now):
            return False
        return self._doubt.of_sound(now, self._agent.speaks_since)

    def is_believed(self, text: str) -> bool:
        """Whether the first words of a sound that was doubted are the caller's, and no mere "mhm"
        over the agent."""
        reply = self._agent.reply
        says = reply.playback.begun_text() if reply else self._endpointing.said_last
        act = self._endpointing.over_agent(text, says, is_all=False, echoes=True).act
        if act is OverAgent.BACKCHANNEL:
            return reply is None
        return act is not OverAgent.NOTHING

    def take_the_turn(self, text: str, now: float, *, is_all: bool = True) -> bool:
        """Whether these words, said over the live reply, take the turn from it. ``is_all``: no more
        of them will come."""
        reply = self._agent.reply
        if reply is None or self._agent.is_eager or self._agent.guarded_until(now):
            return False
        says = reply.playback.begun_text()
        act = self._endpointing.over_agent(
            text, says, is_all=is_all, echoes=self._doubt.is_there
        ).act
        if reply.then is AfterReply.TRANSFER and self._endpointing.is_courtesy(text):
            act = OverAgent.BACKCHANNEL
        if act is not OverAgent.BACKCHANNEL:
            return act is not OverAgent.NOTHING
        if reply.then is AfterReply.TRANSFER:
            return False  # "okay, thanks" to "I'll put you through" must not keep them here
        is_answer = reply.playback.unheard_ms <= self._timings.barge_in_tail_ms
        return is_answer or reply.purpose in _ASKS_FOR_WORDS

    def learn(self, text: str, now: float) -> None:
        """A sound with these words is over: was it the caller?"""
        reply = self._agent.reply
        if reply is None or self._agent.is_eager:
            return
        if not text or self._endpointing.repeats(text, reply.playback.begun_text()):
            self._doubt.was_nothing(now)
        elif self._agent.is_held:
            self._doubt.was_caller()
