"""The console: the talk page, and the few routes through which it places a call of its own.

The page is just another carrier: it announces a call here, gets a token as a webhook would, and
then speaks the Twilio protocol over ``/media-stream``. The page's files hold nothing secret and are
served to anybody; whoever may not talk is told so by the page, since the guard refuses its calls.
"""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, RedirectResponse
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse
from pydantic import BaseModel, StringConstraints
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from api.connection import Refused
from api.errors import GUARDED, errors, expected
from api.guard import TALK_COOKIE, ConsoleGuard
from api.twilio_webhook import STREAM_PATH
from services.call.effects import Purpose
from services.live import LiveCalls, Sight
from services.receptionist.agent import Agent
from services.switchboard.tokens import Announced, Tokens

MAX_TEXT_CHARS = 500
"""The longest turn that can be typed; nobody says more in one breath."""

MAX_BODY_BYTES = 16_384
"""A body of ours is one typed turn at most."""

CALLER = "client:talk"
"""The caller's number, as Twilio would give it for a call out of a browser."""

_WEB = Path(__file__).parent.parent / "web"
_COOKIE_LIFE_S = 60
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-cache",  # ask each time: the page must fit the server that it calls
}


class NewCall(BaseModel):
    """A call has nothing to say about itself yet. That it is JSON keeps other sites' forms out."""


class TypedTurn(BaseModel):
    """A turn that the caller types instead of speaking it."""

    text: Annotated[
        str,
        StringConstraints(
            strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARS, pattern=r"\S"
        ),
    ]


class AgentInfo(BaseModel):
    """Whom the page calls. ``greeting``: the agent's first words."""

    name: str
    business: str
    greeting: str


class AnnouncedCall(BaseModel):
    """All that the page needs to be the carrier of one call.

    ``parameters`` go into ``start`` as they are, the token among them. ``url``, ``events`` and
    ``text`` are paths on this server.
    """

    callSid: str
    streamSid: str
    token: str
    parameters: dict[str, str]
    url: str
    events: str
    text: str
    agent: AgentInfo


class ConsoleRoute(APIRoute):
    """A route whose answers carry the security headers, and whose refusals are ours."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_safely(request: Request) -> Response:
            try:
                response = await handle(request)
            except RequestValidationError as error:
                raise Refused(422, "bad_request", expected(error)) from None
            for name, value in _HEADERS.items():
                response.headers[name] = value
            return response

        return handle_safely


def _behind(guard: ConsoleGuard) -> type[ConsoleRoute]:
    """The route class that asks the guard before anything of a request's body is read."""

    class GuardedRoute(ConsoleRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handle = super().get_route_handler()

            async def handle_guarded(request: Request) -> Response:
                await guard(request)
                length = request.headers.get("content-length", "0")
                if "transfer-encoding" in request.headers or int(length) > MAX_BODY_BYTES:
                    message = f"Expected a body of at most {MAX_BODY_BYTES} bytes, and its length."
                    raise Refused(413, "body_too_large", message)
                return await handle(request)

            return handle_guarded

    return GuardedRoute


class Directory(Protocol):
    """The agents; see ``services.fleet``."""

    @property
    def agents(self) -> Mapping[str, Agent]: ...

    def for_number(self, called: str) -> tuple[str, Agent]: ...


def build(
    guard: ConsoleGuard, tokens: Tokens, live: LiveCalls, agents: Directory, *, web: Path = _WEB
) -> APIRouter:
    """The console's routes; ``web`` is the folder of static files. They raise Refused."""
    router = APIRouter()
    router.include_router(_pages(web))
    router.include_router(_calls(_behind(guard), tokens, live, agents))
    return router


def _pages(web: Path) -> APIRouter:
    """The talk page and its files, for everybody."""
    router = APIRouter(route_class=ConsoleRoute, include_in_schema=False)
    mimetypes.add_type("text/javascript", ".js")  # Windows may know better, and break the modules
    files = StaticFiles(directory=web)

    @router.get("/")
    async def front_page() -> Response:
        return RedirectResponse("/talk")

    @router.get("/talk")
    async def talk_page() -> Response:
        return FileResponse(web / "talk.html", media_type="text/html")

    @router.get("/static/{path:path}")
    async def static_file(path: str, request: Request) -> Response:
        try:
            return await files.get_response(path, request.scope)
        except HTTPException as error:
            raise Refused(error.status_code, "no_such_file", "There is no such file.") from None

    return router


def _chosen(agents: Directory, agent_id: str) -> tuple[str, AgentInfo]:
    """The agent that the page asks for, or the one for any number. Raises Refused."""
    if agent_id and agent_id not in agents.agents:
        known = ", ".join(agents.agents)
        raise Refused(404, "no_such_agent", f"There is no such agent; there are {known}.")
    agent_id = agent_id or agents.for_number("")[0]
    agent = agents.agents[agent_id]
    greeting = agent.line(Purpose.GREETING)
    return agent_id, AgentInfo(name=agent.name, business=agent.business.name, greeting=greeting)


AgentId = Annotated[
    str, Query(max_length=64, description="An agent's id; empty: the one for any number.")
]


def _calls(
    guarded: type[ConsoleRoute], tokens: Tokens, live: LiveCalls, agents: Directory
) -> APIRouter:
    """What the page asks of the server. Behind the guard: talking costs the owner money."""
    router = APIRouter(
        prefix="/console",
        tags=["console"],
        route_class=guarded,
        responses=errors(400, *GUARDED),
    )

    @router.get("/info", responses=errors(404))
    async def info(agent: AgentId = "") -> AgentInfo:
        """Whom the page calls."""
        return _chosen(agents, agent)[1]

    @router.post("/call", status_code=201, responses=errors(404))
    async def announce(
        call: NewCall, request: Request, response: Response, agent: AgentId = ""
    ) -> AnnouncedCall:
        """Announce a call: its stream may be opened once, within a minute."""
        agent_id, about = _chosen(agents, agent)
        call_id = f"CA{secrets.token_hex(16)}"
        token = tokens.announce(Announced(call_id, CALLER, origin="talk", agent=agent_id))
        response.set_cookie(
            TALK_COOKIE,
            token,
            max_age=_COOKIE_LIFE_S,
            path=STREAM_PATH,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return AnnouncedCall(
            callSid=call_id,
            streamSid=f"MZ{secrets.token_hex(16)}",
            token=token,
            parameters={"token": token, "caller": CALLER, "called": ""},
            url=STREAM_PATH,
            events=f"/console/calls/{call_id}/events",
            text=f"/console/calls/{call_id}/text",
            agent=about,
        )

    @router.post("/calls/{call_id}/text", status_code=204, responses=errors(404))
    async def type_text(call_id: str, turn: TypedTurn) -> None:
        """Say something in a live call by typing it."""
        if not live.type_text(call_id, turn.text):
            raise Refused(404, "no_such_call", "There is no such call, or it is over.")

    @router.get("/calls/{call_id}/events", response_class=EventSourceResponse)
    async def events(call_id: str) -> AsyncIterator[Sight]:
        """Server-sent events: what a call's states, captions and latencies are, as they change."""
        async for sight in live.watch(call_id):
            yield sight

    return router
