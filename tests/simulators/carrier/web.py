"""The carrier's requests of the server: signed, within their deadlines, and on record."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx

from tests.simulators import webhook
from tests.simulators.carrier.documents import Document, read_answer
from tests.simulators.carrier.ledger import Request

if TYPE_CHECKING:
    from tests.simulators.carrier.box import Carrier

DEADLINE_S = 15.0
CONNECT_S = 10.0
MAX_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; status 0: there was none, and ``why`` says why."""

    status: int
    content_type: str = ""
    body: bytes = b""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Fetch:
    """A document to be asked for: where, how, and with which fields on top of the call's own."""

    kind: str
    url: str
    method: str = "POST"
    form: dict[str, str] = field(default_factory=dict)


class Web:
    """Twilio as a client of the server."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier
        self._client: httpx.AsyncClient | None = None

    async def document(self, call_sid: str, fetch: Fetch, form: dict[str, str]) -> Document:
        """Ask for a document. Twice if that is the trouble; the second one counts."""
        again = fetch.kind == "voice" and self._carrier.trouble.webhooks_twice
        form = form | fetch.form
        token = {"I-Twilio-Idempotency-Token": f"{call_sid}-{fetch.kind}"}
        for _ in range(2 if again else 1):
            answer = await self.request(call_sid, fetch.kind, fetch.method, fetch.url, form, token)
        document = read_answer(answer.status, answer.content_type, answer.body, fetch.url)
        if answer.why:
            document.errors = [f"{answer.why} ({urlsplit(fetch.url).path})"]
        return document

    async def callback(
        self, call_sid: str, kind: str, url: str, form: dict[str, str], method: str = "POST"
    ) -> None:
        """Tell the server something; its answer steers nothing."""
        answer = await self.request(call_sid, kind, method, url, form)
        if not 200 <= answer.status < 300:
            why = answer.why or f"HTTP {answer.status}"
            self._carrier.error(call_sid, f"15003: {why} from {urlsplit(url).path}")

    async def request(
        self,
        call_sid: str,
        kind: str,
        method: str,
        url: str,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request, its redirects followed. Never raises."""
        carrier = self._carrier
        if method == "GET" and form:
            url += ("&" if urlsplit(url).query else "?") + urlencode(form)
            form = {}
        path = urlunsplit(("", "", *urlsplit(url)[2:4], ""))
        entry = Request(carrier.now_s(), kind, method, path, dict(form or {}))
        carrier.requests.append(entry)
        target = self._reach(url)
        if not target:
            return Answer(0, why=f"11210: no such host as that of {url}")
        signature = webhook.signature(carrier.auth_token, webhook.signed_url(url), form)
        sent = {"User-Agent": "TwilioProxy/1.1", "X-Twilio-Signature": signature, **(headers or {})}
        answer = await self._send(method, target, form if method == "POST" else None, sent)
        entry.status = answer.status
        carrier.note(call_sid, f"{kind}: {entry} -> {answer.status or answer.why}")
        return answer

    async def _send(
        self, method: str, url: str, form: dict[str, str] | None, headers: dict[str, str]
    ) -> Answer:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=httpx.Timeout(DEADLINE_S, connect=CONNECT_S),
                follow_redirects=True,
                max_redirects=MAX_REDIRECTS,
                trust_env=False,
                # A connection kept for long may be closed at the very moment of its next use.
                limits=httpx.Limits(max_keepalive_connections=0),
                verify=url.startswith("https"),
            )
        try:
            async with asyncio.timeout(DEADLINE_S):
                response = await self._client.request(method, url, data=form, headers=headers)
        except httpx.TooManyRedirects:
            return Answer(0, why=f"11215: more than {MAX_REDIRECTS} redirects")
        except (TimeoutError, httpx.TimeoutException):
            return Answer(0, why=f"11205: no answer within {DEADLINE_S:g} s")
        except httpx.HTTPError as error:
            return Answer(0, why=f"11205: {type(error).__name__}")
        content_type = response.headers.get("content-type", "")
        return Answer(response.status_code, content_type, response.content)

    def _reach(self, url: str) -> str:
        """Where the server listens for a public URL; empty for a host that is not its own."""
        parts, carrier = urlsplit(url), self._carrier
        public, here = urlsplit(carrier.public_url), urlsplit(carrier.url)
        if (parts.scheme, parts.netloc) in (
            (public.scheme, public.netloc),
            (here.scheme, here.netloc),
        ):
            return urlunsplit((here.scheme, here.netloc, parts.path, parts.query, ""))
        return ""

    async def close(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
