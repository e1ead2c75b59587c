"""Twilio's REST interface over a real socket: calls, text messages, recordings.

Source: https://www.twilio.com/docs/voice/api/call-resource, .../docs/messaging/api/message-resource
and .../docs/voice/api/recording. Time passes for it as for the whole carrier.
"""

from __future__ import annotations

import base64
import email.utils
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web

from tests.simulators import twilio_wire as wire
from tests.simulators.carrier import rest_checks as checks
from tests.simulators.carrier.documents import read
from tests.simulators.carrier.ledger import Request, Text, joined
from tests.simulators.carrier.legs import Leg
from tests.simulators.carrier.progress import Callbacks, Detection
from tests.simulators.carrier.rest_checks import Problem
from tests.simulators.carrier.web import Fetch

if TYPE_CHECKING:
    from tests.simulators.carrier.box import Carrier

_FORM = "application/x-www-form-urlencoded"
_FIELDS = web.RequestKey("fields", dict[str, list[str]])


class Server:
    """Serves one carrier's REST interface."""

    def __init__(self, carrier: Carrier, port: int = 0) -> None:
        self._carrier = carrier
        self._port = port
        account = "/2010-04-01/Accounts/{account}"
        app = web.Application(middlewares=[self._door])
        app.router.add_post(account + "/Calls.json", self._create_call)
        app.router.add_get(account + "/Calls/{sid}.json", self._fetch_call)
        app.router.add_post(account + "/Calls/{sid}.json", self._update_call)
        app.router.add_post(account + "/Messages.json", self._create_text)
        app.router.add_get(account + "/Recordings/{sid}", self._recording)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)

    async def start(self) -> str:
        """Serve; returns the address."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Serve no longer."""
        await self._runner.cleanup()

    # --- the door -----------------------------------------------------------------------------

    @web.middleware
    async def _door(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        pairs = parse_qsl(await request.text(), keep_blank_values=True)
        entry = Request(self._carrier.now_s(), "rest", request.method, request.path, joined(pairs))
        self._carrier.rest.append(entry)
        fields: dict[str, list[str]] = {}
        for name, value in pairs:
            fields.setdefault(name, []).append(value)
        request[_FIELDS] = fields
        try:
            self._authenticate(request)
            response = await self._with_trouble(request, handler)
        except Problem as problem:
            entry.code = problem.code
            if problem.code in checks.MALFORMED:
                self._carrier.error("", f"{problem.code}: {entry}: {problem.message}")
            response = _refused(problem)
        except web.HTTPNotFound:
            response = _refused(_not_found(request))
        entry.status = response.status
        refused = f" (code {entry.code})" if entry.code else ""
        self._carrier.note("", f"rest: {entry} <- {response.status}{refused}")
        return response

    def _authenticate(self, request: web.Request) -> None:
        keys = f"{self._carrier.account_sid}:{self._carrier.auth_token}".encode()
        wanted = "Basic " + base64.b64encode(keys).decode()
        if request.headers.get("Authorization") != wanted:
            raise Problem(401, 20003, "Authenticate")
        if request.match_info.get("account", self._carrier.account_sid) != (
            self._carrier.account_sid
        ):
            raise _not_found(request)
        if request.method == "POST" and request.content_type != _FORM:
            raise Problem(400, 20001, f"a body of the type {request.content_type}")

    async def _with_trouble(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        refusals = self._carrier.trouble.refusals
        refusal = refusals.pop(0) if request.method == "POST" and refusals else None
        if refusal is None:
            return await handler(request)
        if refusal.is_done:
            await handler(request)
        await self._carrier.sleep(refusal.delay_s)
        if refusal.status == 0:
            assert request.transport is not None
            request.transport.abort()
        raise Problem(refusal.status or 503, refusal.code, refusal.message)

    # --- calls --------------------------------------------------------------------------------

    async def _create_call(self, request: web.Request) -> web.Response:
        carrier, fields = self._carrier, request[_FIELDS]
        checks.create_call(fields, carrier.numbers)
        one = {name: values[0] for name, values in fields.items()}
        leg = Leg(
            carrier,
            sid=wire.new_sid("CA"),
            from_=one["From"],
            to=one["To"],
            direction="outbound-api",
            party=carrier.party(one["To"]),
            fallback=one.get("FallbackUrl", ""),
            callbacks=Callbacks(
                one.get("StatusCallback", ""),
                one.get("StatusCallbackMethod", "POST"),
                fields.get("StatusCallbackEvent", ["completed"]),
            ),
        )
        first = self._source(one) or Fetch("voice", one["Url"], one.get("Method", "POST"))
        detection = None
        if one.get("MachineDetection"):
            detection = Detection(
                one["MachineDetection"] == "DetectMessageEnd",
                one.get("AsyncAmdStatusCallback", ""),
                one.get("AsyncAmdStatusCallbackMethod", "POST"),
            )
        body = self._call(leg)
        work = leg.go_out(first, float(one.get("Timeout", 60)), detection)
        carrier.start(work, f"out {leg.sid}")
        return web.json_response(body, status=201)

    async def _fetch_call(self, request: web.Request) -> web.Response:
        return web.json_response(self._call(self._leg(request)))

    async def _update_call(self, request: web.Request) -> web.Response:
        leg, fields = self._leg(request), request[_FIELDS]
        checks.update_call(fields)
        one = {name: values[0] for name, values in fields.items()}
        if one.get("Status") and leg.is_over:
            raise _not_found(request)  # as seen in the field, although the call is on record
        if one.get("Status") == "completed" or (
            one.get("Status") == "canceled" and leg.answered_s is None
        ):
            leg.hang_up("by REST")
        elif not one.get("Status"):
            if leg.status != "in-progress":
                raise Problem(400, 21220, "Invalid call state: Call is not in-progress.")
            source = self._source(one) or Fetch("redirect", one["Url"], one.get("Method", "POST"))
            leg.redirect(source)
        return web.json_response(self._call(leg))

    @staticmethod
    def _source(one: dict[str, str]) -> Any:
        return read(one["Twiml"], "") if one.get("Twiml") else None

    def _leg(self, request: web.Request) -> Leg:
        leg = self._carrier.calls.get(request.match_info["sid"])
        if leg is None:
            raise _not_found(request)
        return leg

    def _call(self, leg: Leg) -> dict[str, Any]:
        carrier = self._carrier
        path = f"/2010-04-01/Accounts/{carrier.account_sid}/Calls/{leg.sid}"
        ended = leg.ended_s is not None
        return {
            "sid": leg.sid,
            "account_sid": carrier.account_sid,
            "api_version": "2010-04-01",
            "to": leg.to,
            "to_formatted": leg.to,
            "from": leg.from_,
            "from_formatted": leg.from_,
            "status": leg.status,
            "direction": leg.direction,
            "parent_call_sid": leg.parent.sid if leg.parent else None,
            "answered_by": None,
            "duration": str(round(leg.duration_s)) if ended else None,
            "price": None,
            "price_unit": "USD",
            "uri": path + ".json",
            "subresource_uris": {"recordings": path + "/Recordings.json"},
        }

    # --- text messages and recordings ---------------------------------------------------------

    async def _create_text(self, request: web.Request) -> web.Response:
        carrier, fields = self._carrier, request[_FIELDS]
        checks.create_text(fields, carrier.numbers)
        to, from_, body = (fields[name][0] for name in ("To", "From", "Body"))
        if code := carrier.trouble.texts_refused.get(to):
            raise Problem(400, code, f"a message to {to} cannot be sent")
        text = Text(to, from_, body, wire.new_sid("SM"))
        carrier.texts.append(text)
        carrier.note("", f"text to {to}: {body}")
        path = f"/2010-04-01/Accounts/{carrier.account_sid}/Messages/{text.sid}.json"
        answer: dict[str, Any] = {
            "sid": text.sid,
            "account_sid": carrier.account_sid,
            "api_version": "2010-04-01",
            "to": to,
            "from": from_,
            "body": body,
            "status": "queued",
            "direction": "outbound-api",
            "num_segments": str(-(-len(body) // 153)),
            "num_media": "0",
            "error_code": None,
            "error_message": None,
            "messaging_service_sid": None,
            "date_created": email.utils.format_datetime(carrier.wall()),
            "uri": path,
            "subresource_uris": {},
        }
        return web.json_response(answer, status=201)

    async def _recording(self, request: web.Request) -> web.Response:
        sid, _, extension = request.match_info["sid"].partition(".")
        file = self._carrier.recordings.file(sid) if extension in ("", "wav") else None
        if file is None:
            raise _not_found(request)
        return web.Response(body=file, content_type="audio/x-wav")


def _not_found(request: web.Request) -> Problem:
    return Problem(404, 20404, f"The requested resource {request.path} was not found")


def _refused(problem: Problem) -> web.Response:
    body = {
        "code": problem.code or problem.status,
        "message": problem.message,
        "more_info": f"https://www.twilio.com/docs/errors/{problem.code or problem.status}",
        "status": problem.status,
    }
    return web.json_response(body, status=problem.status)
