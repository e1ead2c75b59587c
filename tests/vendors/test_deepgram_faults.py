"""The simulated Deepgram's faults: each breaks what it says, for both kinds of sockets."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.deepgram import DeepgramSimulator
from tests.vendors.deepgram_client import EAGER, LIVE, QUERY, QUIET, VOICE, dial, in_simulator

SOCKETS = pytest.mark.parametrize(
    ("endpoint", "path", "query"),
    [("listen", "/v1/listen", LIVE), ("flux", "/v2/listen", EAGER)],
)


@SOCKETS
@pytest.mark.parametrize("status", [401, 402, 429, 500])
def test_an_upgrade_is_refused_with_a_status_as_often_as_ordered(
    endpoint: str, path: str, query: dict[str, str], status: int
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, Fault(Trouble.STATUS, status=status), times=1)
        with pytest.raises(InvalidStatus) as error:
            await dial(simulator, query, path)
        headers = error.value.response.headers
        assert error.value.response.status_code == status
        assert headers["dg-error"]
        assert ("Retry-After" in headers) is (status == 429)
        await (await dial(simulator, query, path)).hang_up()

    assert in_simulator(work).errors == []


@SOCKETS
def test_an_upgrade_is_reset_or_never_answered(
    endpoint: str, path: str, query: dict[str, str]
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, Fault(Trouble.RESET), times=1)
        with pytest.raises((ConnectionError, InvalidMessage, EOFError)):
            await dial(simulator, query, path)
        simulator.faults.order(endpoint, Fault(Trouble.STALL_FIRST), times=1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(dial(simulator, query, path), 5)

    assert in_simulator(work).errors == []


@SOCKETS
def test_a_stalled_socket_says_nothing_after_the_first_words(
    endpoint: str, path: str, query: dict[str, str]
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, Fault(Trouble.STALL_MID))
        talk = await dial(simulator, query, path)
        await talk.play(VOICE, 3000)
        await talk.play(QUIET, 3000)
        await talk.send("CloseStream")
        await asyncio.sleep(30)
        spoken = [message for message in talk.of("Results", "StartOfTurn")]
        assert len(spoken) == 1
        assert talk.got[-1][1] is spoken[0]
        assert talk.closed is None
        await talk.hang_up()

    assert in_simulator(work).errors == []


@SOCKETS
def test_a_malformed_answer_is_no_message_of_the_protocol(
    endpoint: str, path: str, query: dict[str, str]
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, Fault(Trouble.MALFORMED))
        talk = await dial(simulator, query, path)
        await talk.play(VOICE, 3000)
        await talk.play(QUIET, 3000)
        await talk.hang_up()
        got = [message for _, message in talk.got if message != talk.got[0][1]]
        assert got
        assert any(isinstance(message, bytes) for message in got)
        assert not any(isinstance(message, dict) and message.get("channel") for message in got)

    in_simulator(work)


@SOCKETS
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(Trouble.CUT), (1006, "")),
        (Fault(Trouble.CLOSE, code=1008, reason="DATA-0000"), (1008, "DATA-0000")),
        (Fault(Trouble.CLOSE, code=1011, reason="NET-0000"), (1011, "NET-0000")),
        (Fault(Trouble.CLOSE, code=1011, reason="NET-0001"), (1011, "NET-0001")),
    ],
)
def test_a_socket_breaks_in_the_middle_of_the_callers_speech(
    endpoint: str, path: str, query: dict[str, str], fault: Fault, code: tuple[int, str]
) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order(endpoint, fault, times=1)
        talk = await dial(simulator, query, path)
        await talk.play(QUIET, 400)
        with pytest.raises(ConnectionClosed):
            await talk.play(VOICE, 2000)
        assert await talk.end() == code
        assert asyncio.get_running_loop().time() == pytest.approx(0.7, abs=0.05)
        assert not [message for message in talk.of("Results", "EndOfTurn")]

    simulator = in_simulator(work)
    assert simulator.errors == []
    assert simulator.entries("closed")[0].detail == {"code": code[0], "by": "server"}


@pytest.mark.parametrize("trouble", [Trouble.MALFORMED, Trouble.CUT, Trouble.STALL_MID])
def test_the_answer_to_a_file_breaks(trouble: Trouble) -> None:
    async def work(simulator: DeepgramSimulator) -> None:
        simulator.faults.order("file", Fault(trouble))
        async with httpx.AsyncClient(trust_env=False, timeout=3) as client:
            request = client.post(
                f"{simulator.url}/v1/listen",
                params=QUERY,
                content=VOICE * 50,
                headers={"Authorization": f"Token {simulator.key}"},
            )
            if trouble is Trouble.MALFORMED:
                with pytest.raises(ValueError, match="Expecting value"):
                    (await request).json()
            else:
                with pytest.raises(httpx.TransportError):
                    await request

    in_simulator(work)
