"""The brain on a language model that fails, in every way there is; on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from services.llm import BrainEvent
from services.llm.openai import OpenAIBrain, OpenAIOptions
from services.vendors import VendorError
from services.vendors.clients import openai_client
from tests.llm.openai_call import (
    ANSWER,
    HOURS,
    MESSAGE,
    MODEL,
    NOW,
    PROMPT,
    Call,
    all_of,
    call,
    chunk,
    now,
    text,
    uses,
    virtual,
)
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai import OpenAISimulator, ToolCall
from tests.virtual_time import run_virtual

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


@pytest.mark.parametrize(
    ("fault", "code", "at_once", "after_s"),
    [
        (Fault(Trouble.RESET), "connection lost", False, 0.1),
        (Fault(Trouble.STATUS, 401), "invalid_api_key", True, 0.1),
        (Fault(Trouble.STATUS, 403), "forbidden", True, 0.1),
        (Fault(Trouble.STATUS, 429), "rate_limit_exceeded", False, 0.1),
        (Fault(Trouble.STATUS, 429, reason="insufficient_quota"), "insufficient_quota", True, 0.1),
        (Fault(Trouble.STATUS, 500), "500", False, 0.1),
        (Fault(Trouble.STALL_FIRST), "first byte timeout", True, 4.1),
    ],
)
def test_what_fails_before_the_first_token(
    fault: Fault, code: str, at_once: bool, after_s: float
) -> None:
    async def test() -> None:
        async with call() as one:
            one.simulator.faults.order("chat", fault)
            began = now()
            with pytest.raises(VendorError) as caught:
                await one.say()
            assert (caught.value.code, caught.value.at_once) == (code, at_once)
            assert now() - began < after_s
            assert OpenAISimulator.usual_key not in str(caught.value)
            assert caught.value.__suppress_context__

    run_virtual(test())


@pytest.mark.parametrize(
    ("trouble", "code", "at_once"),
    [
        (Trouble.STALL_MID, "stall", True),
        (Trouble.MALFORMED, "malformed", False),
        (Trouble.CUT, "connection lost", False),
        (Trouble.CLOSE, "server_error", False),
    ],
)
def test_what_fails_in_the_middle(trouble: Trouble, code: str, at_once: bool) -> None:
    async def test() -> None:
        async with call() as one:
            one.simulator.faults.order("chat", Fault(trouble))
            began = now()
            items: list[BrainEvent] = []
            with pytest.raises(VendorError) as caught:
                await one.collect(items)
            assert ANSWER.startswith(text(items))
            assert items
            assert (caught.value.code, caught.value.at_once) == (code, at_once)
            assert now() - began < 3
            await asyncio.sleep(0.1)
            assert not one.simulator.sent  # it is answering nothing any more

    run_virtual(test())


@pytest.mark.parametrize(("said", "is_taken"), [("", False), ("One moment.", True)])
def test_a_tools_arguments_that_take_too_long_leave_time_for_another_brain(
    said: str, is_taken: bool
) -> None:
    """Unless something is said before: then the reply is not given up."""

    async def test() -> None:
        message = ToolCall("take_message", MESSAGE | {"message": "x" * 400})
        async with call([[said, message] if said else message, "Done."]) as one:
            one.simulator.model.tokens_per_s = 5
            items: list[BrainEvent] = []
            if is_taken:
                await one.collect(items)
                assert text(items) == f"{said} Done."
            else:
                with pytest.raises(VendorError, match="stall"):
                    await one.collect(items)
                assert now() < 7
            assert bool(uses(items)) is is_taken

    run_virtual(test())


def test_blanks_are_no_sign_of_life() -> None:
    async def test() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK + b"Connection: close\r\n\r\n")
            writer.write(b"data: %b\n\n" % chunk({"content": "Sure,"}))
            with suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(b"data: %b\n\n" % chunk({"content": "\n"}))
                    await asyncio.sleep(0.5)
            writer.close()

        async with serving(serve) as brain:
            with pytest.raises(VendorError, match="stall"):
                await all_of(brain.respond(1, HOURS))
            assert now() < 2
            await asyncio.sleep(1)  # the server sees it

    run_virtual(test())


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[OpenAIBrain]:
    """A brain whose server is this."""
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        async with openai_client("key", url) as client:
            yield OpenAIBrain(client, OpenAIOptions(MODEL), PROMPT, lambda: NOW)


async def answered_with(answer: bytes) -> VendorError:
    """What a server gets us to raise that answers so, whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with serving(serve) as brain:
        with pytest.raises(VendorError) as caught:
            await all_of(brain.respond(1, HOURS))
        return caught.value


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTQ/9 what\r\n\r\n", "malformed"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "malformed"),  # a TLS alert
        (OK + b"no header line\r\n\r\n", "malformed"),
        (OK + b"X: " + b"a" * 20_000 + b"\r\n\r\n", "malformed"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nwhat\r\n", "malformed"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", "malformed"),
        (b"HTTP/1.1 307 X\r\nLocation: ftp://a/b\r\nContent-Length: 0\r\n\r\n", "malformed"),
        (b'HTTP/1.1 500 X\r\nContent-Length: 14\r\n\r\n{"error":"hi"}', "500"),
        (b'HTTP/1.1 500 X\r\nContent-Length: 13\r\n\r\n{"error":[1]}', "500"),
        (b"HTTP/1.1 401 X\r\nContent-Length: 2\r\n\r\n[]", "401"),
        (b'HTTP/1.1 500 X\r\nContent-Length: 100\r\n\r\n{"er', "connection lost"),
        (b"", "connection lost"),
    ],
)
def test_whatever_a_server_answers_is_a_failure_of_ours(answer: bytes, code: str) -> None:
    assert run_virtual(answered_with(answer)).code == code


def test_a_caller_whose_words_are_refused_closes_the_model_for_nobody_else() -> None:
    body = b'{"error":{"message":"filtered","code":"content_filter"}}'
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\n"
    answer = head + b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    error = run_virtual(answered_with(answer))
    assert (error.code, error.only_here) == ("content_filter", True)


@virtual
async def test_a_wrong_key_and_a_closed_port_are_no_use_trying_again() -> None:
    async with call(key="wrong") as one:
        with pytest.raises(VendorError, match="invalid_api_key") as caught:
            await one.say()
        assert caught.value.at_once
        url = one.simulator.url
    async with openai_client("k", f"{url}/v1") as client:
        with pytest.raises(VendorError, match="refused") as caught:
            await Call(one.simulator, client).say()
        assert caught.value.at_once


@pytest.mark.parametrize("key", ["test-key\n", "test-k\u00e9y"])
def test_a_key_that_no_header_can_hold_is_a_failure_like_others(key: str) -> None:
    async def test() -> None:
        async with call(key=key) as one:
            with pytest.raises(VendorError, match="bad key") as caught:
                await one.say()
            assert caught.value.at_once

    run_virtual(test())


@virtual
async def test_a_server_that_refuses_tools_is_asked_without_and_remembered() -> None:
    async with call((ANSWER, ANSWER)) as one:
        one.simulator.faults.order("chat", Fault(Trouble.STATUS, 400), 1)
        assert text(await one.say()) == ANSWER
        assert text(await one.say()) == ANSWER
        assert [set(body) & {"tools", "stream_options"} for body in one.requests] == [set()] * 2
        assert len(one.simulator.entries("refused")) == 1
        one.simulator.errors.clear()


@virtual
async def test_signs_of_life_are_no_words() -> None:
    """Comments and empty deltas do not keep an answer waiting for ever."""

    class Response:
        async def aiter_bytes(self) -> Any:
            yield b"data: " + chunk({"content": "We are "}) + b"\n\n"
            for _ in range(20):
                await asyncio.sleep(0.5)
                yield b": ping\n\ndata: " + chunk({"content": ""}) + b"\n\n"

        async def aclose(self) -> None:
            pass

    async def post(messages: Any) -> Any:
        return Response()

    async with call() as one:
        one.brain._post = post
        began = now()
        with pytest.raises(VendorError, match="stall"):
            await one.say()
        assert now() - began == pytest.approx(1.2)


@virtual
async def test_an_answer_of_nothing_is_a_failure() -> None:
    async with call(("",)) as one:
        with pytest.raises(VendorError, match="empty"):
            await one.say()
