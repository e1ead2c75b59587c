"""One socket of the simulated ElevenLabs: its client's messages, its contexts, its end."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from tests.simulators.vendors.base import Fault, Faults, Trouble, break_off
from tests.simulators.vendors.elevenlabs_contexts import Context, Speech
from tests.simulators.vendors.elevenlabs_messages import (
    CLOSE_CODE,
    ERRORS,
    error_message,
    first_only,
    read_message,
)

MOST_CONTEXTS = 5
_NO_CLOSE = 1006
"""What the other end sees if there is no close: the connection is cut."""


class House(Protocol):
    """What a socket needs of its simulator."""

    speech: Speech
    faults: Faults
    errors: list[str]
    most_contexts: dict[int, int]

    def note(self, link: int, what: str, **detail: Any) -> None: ...


class Socket:
    """Made when the socket was accepted; ``serve`` returns when it is closed."""

    def __init__(
        self,
        house: House,
        link: int,
        request: web.Request,
        answer: web.WebSocketResponse,
        fault: Fault | None,
        *,
        multi: bool,
    ) -> None:
        """``fault`` strikes in the first context."""
        self.speech = house.speech
        self._house = house
        self._link = link
        self._request = request
        self._answer = answer
        self._fault = fault
        self._multi = multi
        self._auto_mode = request.query.get("auto_mode") == "true"
        self._timeout_s = float(request.query.get("inactivity_timeout", "20"))
        self._contexts: dict[str | None, Context] = {}
        self._speaking: dict[Context, asyncio.Task[None]] = {}
        """Also those that were closed and still speak: they count until they are final."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._muted = False
        self._loop = asyncio.get_running_loop()
        self._input_at = self._loop.time()
        self._ending: asyncio.Future[tuple[int, str, str]] = self._loop.create_future()

    # --- its life -----------------------------------------------------------------------------

    async def serve(self) -> None:
        """Read messages until the client or somebody here ends it."""
        reading = self._start(self._read())
        self._start(self._watch())
        try:
            either: set[asyncio.Future[Any]] = {reading, self._ending}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            tasks = [*self._tasks, *self._speaking.values()]
            for task in tasks:
                task.cancel()
            self.note("closed", code=self._code(), contexts=len(self._speaking))
            results = await asyncio.gather(*tasks, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(result, ConnectionError):
                raise result
        if self._ending.done():
            await self._close(*self._ending.result())

    def end(self, code: int, reason: str = "", sentence: str = "") -> None:
        """Close it; with 1008, ``reason`` is the code of the error message before the close."""
        if code == _NO_CLOSE:
            self.cut()
        elif not self._ending.done():
            self._muted = True
            self._ending.set_result((code, reason, sentence))

    def cut(self) -> None:
        """Cut the connection without a close."""
        self._muted = True
        break_off(self._request)

    async def _close(self, code: int, reason: str, sentence: str) -> None:
        sentence = sentence or ERRORS.get(reason, reason).format(round(self._timeout_s))
        try:
            if code == CLOSE_CODE and reason:
                await self._answer.send_str(error_message(reason, sentence))
            await self._answer.close(code=code, message=sentence.encode()[:120])
        except ConnectionError:
            pass  # the client was faster

    def _code(self) -> int:
        if self._ending.done():
            return self._ending.result()[0]
        return self._answer.close_code or _NO_CLOSE

    async def _watch(self) -> None:
        """A context without input for too long ends the socket, as does a socket without any."""
        while True:
            inputs = [context.input_at for context in self._contexts.values()]
            left = min(inputs or [self._input_at]) + self._timeout_s - self._loop.time()
            if left <= 0:
                self._refuse("input_timeout_exceeded", "")
                return
            await asyncio.sleep(left)

    # --- what a context needs -----------------------------------------------------------------

    def note(self, what: str, **detail: Any) -> None:
        """Write it down."""
        self._house.note(self._link, what, **detail)

    async def send(self, message: str) -> None:
        """To the client, unless nothing more is to come."""
        if not self._muted and not self._answer.closed:
            await self._answer.send_str(message)

    def mute(self) -> None:
        """From now on nothing more comes."""
        self._muted = True

    async def strike(self, fault: Fault) -> None:
        """Let a fault happen, in the middle of the audio."""
        self.note("fault", trouble=fault.trouble.value)
        match fault.trouble:
            case Trouble.MALFORMED:
                await self.send('{"audio": "')
            case Trouble.CLOSE:
                self.end(fault.code, fault.reason)
            case Trouble.CUT | Trouble.RESET:
                self.cut()
            case _:
                self.mute()

    # --- the client's messages ----------------------------------------------------------------

    async def _read(self) -> None:
        async for message in self._answer:
            if message.type is not WSMsgType.TEXT:
                self._refuse("invalid_message", "only text is understood")
                return
            try:
                content = read_message(message.data, multi=self._multi)
            except ValueError as error:
                self._refuse("invalid_message", str(error))
                return
            self._input_at = self._loop.time()
            if self._multi:
                self._got_multi(content)
            else:
                self._got_single(content)

    def _got_multi(self, message: dict[str, Any]) -> None:
        name = message.get("context_id")
        if message.get("close_socket"):
            self.note("close socket", contexts=len(self._speaking))
            for context in self._contexts.values():
                context.close()
            self._contexts.clear()
            self._start(self._end_when_said())
        elif name is None and message.get("text") == "":
            self.note("keepalive", context=None)
            for context in self._contexts.values():
                context.touch()
        elif message.get("close_context"):
            self._close_context(name)
        else:
            self._got_text(name or "default", message)

    def _got_single(self, message: dict[str, Any]) -> None:
        self._got_text(None, message)
        if message["text"] == "" and (context := self._contexts.pop(None, None)):
            context.add("", flush=True)
            context.close()
            self._start(self._end_when_said())

    def _got_text(self, name: str | None, message: dict[str, Any]) -> None:
        settings = first_only(message)
        context = known = self._contexts.get(name)
        if context is None:
            context = self._open_context(name, settings)
            if context is None:
                return
        elif settings and (self._multi or settings != context.settings):
            what = ", ".join(sorted(settings))
            self._refuse("invalid_message", f"{what}: only in the first message of a context")
            return
        context.touch()
        text = message.get("text") or ""
        flush = bool(message.get("flush"))
        if text.strip():
            self.note("text", context=name, text=text)
        elif not flush and (known or not text):
            self.note("keepalive", context=name)
        if flush:
            self.note("flush", context=name)
        context.add(text, flush=flush, trigger=bool(message.get("try_trigger_generation")))

    def _open_context(self, name: str | None, settings: dict[str, Any]) -> Context | None:
        if len(self._speaking) >= MOST_CONTEXTS:
            self._refuse("max_active_conversations", "")
            return None
        fault = self._house.faults.take("context")
        if fault is None:
            fault, self._fault = self._fault, None
        context = Context(self, name, auto_mode=self._auto_mode, fault=fault, settings=settings)
        self._contexts[name] = context
        self._speaking[context] = asyncio.create_task(self._speak(context))
        most = self._house.most_contexts
        most[self._link] = max(most.get(self._link, 0), len(self._speaking))
        self.note("context opened", context=name, settings=settings, open=len(self._speaking))
        return context

    def _close_context(self, name: str | None) -> None:
        context = self._contexts.pop(name or "default", None)
        dropped = context.close() if context is not None else ""
        self.note("close context", context=name, known=context is not None, dropped=dropped)

    async def _speak(self, context: Context) -> None:
        await context.speak()
        del self._speaking[context]

    async def _end_when_said(self) -> None:
        if self._speaking:
            await asyncio.wait(self._speaking.values())
        self.end(1000)

    def _refuse(self, code: str, sentence: str) -> None:
        self._house.errors.append(sentence or code)
        self.note("error", code=code, sentence=sentence)
        self.end(CLOSE_CODE, code, sentence)

    def _start(self, work: Any) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
