"""What a refused request is answered: ``{"error": {"code": ..., "message": ...}}``, everywhere.

``code`` is for programs, ``message`` is a sentence that says what to do. Neither repeats what was
sent: that may be a caller's words, or a key.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from api.connection import Refused
from services.store import StoreError

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 65_536
"""A body of the REST interface is an agent's file at most."""


class ErrorDetail(BaseModel):
    """Why a request was refused."""

    code: str = Field(description="For programs, like `no_such_call`.")
    message: str = Field(description="For people: what was expected, or what to do.")


class ErrorAnswer(BaseModel):
    """The body of every answer with a status of 400 or more."""

    error: ErrorDetail


_MEANINGS = {
    400: "The request makes no sense.",
    401: "The key or password is missing or wrong.",
    403: "Not allowed.",
    404: "There is nothing of that name.",
    405: "This address takes other methods; see the header Allow.",
    409: "It cannot be done as things are now.",
    413: "The body is too long, or does not tell its length.",
    422: "A parameter or a field of the body is not as it must be.",
    429: "Too many attempts; the header Retry-After says how many seconds to wait.",
    502: "The carrier did not do it.",
    503: "It cannot be done at the moment; try again later.",
}

Responses = dict[int | str, dict[str, Any]]


def errors(*statuses: int) -> Responses:
    """The refusals of a route, for its documentation."""
    return {status: {"model": ErrorAnswer, "description": _MEANINGS[status]} for status in statuses}


def errors_beside_xml(*statuses: int) -> Responses:
    """The same for a route that answers with XML: its refusals are JSON all the same."""
    schema = {"$ref": "#/components/schemas/ErrorAnswer"}
    content = {"application/json": {"schema": schema}}
    return {status: {"description": _MEANINGS[status], "content": content} for status in statuses}


def expected(error: RequestValidationError) -> str:
    """What is wrong with a request, without what was in it: that may be a caller's words."""
    problems = (
        f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}"
        for problem in error.errors()
    )
    return "; ".join(problems)


def install(app: FastAPI) -> None:
    """Make ``app`` answer all refusals, and bugs, in the one form."""
    app.exception_handler(Refused)(_answer_refusal)
    app.exception_handler(HTTPException)(_answer_plainly)
    app.exception_handler(RequestValidationError)(_answer_expected)
    app.exception_handler(StoreError)(_answer_no_store)
    app.exception_handler(Exception)(_answer_bug)


def answer(status: int, code: str, message: str, headers: Any = None) -> JSONResponse:
    """The answer of a refused request."""
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)


async def _answer_refusal(connection: HTTPConnection, refusal: Refused) -> JSONResponse | None:
    if isinstance(connection, WebSocket):
        await connection.close()  # before it was accepted: HTTP 403, all that a browser can see
        return None
    return answer(refusal.status_code, refusal.code, refusal.detail, refusal.headers)


_PLAIN = {
    400: ("bad_request", "The body cannot be read; expected JSON."),
    404: ("not_found", "There is nothing at this address; /docs lists what there is."),
    405: ("method_not_allowed", "This address takes other methods; see the header Allow."),
}


async def _answer_plainly(connection: HTTPConnection, error: HTTPException) -> Response:
    """What the framework refuses by itself."""
    code, message = _PLAIN.get(error.status_code, ("refused", str(error.detail)))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_methods(connection)) or headers.get("Allow", "")
    return answer(error.status_code, code, message, headers)


def _methods(connection: HTTPConnection) -> list[str]:
    """What the address can do: each route knows only its own methods."""
    routes = [route for route in iter_route_contexts(connection.app.routes) if route.path]
    here = connection.scope["path"]
    paths = (each.path for each in routes if (p := _pattern(each)) and p.match(here))
    first = next(paths, None)
    found = [route for route in routes if route.path == first]
    # A hidden route beside others only says what they are for.
    told = [route for route in found if getattr(route, "include_in_schema", True)] or found
    return sorted({method for route in told for method in route.methods or ()})


def _pattern(route: RouteContext) -> re.Pattern[str] | None:
    return getattr(route, "path_regex", None)


async def _answer_expected(connection: HTTPConnection, error: RequestValidationError) -> Response:
    return answer(422, "bad_request", expected(error))


async def _answer_no_store(connection: HTTPConnection, error: StoreError) -> Response:
    log.error("a request was refused: %s", error)
    return answer(503, "no_database", "The database does not answer; try again in a moment.")


async def _answer_bug(connection: HTTPConnection, error: Exception) -> Response:
    """The server logs the bug itself; here only somebody waits for an answer."""
    return answer(500, "internal_error", "The server made a mistake; its log says more.")


# --- routes behind a guard ------------------------------------------------------------------------

Guard = Callable[[Request], Coroutine[Any, Any, None]]
"""Raises Refused unless the request may come in."""


def guarded_route(guard: Guard) -> type[APIRoute]:
    """The route class that asks ``guard`` before anything of a request's body is read."""

    class GuardedRoute(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_guarded(request: Request) -> Response:
                await guard(request)
                _check_length(request.headers.get("content-length", "0"), request)
                try:
                    response = await handle(request)
                except RequestValidationError as error:
                    raise Refused(422, "bad_request", expected(error)) from None
                except HTTPException as error:
                    if error.status_code != 400 or isinstance(error, Refused):
                        raise
                    message = "The body cannot be read; expected JSON in UTF-8."
                    raise Refused(422, "bad_request", message) from None
                response.headers.setdefault("Cache-Control", "no-store")
                return response

            return handle_guarded

    return GuardedRoute


def _check_length(length: str, request: Request) -> None:
    is_short = length.isdecimal() and int(length) <= MAX_BODY_BYTES
    if "transfer-encoding" in request.headers or not is_short:
        message = f"Expected a body of at most {MAX_BODY_BYTES} bytes, and its length."
        raise Refused(413, "body_too_large", message)


GUARDED: Sequence[int] = (401, 403, 413, 422, 429, 503)
"""How any guarded route may refuse."""
