"""The brain that asks a language model: OpenAI's chat completions, or any compatible server.

Chat completions and not the Responses API: every compatible server speaks them (Ollama, vLLM,
llama.cpp), nothing of a call is kept at the vendor, and the first event already is the first
token; Responses announces the response, the item and its part before.

The SDK makes the connections, the authentication and the errors; it is spared the rest, because
its own stream objects cost twice what a token costs otherwise. For the request see
``openai_request``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp
import httpx2
import openai
import orjson

from services.call.effects import Turn
from services.call.events import AfterReply
from services.llm import BrainEvent, EndCall, UseTool
from services.llm.heard import caller_turns, claims_done, fixed_lines
from services.llm.openai_history import chat_messages, message
from services.llm.openai_request import Messages, Requests
from services.llm.openai_stream import Completion, Events, StreamError, Usage
from services.llm.tools import NOT_DONE, NOT_YET, Functions, Mistake, functions, read_call
from services.receptionist.desk.wording import WAITING
from services.receptionist.prompt import Prompt
from services.receptionist.tools import Tool, ToolRequest, ToolResult
from services.vendors import Reports, VendorError
from services.vendors.openai_errors import FILTERED, VENDOR, is_openai_host, vendor_error

_MOST_ROUNDS = 5
"""To look for an appointment, look for a time, book, and say so; and one mistake."""
_CHARACTERS_PER_TOKEN = 4  # about
_TRAILING_S = 0.25
"""How long the usage and the end of the stream may take after the last token."""

_takes_no_tools: WeakKeyDictionary[openai.AsyncOpenAI, set[str]] = WeakKeyDictionary()
"""The models, by their place, that answer only to requests without tools."""

_TELL_OF_ONE = {Tool.FIND_APPOINTMENTS, Tool.CONFIRM}
"""After these an answer may truly say that an appointment is booked."""
_FALSE_CLAIM = (
    "You have told the caller that something was booked, moved or cancelled, but no tool has done "
    "it, so it was not. Say so, and do it now with the tools, if the caller still wants it."
)
_GO_ON = (
    "(Technical note, not from the caller: your last words above were spoken, but then the "
    "connection broke. Go on exactly after the last word, in the same sentence if it is not "
    "finished. Repeat nothing, apologise for nothing. If all was said, write only a full stop.)"
)


@dataclass(frozen=True, slots=True)
class OpenAIOptions:
    """How one model is asked. What is None or '' is left out of the request."""

    model: str
    max_completion_tokens: int = 300
    temperature: float | None = None
    reasoning_effort: str = ""
    prompt_cache_key: str = ""
    first_token_ms: int = 4000
    """From the request to the first token of text or of a tool call, connecting included."""
    stall_ms: int = 1200
    """The longest pause between two tokens."""
    wordless_ms: int = 6000
    """How long tokens may come before the first of them is a word to say: before a tool's arguments
    there may be none. Then there is time left for another brain before the reply is given up."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the request as the server wants them; they win over all others."""


class OpenAIBrain:
    """The brain of one call.

    ``client`` is shared by all calls and must not retry by itself (``max_retries=0``). ``now``
    returns an aware time. ``errand`` is why we call, if we do. ``notes`` tells what was done in the
    call; it and ``usage`` are those of the call, if several brains think in it.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        options: OpenAIOptions,
        prompt: Prompt,
        now: Callable[[], datetime],
        caller_number: str = "",
        reports: Reports | None = None,
        *,
        errand: str = "",
        can_text: bool = False,
        notes: Callable[[], Sequence[str]] = tuple,
        usage: Usage | None = None,
    ) -> None:
        self._client = client
        self._options = options
        self._prompt = prompt
        self._now = now
        self._caller_number = caller_number
        self._reports = reports or Reports()
        self._errand = errand
        self._notes = notes
        self.usage = usage if usage is not None else Usage()
        host = client.base_url.host
        self._functions = functions(prompt.agent, can_text=can_text, is_strict=is_openai_host(host))
        self._fields = _fields(options, self._functions, host)
        self._fixed_lines = fixed_lines(prompt.agent)
        self._has_claimed = self._knows_one = False
        self._requests = Requests(client)
        self._ahead: tuple[list[dict[str, Any]], httpx2.Request] | None = None

    def prepare(self, turns: Sequence[Turn]) -> None:
        """Make the request that these turns will need."""
        messages = self._messages(turns)
        with suppress(ValueError):  # a key that cannot be sent; the one who sends it will say so
            self._ahead = messages, self._requests.make(self._body(messages))

    def respond(self, reply: int, turns: Sequence[Turn]) -> AsyncGenerator[BrainEvent]:
        """Answer the last caller turn. See ``Brain``; the failure is for the caller to report."""
        return self._rounds(reply, turns, self._messages(turns), has_spoken=False)

    def resume(self, reply: int, turns: Sequence[Turn], said: str) -> AsyncGenerator[BrainEvent]:
        """Go on with a reply that broke off after ``said``; a model may repeat some of that."""
        messages = self._messages(turns)
        messages += [message("assistant", said), message("user", _GO_ON)]
        return self._rounds(reply, turns, messages, has_spoken=True)

    def unfinished(self, turns: Sequence[Turn]) -> ToolRequest | None:
        """Nothing: only the model knows what it was about, and there is no time left to ask."""
        return None

    # --- rounds: a request, and another with what became of the tools that it used ----------------

    async def _rounds(
        self,
        reply: int,
        turns: Sequence[Turn],
        messages: list[dict[str, Any]],
        *,
        has_spoken: bool,
    ) -> AsyncGenerator[BrainEvent]:
        resumes, wait_ms = has_spoken, self._options.first_token_ms
        turn = caller_turns(turns, self._fixed_lines)
        for _ in range(_MOST_ROUNDS):
            completion = Completion()
            async with aclosing(self._stream(reply, messages, completion, wait_ms)) as pieces:
                async for piece in pieces:
                    yield piece
                    has_spoken = has_spoken or not piece.isspace()
            wishes = [read_call(call, self._functions, turn) for call in completion.calls]
            ends = any(isinstance(wish, EndCall) for wish in wishes)
            if completion.text and any(not isinstance(wish, EndCall) for wish in wishes):
                yield " "  # what was said so far is whole: it is spoken while the rest is done
            told, all_well = list[str](), True
            for wish in wishes:
                if not isinstance(wish, ToolRequest):
                    told.append(wish.text if isinstance(wish, Mistake) else NOT_YET)
                    all_well = all_well and isinstance(wish, EndCall)
                    continue
                use = UseTool(wish)
                yield use
                result = use.result or NOT_DONE
                self._learn(wish, result)
                if result.then is not AfterReply.LISTEN:
                    return  # the caller is let go: nothing more is to be said
                told.append(result.text)
                all_well = all_well and result.is_ok
            self._check_claims(reply, completion.text)
            if ends and all_well:
                if not completion.text and not resumes:
                    yield self._prompt.goodbye
                yield EndCall()
                return
            if not completion.calls:
                break
            wait_ms = self._options.first_token_ms // 2  # nobody hedges in the middle of an answer
            messages.append(completion.as_message())
            messages += [
                message("tool", text, tool_call_id=call.id)
                for call, text in zip(completion.calls, told, strict=True)
            ]
        if not has_spoken:
            raise VendorError(VENDOR, "answer", "empty")

    def _learn(self, wish: ToolRequest, result: ToolResult) -> None:
        """Note whether a tool has told of an appointment that there is."""
        if result.code == "theirs" or (result.is_ok and wish.tool in _TELL_OF_ONE):
            self._knows_one = True

    def _check_claims(self, reply: int, text: str) -> None:
        """Note an answer that says that something is booked where no tool has told of anything."""
        if claims_done(text) and not self._may_claim(self._notes()):
            self._reports.step(VENDOR, "claims what no tool has done", reply)
            self._has_claimed = True

    def _may_claim(self, notes: Sequence[str]) -> bool:
        """Whether a tool has told of an appointment that is booked, moved or cancelled."""
        return self._knows_one or any(not note.startswith(WAITING) for note in notes)

    def _messages(self, turns: Sequence[Turn]) -> list[dict[str, Any]]:
        notes = self._notes()
        if self._has_claimed and not self._may_claim(notes):
            notes = (*notes, _FALSE_CLAIM)
        prompt = self._prompt.text(self._now(), self._caller_number, notes, errand=self._errand)
        return chat_messages(prompt, turns)

    # --- one request ------------------------------------------------------------------------------

    async def _stream(
        self, reply: int, messages: Messages, completion: Completion, wait_ms: int
    ) -> AsyncGenerator[str]:
        """The text of one answer, piece by piece; the rest of it is then in ``completion``.
        ``wait_ms``: how long the first of it may take."""
        options, loop = self._options, asyncio.get_running_loop()
        self._reports.step(VENDOR, f"request {options.model}", reply)
        deadline, events, size = loop.time() + wait_ms / 1000, Events(), 0
        wordless_until = deadline
        response = await self._answered(reply, messages, deadline)
        try:
            chunks = response.aiter_bytes()
            while not completion.is_whole:
                with _own_errors("stream", "stall" if size else "first byte timeout"):
                    async with asyncio.timeout_at(deadline):
                        chunk = await anext(chunks, None)
                    if chunk is None:
                        raise VendorError(VENDOR, "stream", "cut")
                    pieces = [completion.feed(data) for data in events.feed(chunk)]
                text = "".join(pieces)
                if completion.has_begun and (grown := _size(completion)) > size:
                    now = loop.time()
                    if not size:
                        self._reports.step(VENDOR, "first token", reply)
                        wordless_until = now + options.wordless_ms / 1000
                    deadline = now + options.stall_ms / 1000
                    if not completion.text.strip():
                        deadline = min(deadline, wordless_until)
                    size = grown
                if text:
                    yield text
            await _read_to_end(chunks, events, completion)
        finally:
            self._count(reply, completion, messages)
            await response.aclose()
        self._reports.step(VENDOR, "done", reply)
        if completion.finish_reason == "content_filter" and not completion.has_begun:
            raise VendorError(VENDOR, "answer", "content_filter", only_here=True)

    async def _answered(self, reply: int, messages: Messages, deadline: float) -> httpx2.Response:
        """Ask; the head of the answer has come."""
        try:
            with _own_errors("request", "first byte timeout"):
                async with asyncio.timeout_at(deadline):
                    return await self._post(messages)
        except VendorError:
            self.usage.add(Usage(requests=1))  # refused, or never answered: nothing to pay
            raise
        except asyncio.CancelledError:
            self._count(reply, Completion(), messages)
            raise

    async def _post(self, messages: Messages) -> httpx2.Response:
        """Send the request, if possible the one that was made ahead; the response's head has come.

        Some compatible servers refuse tools with a 400 [vLLM without ``--enable-auto-tool-choice``,
        Ollama with many models]: they are asked without.
        """
        ahead, self._ahead = self._ahead, None
        if ahead and ahead[0] == messages:
            request = ahead[1]
        else:
            request = self._requests.make(self._body(messages))
        try:
            return await self._requests.send(request)
        except openai.BadRequestError as error:
            has_used_tools = any(one["role"] == "tool" for one in messages)
            is_final = error.code in FILTERED or is_openai_host(self._client.base_url.host)
            if is_final or has_used_tools or not self._has_tools:
                raise
        bare = self._requests.make(self._body(messages, with_tools=False))
        response = await self._requests.send(bare)
        _takes_no_tools.setdefault(self._client, set()).add(self._options.model)
        return response

    def _body(self, messages: Messages, *, with_tools: bool = True) -> dict[str, Any]:
        body = {**self._fields, "messages": messages}
        if with_tools and self._has_tools:
            return body
        return {name: body[name] for name in body if name not in {"tools", "stream_options"}}

    @property
    def _has_tools(self) -> bool:
        """Whether the model is not known to refuse them."""
        return self._options.model not in _takes_no_tools.get(self._client, ())

    def _count(self, reply: int, completion: Completion, messages: Messages) -> None:
        """Count the tokens. A server that was interrupted has not told them: they are estimated for
        the journal."""
        usage, about = completion.usage, ""
        self.usage.add(usage or Usage(requests=1))
        if usage is None:
            asked = sum(len(one["content"] or "") for one in messages)
            asked += len(orjson.dumps(self._functions)) if self._has_tools else 0
            usage, about = Usage(_tokens(asked), completion=_tokens(_size(completion))), "about "
        told = f"usage {about}{usage.prompt}+{usage.completion} tokens"
        tokens = usage.prompt + usage.completion
        self._reports.step(VENDOR, told, reply, tokens=tokens, answer_tokens=usage.completion)


def _fields(options: OpenAIOptions, tools: Functions, host: str) -> dict[str, Any]:
    """All of a request but its messages. A compatible server may refuse a field that it does not
    know, so the rarer ones are sent only where they are wished for."""
    stream_options: dict[str, bool] = {"include_usage": True}
    if is_openai_host(host):
        stream_options["include_obfuscation"] = False  # padding, as long as the tokens themselves
    wished = {
        "temperature": options.temperature,
        "reasoning_effort": options.reasoning_effort or None,
        "prompt_cache_key": options.prompt_cache_key or None,
    }
    return {
        "model": options.model,
        "stream": True,
        "stream_options": stream_options,
        "max_completion_tokens": options.max_completion_tokens,
        "tools": tools,
        **{name: value for name, value in wished.items() if value is not None},
        **options.extra,
    }


def _tokens(characters: int) -> int:
    return -(-characters // _CHARACTERS_PER_TOKEN)


def _size(completion: Completion) -> int:
    """Grows with each bit of text or of a tool call; not with comments, empty deltas, blanks."""
    calls = completion.calls
    return len(completion.text.rstrip()) + sum(
        1 + len(call.name + call.arguments) for call in calls
    )


async def _read_to_end(chunks: AsyncIterator[bytes], events: Events, into: Completion) -> None:
    """The usage, and the end, without which the connection could not be used again."""
    try:
        async with asyncio.timeout(_TRAILING_S):
            async for chunk in chunks:
                for data in events.feed(chunk):
                    into.feed(data)
    except (TimeoutError, StreamError, httpx2.HTTPError):
        pass  # the answer is whole


@contextmanager
def _own_errors(step: str, too_late: str) -> Iterator[None]:
    """Turn what the SDK, its transport and our deadlines raise into VendorError."""
    try:
        yield
    except TimeoutError:
        raise VendorError(VENDOR, step, too_late, at_once=True) from None
    except StreamError as error:
        raise VendorError(VENDOR, step, error.code) from None
    except (openai.APIError, httpx2.HTTPError, aiohttp.ClientError) as error:
        raise vendor_error(step, error, too_late) from None
    except ValueError:  # no header can hold such a key
        code = "bad key" if step == "request" else "malformed"
        raise VendorError(VENDOR, step, code, at_once=step == "request") from None
