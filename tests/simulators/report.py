"""What happened in a call, measured from the sound and the clock after the call. Pure numpy.

All times are ms since the ``start`` message. Both sides lie on one clock: sample ``n`` of either
channel is what left the caller's mouth, or reached the caller's ear, ``n / 8`` ms after the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from tests.simulators.line import LineConditions, mix
from tests.simulators.mulaw import BYTES_PER_MS, Pcm, decode
from tests.simulators.playback import Playback
from tests.simulators.record import Record
from tests.simulators.sound import Segment, segments

GAP_MS = (1.0, 2000.0)
"""A hole in the agent's playback between these lengths is a gap; a longer one is a new reply."""

_IDLE_MS = 100.0  # a shorter hole in the playback is not a pause, only a gap

_COUGH_MS = 150
_STRAGGLER_MS = 300
"""Audio that was under way when the clear was sent may still be heard; the clear comes by then."""

EndedBy = Literal["caller", "server"]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline."""

    ms: float
    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """From the caller's last audible sample (or key) to the agent's first one in answer."""

    caller_end_ms: float
    agent_start_ms: float

    @property
    def ms(self) -> float:
        """The response latency."""
        return self.agent_start_ms - self.caller_end_ms


@dataclass(frozen=True, slots=True)
class BargeInStop:
    """From the caller's first voiced frame, as sent, to the agent's last audible sample."""

    caller_start_ms: float
    agent_end_ms: float

    @property
    def ms(self) -> float:
        """The barge-in stop time."""
        return max(0.0, self.agent_end_ms - self.caller_start_ms)


@dataclass(frozen=True, slots=True)
class Gap:
    """The playback queue ran dry although the same reply went on."""

    start_ms: float
    ms: float


@dataclass(frozen=True, slots=True)
class FrameTiming:
    """How punctually the caller's packets left: lateness against deadlines from the start, in ms.

    ``drift_ms``: mean lateness of the last quarter minus that of the first.
    """

    count: int = 0
    mean_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0
    drift_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One line of the transcript."""

    ms: float
    speaker: Literal["caller", "agent"]
    text: str


@dataclass(slots=True)
class Report:
    """Everything about one call.

    ``failure`` is empty if the script ran through. ``unheard_ms``: agent speech that was still
    queued when the call ended. ``audio`` is ``(caller, agent)``, two equally long 8 kHz channels.
    """

    call_sid: str
    stream_sid: str
    ended_by: EndedBy
    ended_ms: float
    failure: str
    protocol_errors: list[str]
    events: list[Event]
    audio: tuple[Pcm, Pcm]
    caller_segments: list[Segment]
    agent_segments: list[Segment]
    greeting_ms: float | None
    turns: list[TurnLatency]
    barge_ins: list[BargeInStop]
    gaps: list[Gap]
    frames: FrameTiming
    unheard_ms: float
    agent_media: list[tuple[float, int]]
    transcript: list[TranscriptLine] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """No protocol errors, and the script ran through."""
        return not self.protocol_errors and not self.failure

    @property
    def latencies(self) -> list[float]:
        """Response latency per turn, ms."""
        return [turn.ms for turn in self.turns]

    @property
    def barge_in_stops(self) -> list[float]:
        """Stop time per barge-in, ms."""
        return [stop.ms for stop in self.barge_ins]


def analyse(
    *,
    call_sid: str,
    stream_sid: str,
    record: Record,
    playback: Playback,
    conditions: LineConditions,
    noise: Pcm | None,
    events: Sequence[Event],
    errors: Sequence[str],
    failure: str,
) -> Report:
    """Measure a finished call."""
    voice = caller_voice(record)
    agent = agent_audio(playback, record.ended_ms)
    spoke = segments(voice, turns=playback_begins(playback))
    ends = [segment.end_ms for segment in spoke] + record.keys_pressed
    heard = segments(agent, playback.clears, ends)
    return Report(
        call_sid=call_sid,
        stream_sid=stream_sid,
        ended_by="server" if record.closed_by_server else "caller",
        ended_ms=record.ended_ms,
        failure=failure,
        protocol_errors=[*errors, *record.errors],
        events=sorted([*events, *_speech_events(spoke, heard)], key=lambda event: event.ms),
        audio=_one_length(voice, agent, noise),
        caller_segments=spoke,
        agent_segments=heard,
        greeting_ms=heard[0].start_ms if heard else None,
        turns=turn_latencies(ends, spoke, heard),
        barge_ins=barge_in_stops(spoke, heard, playback.clears, record, conditions.packet_ms),
        gaps=playback_gaps(playback, ends, spoke),
        frames=frame_timing(record.sent, conditions.packet_ms),
        unheard_ms=record.unheard_ms,
        agent_media=record.agent_media,
    )


# --- the two channels -----------------------------------------------------------------------------


def caller_voice(record: Record) -> Pcm:
    """What the caller said, without the line's noise and losses, up to the end of the call."""
    voice = np.zeros(int(record.ended_ms * BYTES_PER_MS), dtype=np.int16)
    for spoken in record.spoken:
        _place(voice, spoken.start_ms, decode(spoken.clip.audio))
    return voice


def agent_audio(playback: Playback, ended_ms: float) -> Pcm:
    """What the caller heard, up to the end of the call."""
    heard = np.zeros(int(ended_ms * BYTES_PER_MS), dtype=np.int16)
    for run in playback.runs:
        _place(heard, run.start_ms, decode(run.audio))
    return heard


def _place(channel: Pcm, start_ms: float, sound: Pcm) -> None:
    begin = round(start_ms * BYTES_PER_MS)
    part = sound[: max(0, len(channel) - begin)]
    channel[begin : begin + len(part)] = part


def _one_length(voice: Pcm, agent: Pcm, noise: Pcm | None) -> tuple[Pcm, Pcm]:
    if noise is None:
        return voice, agent
    return mix(voice, noise, 0), agent


# --- measures -------------------------------------------------------------------------------------


def turn_latencies(
    caller_ends: Sequence[float], spoke: Sequence[Segment], heard: Sequence[Segment]
) -> list[TurnLatency]:
    """One latency for each agent segment that answers something the caller said or keyed.

    An agent segment that begins while the caller is speaking answers nothing.
    """
    turns = []
    answered = -np.inf
    for segment in heard:
        start = segment.start_ms
        ends = [end for end in caller_ends if answered < end <= start]
        over_caller = any(said.start_ms < start < said.end_ms for said in spoke)
        if ends and not over_caller:
            turns.append(TurnLatency(max(ends), start))
        answered = start
    return turns


def barge_in_stops(
    spoke: Sequence[Segment],
    heard: Sequence[Segment],
    clears: Sequence[float],
    record: Record,
    packet_ms: float,
) -> list[BargeInStop]:
    """One stop time for each caller segment that begins while the agent is audible.

    A sound as short as a cough, over which the agent speaks on, is no attempt to stop it.
    """
    left = dict(record.sent)
    stops = []
    for said in spoke:
        for agent in heard:
            stopped = any(said.start_ms <= at <= agent.end_ms + _STRAGGLER_MS for at in clears)
            tried = stopped or said.ms >= _COUGH_MS
            if agent.start_ms <= said.start_ms < agent.end_ms and tried:
                packet = int(said.start_ms / packet_ms)
                sent_ms = left.get(packet, (packet + 1) * packet_ms)
                stops.append(BargeInStop(sent_ms, agent.end_ms))
    return stops


def playback_begins(playback: Playback) -> list[float]:
    """When the agent began to play something after the line had been idle, ms."""
    begins = [run.start_ms for run in playback.runs[:1]]
    for before, after in zip(playback.runs, playback.runs[1:], strict=False):
        if after.start_ms - before.end_ms >= _IDLE_MS:
            begins.append(after.start_ms)
    return begins


def playback_gaps(
    playback: Playback, caller_ends: Sequence[float], spoke: Sequence[Segment]
) -> list[Gap]:
    """The holes inside the agent's replies: no clear in them, and nothing new to answer."""
    shortest, longest = GAP_MS
    gaps = []
    for before, after in zip(playback.runs, playback.runs[1:], strict=False):
        begin, end = before.end_ms, after.start_ms
        if not shortest <= end - begin <= longest:
            continue
        since = end - longest
        answers = any(since <= at <= end for at in caller_ends) or any(
            said.start_ms < end and said.end_ms > begin for said in spoke
        )
        if not answers and not any(begin - 1 <= at <= end for at in playback.clears):
            gaps.append(Gap(begin, end - begin))
    return gaps


def frame_timing(sent: Sequence[tuple[int, float]], packet_ms: float) -> FrameTiming:
    """Lateness of the caller's packets. Means little where jitter was asked for."""
    if not sent:
        return FrameTiming()
    packets, left = np.array(sent, dtype=np.float64).T
    late = left - (packets + 1) * packet_ms
    quarter = max(1, len(late) // 4)
    return FrameTiming(
        count=len(late),
        mean_ms=float(late.mean()),
        p99_ms=float(np.percentile(late, 99)),
        max_ms=float(late.max()),
        drift_ms=float(late[-quarter:].mean() - late[:quarter].mean()),
    )


def _speech_events(spoke: Sequence[Segment], heard: Sequence[Segment]) -> list[Event]:
    events = []
    for who, found in (("caller", spoke), ("agent", heard)):
        for segment in found:
            events.append(Event(segment.start_ms, who, "becomes audible"))
            events.append(Event(segment.end_ms, who, f"silent after {segment.ms:.0f} ms"))
    return events
