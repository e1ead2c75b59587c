"""The media stream's door: which token opens which stream."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from api import media_stream
from services.switchboard.tokens import Announced, Tokens
from tests.exchange import PublicSide

OURS = Announced("OUT1", "+1", "+2", sid="CA1", direction="outbound")
THEIRS = Announced("CA1", "+1", "+2")


class Calls:
    """Takes every call and ends it at once."""

    def __init__(self) -> None:
        self.held: list[Announced] = []

    async def hold(self, socket: Any, carrier: Any, announced: Announced) -> bool:
        self.held.append(announced)
        await socket.close()
        return True


def start(token: str, call_sid: str) -> str:
    details = {
        "streamSid": "MZ1",
        "callSid": call_sid,
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"token": token},
    }
    return json.dumps({"event": "start", "streamSid": "MZ1", "start": details})


def knock(path: str, call: Announced, call_sid: str = "CA1") -> tuple[int, list[Announced]]:
    """Open a stream with the token of this call; the close code, and the calls that were held."""
    tokens, calls, app = Tokens(), Calls(), FastAPI()
    app.include_router(media_stream.build(PublicSide(), tokens, calls))  # type: ignore[arg-type]
    with TestClient(app).websocket_connect(path) as socket:
        socket.send_text(start(tokens.announce(call), call_sid))
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_text()
    return closed.value.code, calls.held


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/media-stream", THEIRS),
        ("/media-stream", OURS),
        ("/media-stream/OUT1", OURS),
        ("/media-stream/CA1", THEIRS),
    ],
)
def test_a_token_opens_the_stream_of_its_call(path: str, call: Announced, slash: str) -> None:
    assert knock(path + slash, call) == (1000, [call])


@pytest.mark.parametrize(
    ("path", "call", "call_sid"),
    [
        ("/media-stream/OUT2", OURS, "CA1"),
        ("/media-stream/CA1", OURS, "CA1"),
        ("/media-stream/OUT1", THEIRS, "CA1"),
        ("/media-stream/OUT1", OURS, "CA2"),
        ("/media-stream/OUT1", OURS, "OUT1"),
        ("/media-stream", THEIRS, "CA2"),
    ],
)
def test_a_token_opens_no_other_stream(path: str, call: Announced, call_sid: str) -> None:
    assert knock(path, call, call_sid) == (1008, [])
