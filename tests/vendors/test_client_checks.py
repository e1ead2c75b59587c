"""What a check of a model's place finds out: a refused key, an unknown model, a silent server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.vendors import VendorError
from services.vendors.clients import Clients
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai import OpenAISimulator
from tests.virtual_time import run_virtual

MODEL = "gpt-5.4-mini"


async def code_of(made: Clients, url: str, key: str, model: str = MODEL) -> str:
    """What is wrong there, as a code; "" if nothing is."""
    try:
        await made.check(key, url, model)
    except VendorError as error:
        return error.code
    return ""


def with_clients(work: Callable[[Clients], Awaitable[None]]) -> None:
    async def run() -> None:
        made = Clients()
        try:
            await work(made)
        finally:
            await made.close()

    run_virtual(run())


def test_it_finds_a_refused_key_and_an_unknown_model() -> None:
    async def work(made: Clients) -> None:
        async with OpenAISimulator() as vendor:
            assert await code_of(made, vendor.url, vendor.key) == ""
            assert await code_of(made, vendor.url, "another") == "401"
            assert await code_of(made, vendor.url, vendor.key, "gpt-0") == "404"

    with_clients(work)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": {"message": 'model "llama3" not found', "type": "not_found_error"}}, "404"),
        ({"error": {"message": "gone", "code": "model_not_found"}}, "404"),
        ({"detail": "Not Found"}, ""),
        ({"error": {"message": "Not Found", "code": 404}}, ""),
        ("404 page not found", ""),
    ],
)
def test_a_server_that_does_not_tell_of_its_models_is_believed_to_have_them(
    body: Any, expected: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response(body, status=404)

    async def work(made: Clients) -> None:
        app = web.Application()
        app.add_routes([web.get("/v1/models/{model}", answer)])
        async with TestServer(app) as server:
            url = f"http://127.0.0.1:{server.port}"
            assert await code_of(made, url, "ollama", "llama3") == expected

    with_clients(work)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_is_busy_is_there(status: int) -> None:
    async def work(made: Clients) -> None:
        async with OpenAISimulator() as vendor:
            vendor.faults.order("models", Fault(Trouble.STATUS, status))
            assert await code_of(made, vendor.url, vendor.key) == ""

    with_clients(work)


def test_it_gives_up_on_a_silent_server() -> None:
    async def work(made: Clients) -> None:
        async with OpenAISimulator() as vendor:
            vendor.faults.order("models", Fault(Trouble.STALL_FIRST))
            begun = asyncio.get_running_loop().time()
            assert await code_of(made, vendor.url, vendor.key) == "unreachable"
            assert asyncio.get_running_loop().time() - begun <= 3.0

    with_clients(work)


def test_the_connection_that_it_has_made_is_the_one_that_the_first_turn_takes() -> None:
    async def work(made: Clients) -> None:
        async with OpenAISimulator() as vendor:
            assert await code_of(made, vendor.url, vendor.key) == ""
            client = made.openai(vendor.key, vendor.url)
            asked: Any = [{"role": "user", "content": "When are you open?"}]
            await client.chat.completions.create(model=MODEL, messages=asked)
            assert vendor.connections == 1

    with_clients(work)
