"""A strict OpenAI: chat completions, Responses (HTTP and socket), speech, transcription, models.

It refuses what the real service refuses, in the shape of OpenAI's errors: section 3 of the vendors'
fact sheet, which comes from OpenAI's SDK and API reference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Self

from aiohttp import web

from tests.simulators.vendors import openai_chat as chat
from tests.simulators.vendors import openai_models
from tests.simulators.vendors.base import Fault, Simulator, Trouble, break_off
from tests.simulators.vendors.hangups import notice_hangups, until_hangup
from tests.simulators.vendors.openai_answers import Answers, Model, Reply, Token, ToolCall
from tests.simulators.vendors.openai_audio import Speech, Transcription, Transcripts, Voice
from tests.simulators.vendors.openai_checks import Refused, by_status
from tests.simulators.vendors.openai_http import EventStream, Hit, read_json, whole
from tests.simulators.vendors.openai_responses import Responses

__all__ = ["Answers", "OpenAISimulator", "Reply", "ToolCall"]

Answering = Callable[[web.Request, int, Fault | None], Awaitable[web.StreamResponse]]


class OpenAISimulator(Simulator):
    """OpenAI on a free port; its base URL for clients is ``url + "/v1"``.

    In the middle of a stream a fault of kind CLOSE is an error event in place of the rest.
    """

    endpoints = ("chat", "responses", "speech", "transcriptions", "models")
    usual_key = "openai-test-key"

    def __init__(
        self,
        *,
        answers: Answers = None,
        first_token_ms: float = 250,
        tokens_per_s: float = 60,
        models: Iterable[str] | None = None,
        voice: Voice | None = None,
        first_audio_ms: float = 120,
        speed: float = 20,
        transcripts: Transcripts = None,
        transcript_ms: float = 300,
        retry_after_s: float = 1,
        **common: Any,
    ) -> None:
        """``answers``: what the model says, also to Responses. ``models``: those that exist, else
        those that OpenAI had on 2026-11-21. ``voice``: text to mu-law 8 kHz; without one the
        speech spells its text in tones, see ``legible``. It comes at ``speed`` times real time,
        from ``first_audio_ms`` on. ``transcripts``: what was heard. ``common``: what every
        simulator takes."""
        super().__init__(**common)
        self.model = Model(answers, first_token_ms, tokens_per_s)
        self.models = frozenset(models) if models is not None else openai_models.living()
        self._responses = Responses(self)
        self._speech = Speech(self, voice, first_audio_ms, speed)
        self._transcription = Transcription(self, transcripts, transcript_ms)
        self.retry_after_s = retry_after_s
        self.sent: dict[int, int] = {}
        """Tokens sent so far, by the requests that are being answered."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        notice_hangups(self)
        return self

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/v1/chat/completions", self._guarded("chat", self._chat)),
            web.post("/v1/responses", self._guarded("responses", self._responses.answer)),
            web.get("/v1/responses", self._guarded("responses", self._responses.serve)),
            web.post("/v1/audio/speech", self._guarded("speech", self._speech.answer)),
            web.post(
                "/v1/audio/transcriptions",
                self._guarded("transcriptions", self._transcription.answer),
            ),
            web.get("/v1/models", self._guarded("models", self._list_models)),
            web.get("/v1/models/{model}", self._guarded("models", self._one_model)),
        ]

    # --- what all endpoints share -------------------------------------------------------------

    def _guarded(
        self, endpoint: str, answering: Answering
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The endpoint behind its faults, the key, and the shape of errors."""

        async def handle(request: web.Request) -> web.StreamResponse:
            link = self.new_link()
            fault = self.faults.take(endpoint)
            self.sent[link] = 0
            try:
                await self._before(request, link, fault)
                return await answering(request, link, fault)
            except Refused as refused:
                is_ordered = fault is not None and fault.trouble is Trouble.STATUS
                return self._refuse(link, refused, is_ordered=is_ordered)
            except ConnectionError:
                self.note(link, "disconnected", tokens=self.sent[link])
                return web.Response()
            except AssertionError as error:  # a strict model's
                self.errors.append(str(error))
                raise
            except asyncio.CancelledError:
                self.note(link, "disconnected", tokens=self.sent[link])
                raise
            finally:
                del self.sent[link]

        return handle

    async def strike(self, link: int, fault: Fault, hit: Hit) -> None:
        """Let a fault happen in the middle of an answer."""
        self.note(link, "fault", trouble=fault.trouble.value, tokens=self.sent.get(link, 0))
        await hit(fault)

    async def _before(self, request: web.Request, link: int, fault: Fault | None) -> None:
        trouble = fault.trouble if fault is not None else None
        if trouble is Trouble.RESET:
            break_off(request)
            await until_hangup()
        if trouble is Trouble.STALL_FIRST:
            self.note(link, "stalled")
            await until_hangup()
        if fault is not None and trouble is Trouble.STATUS:
            raise by_status(fault.status, fault.reason)
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if not self.knows(key) or scheme != "Bearer":
            raise by_status(401)

    def _refuse(self, link: int, refused: Refused, *, is_ordered: bool) -> web.Response:
        self.note(link, "refused", status=refused.status, **refused.error)
        if refused.status in {400, 404} and not is_ordered:
            self.errors.append(str(refused))
        headers = {"x-request-id": f"req_{link}"}
        if refused.status == 429:
            headers["retry-after"] = f"{self.retry_after_s:g}"
            headers["retry-after-ms"] = f"{self.retry_after_s * 1000:.0f}"
        return web.json_response({"error": refused.error}, status=refused.status, headers=headers)

    # --- models -------------------------------------------------------------------------------

    async def _list_models(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse:
        self.note(link, "request", model=None)
        return await whole(
            request,
            link,
            fault,
            {"object": "list", "data": [_model(m) for m in sorted(self.models)]},
        )

    async def _one_model(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse:
        name = request.match_info["model"]
        self.note(link, "request", model=name)
        if name not in self.models:
            raise Refused(f"The model '{name}' does not exist", code="model_not_found", status=404)
        return await whole(request, link, fault, _model(name))

    # --- chat completions ---------------------------------------------------------------------

    async def _chat(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse:
        body = await read_json(request)
        chat.check(body, openai_models.chats(self.models))
        self.note(link, "request", model=body["model"], messages=body["messages"], body=body)
        tokens = self.model.answer(body["messages"], chat.longest(body), body.get("tools"))
        if not body.get("stream"):
            await self.model.all_at_once(tokens)
            self.note(link, "done", tokens=len(tokens))
            return await whole(request, link, fault, chat.completion(body, tokens, link))
        return await self._chat_stream(request, link, fault, body, tokens)

    async def _chat_stream(
        self,
        request: web.Request,
        link: int,
        fault: Fault | None,
        body: dict[str, Any],
        tokens: list[Token],
    ) -> web.StreamResponse:
        chunks = chat.Chunks(body, link)
        stream = EventStream(request, link)
        pace = self.model.pace()
        await pace.until(0)
        self.note(link, "first token")
        await stream.send(chunks.role())
        for number, token in enumerate(tokens):
            await pace.until(number)
            if fault is not None and number == len(tokens) // 2 > 0:
                await self.strike(link, fault, stream.strike)
                fault = None
                if stream.ended:
                    return stream.answer
            await stream.send(chunks.token(token))
            self.sent[link] = number + 1
        if fault is not None:  # it was too short to have a middle
            await self.strike(link, fault, stream.strike)
        if not stream.ended:
            for chunk in [*chunks.end(tokens), "[DONE]"]:
                await stream.send(chunk)
            await stream.end()
            self.note(link, "done", tokens=len(tokens))
        return stream.answer


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1795219200, "owned_by": "openai"}
