"""What the REST interface tells of calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from services.store import StoredCall, StoredEscalation, StoredTool, StoredTurn

State = Literal["queued", "ringing", "live", "transferred", "ended"]
Direction = Literal["inbound", "outbound"]
Path = Literal["stream", "record"]


class CallCost(BaseModel):
    """What a call has cost, by the price list of the settings: an estimate."""

    currency: str | None = None
    total: float = 0.0
    parts: dict[str, float] = Field(
        default_factory=dict, description="call, stream, recognition, prompt, answers, voice, texts"
    )


class SpreadModel(BaseModel):
    """How values lie: how many there are, their median and what 95 of 100 do not exceed."""

    count: int
    p50: float | None
    p95: float | None


class EagerModel(BaseModel):
    """Replies that were begun before the caller's turn was certain to be over."""

    begun: int = 0
    used: int = 0


class CallFigures(BaseModel):
    """How fast and how well a call went. Latencies are ms after the caller's last voiced frame;
    `total` is what the caller waited."""

    turns: int = 0
    seconds: float = 0.0
    latency_ms: dict[str, SpreadModel] = Field(default_factory=dict)
    interruptions: int = 0
    silence_prompts: int = 0
    misunderstandings: int = 0
    over_target: int = 0
    talk_ms: int = 0
    listen_ms: int = 0
    talk_to_listen: float | None = None
    eager: EagerModel = EagerModel()


class CallItem(BaseModel):
    """A call, as a list has it."""

    id: str
    sid: str = Field(description="The carrier's id.")
    agent: str
    direction: Direction
    path: Path
    caller: str = Field(description="Who called: of an outbound call our number.")
    called: str = Field(description="Who was called.")
    state: State
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    end_reason: str
    outcome: str
    intent: str
    sentiment: str
    language: str
    summary: str
    has_recording: bool
    cost: CallCost


class CallPage(BaseModel):
    """Calls, newest first."""

    items: list[CallItem]
    next: str | None = Field(description="Ask for the next page with `cursor`; null: it is over.")


class CallTurn(BaseModel):
    """One turn. `heard` is what was said: of the agent's, what the caller heard."""

    number: int
    speaker: Literal["caller", "agent"]
    heard: str
    unheard: str = Field(description="What the agent had wanted to say when it was interrupted.")
    at_ms: int = Field(description="Since the call began.")
    interrupted: bool
    latency_ms: dict[str, float | None]


class CallTool(BaseModel):
    """One use of a tool."""

    tool: str
    code: str
    arguments: dict[str, Any]
    text: str
    at_ms: int
    ms: int


class CallEscalation(BaseModel):
    """A wish to put the caller through to a person, and what became of it."""

    id: str
    person: str
    number: str
    reason: str
    urgency: str
    handling: Literal["cold", "warm"]
    by: str
    state: str
    asked_at: datetime
    settled_at: datetime | None


class LiveState(BaseModel):
    """What both parties of a live call are doing right now."""

    caller: str
    agent: str


class CallDetail(CallItem):
    """All that is on record of a call."""

    purpose: str
    answered_by: str
    error: str
    live: LiveState | None
    turns: list[CallTurn]
    tools: list[CallTool]
    escalations: list[CallEscalation]
    figures: CallFigures


def item(call: StoredCall) -> CallItem:
    """A call for a list."""
    return CallItem(**_plain(call))


def detail(
    call: StoredCall,
    turns: Sequence[StoredTurn],
    tools: Sequence[StoredTool],
    escalations: Sequence[StoredEscalation],
    live: tuple[str, str] | None,
) -> CallDetail:
    """A call with everything."""
    return CallDetail(
        **_plain(call),
        purpose=call.purpose,
        answered_by=call.answered_by,
        error=call.error,
        live=LiveState(caller=live[0], agent=live[1]) if live else None,
        turns=[_turn(each) for each in turns],
        tools=[_tool(each) for each in tools],
        escalations=[_escalation(each) for each in escalations],
        figures=CallFigures(**known(CallFigures, call.figures)),
    )


def known(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that the model has fields for: older records have others."""
    return {name: value for name, value in values.items() if name in model.model_fields}


def _plain(call: StoredCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "sid": call.sid,
        "agent": call.agent,
        "direction": call.direction.value,
        "path": call.path,
        "caller": call.caller,
        "called": call.called,
        "state": call.state.value,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "end_reason": call.end_reason,
        "outcome": call.outcome,
        "intent": call.intent,
        "sentiment": call.sentiment,
        "language": call.language,
        "summary": call.summary,
        "has_recording": bool(call.recording),
        "cost": CallCost(**known(CallCost, call.cost)),
    }


def _turn(turn: StoredTurn) -> CallTurn:
    return CallTurn(
        number=turn.number,
        speaker=turn.speaker.value,
        heard=turn.heard,
        unheard=turn.unheard,
        at_ms=turn.at_ms,
        interrupted=turn.interrupted,
        latency_ms=dict(turn.latencies),
    )


def _tool(use: StoredTool) -> CallTool:
    return CallTool(
        tool=use.tool,
        code=use.code,
        arguments=dict(use.arguments),
        text=use.text,
        at_ms=use.at_ms,
        ms=use.ms,
    )


def _escalation(escalation: StoredEscalation) -> CallEscalation:
    wish = escalation.wish
    return CallEscalation(
        id=escalation.id,
        person=wish.person,
        number=wish.number,
        reason=wish.reason,
        urgency=wish.urgency,
        handling=wish.handling.value,
        by=wish.by,
        state=escalation.state.value,
        asked_at=escalation.asked_at,
        settled_at=escalation.settled_at,
    )
