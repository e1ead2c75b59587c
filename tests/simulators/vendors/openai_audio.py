"""Speech and transcription of the simulated OpenAI."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from aiohttp import web

from tests.simulators import mulaw
from tests.simulators.vendors import legible, openai_models
from tests.simulators.vendors.base import Fault, Trouble
from tests.simulators.vendors.openai_checks import (
    Check,
    Refused,
    check_model,
    check_parameters,
    number,
    one_of,
    text,
)
from tests.simulators.vendors.openai_http import (
    EventStream,
    House,
    break_down,
    headers,
    read_json,
    whole,
)

Voice = Callable[[str], bytes]
"""Text to mu-law 8 kHz."""

Transcripts = Callable[[bytes], str] | Sequence[str] | None
"""A function of the uploaded file; or one text for each request, in order; else nothing heard."""

RATE = 24_000
BYTES_PER_S = RATE * 2
_CHUNK_S = 0.2
_LONGEST_INPUT = 4096
# fmt: off
_VOICES = {
    "alloy", "ash", "ballad", "coral", "echo", "fable", "onyx", "nova", "sage", "shimmer", "verse",
    "marin", "cedar",
}
# fmt: on
_SPEECH: dict[str, Check] = {
    "model": text,
    "input": text,
    "voice": one_of(*_VOICES),
    "instructions": text,
    "response_format": one_of("mp3", "opus", "aac", "flac", "wav", "pcm"),
    "speed": number(0.25, 4),
    "stream_format": one_of("audio", "sse"),
}

_EXTENSIONS = {"flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm"}
_SHORTEST_S = 0.1
_FIELDS = {
    "file",
    "model",
    "language",
    "languages",
    "keywords",
    "prompt",
    "response_format",
    "temperature",
    "stream",
    "chunking_strategy",
    "include",
    "timestamp_granularities",
    "known_speaker_names",
    "known_speaker_references",
}


class Speech:
    """``POST /v1/audio/speech``: linear samples at 24 kHz, faster than real time."""

    def __init__(
        self, house: House, voice: Voice | None, first_audio_ms: float, speed: float
    ) -> None:
        self._house = house
        self._voice = voice
        self._first_s = first_audio_ms / 1000
        self._speed = speed

    async def answer(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse:
        """Speak. Raises Refused."""
        body = await read_json(request)
        self._check(body)
        self._house.note(link, "request", model=body["model"], text=body["input"], body=body)
        await asyncio.sleep(self._first_s)
        if fault is not None and fault.trouble is Trouble.MALFORMED:
            return web.Response(text="<html>upstream error</html>", content_type="text/html")
        audio = self._pcm(body["input"])
        answer = web.StreamResponse(headers=headers(link) | {"Content-Type": "audio/pcm"})
        answer.enable_chunked_encoding()
        await answer.prepare(request)
        self._house.note(link, "first audio")
        size = int(BYTES_PER_S * _CHUNK_S) + 1  # a chunk may end in the middle of a sample
        begin = asyncio.get_running_loop().time()
        for at in range(0, len(audio), size):
            due = begin + at / BYTES_PER_S / self._speed
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))
            if fault is not None:  # in the middle, also of what is short
                await answer.write(audio[: min(size, len(audio) // 2)])
                await self._house.strike(link, fault, lambda fault: break_down(request, fault))
            await answer.write(audio[at : at + size])
        await answer.write_eof()
        self._house.note(link, "done", audio_ms=len(audio) * 1000 // BYTES_PER_S)
        return answer

    def _check(self, body: Any) -> None:
        check_parameters(body, _SPEECH, ("input", "model", "voice"))
        check_model(body["model"], self._house.models & openai_models.SPEECH)
        if not body["input"].strip():
            raise Refused("Input text is empty.", param="input", code="invalid_value")
        if len(body["input"]) > _LONGEST_INPUT:
            raise Refused("String too long.", param="input", code="string_above_max_length")
        if body["model"].startswith("tts-1") and "instructions" in body:
            raise Refused("Unknown parameter: 'instructions'.", param="instructions")
        if body.get("response_format", "mp3") != "pcm" or body.get("stream_format") == "sse":
            raise Refused("This simulator speaks pcm only.", param="response_format")

    def _pcm(self, line: str) -> bytes:
        if self._voice is None:
            return legible.tones(line, RATE)
        slow = mulaw.decode(self._voice(line)).astype(np.float64)
        at = np.arange(len(slow) * 3) / 3
        return np.interp(at, np.arange(len(slow)), slow).astype("<i2").tobytes()


class Transcription:
    """``POST /v1/audio/transcriptions``: a file with a container, in a multipart form."""

    def __init__(self, house: House, transcripts: Transcripts, answer_ms: float) -> None:
        self._house = house
        self._transcripts = transcripts
        self._answer_s = answer_ms / 1000
        self._given = 0

    async def answer(
        self, request: web.Request, link: int, fault: Fault | None
    ) -> web.StreamResponse:
        """Transcribe. Raises Refused."""
        if request.content_type != "multipart/form-data":
            raise Refused("Invalid Content-Type: expected multipart/form-data.", status=415)
        form = {name.removesuffix("[]"): value for name, value in (await request.post()).items()}
        try:
            file = self._check(form)
            data = file.file.read()
        finally:
            for value in form.values():
                if isinstance(value, web.FileField):
                    value.file.close()
        lasts_s = wav_seconds(data) if file.filename.lower().endswith(".wav") else None
        fields = {name: value for name, value in form.items() if name != "file"}
        self._house.note(link, "request", seconds=lasts_s, filename=file.filename, **fields)
        heard = self._heard(data)
        await asyncio.sleep(self._answer_s)
        usage = {"type": "duration", "seconds": round(lasts_s or 0)}
        if form.get("stream") == "true" and form["model"] != "whisper-1":
            stream = EventStream(request, link)
            await self._stream(stream, link, fault, heard, usage)
            return stream.answer
        self._house.note(link, "done")
        if form.get("response_format") == "text" and fault is None:
            return web.Response(text=heard + "\n", headers=headers(link))
        return await whole(request, link, fault, {"text": heard, "usage": usage})

    async def _stream(
        self, stream: EventStream, link: int, fault: Fault | None, heard: str, usage: Any
    ) -> None:
        for index, word in enumerate(heard.split(" ")):
            delta = f" {word}" if index else word
            await stream.send(json.dumps({"type": "transcript.text.delta", "delta": delta}))
            if index == 0 and fault is not None:
                await self._house.strike(link, fault, stream.strike)
                if stream.ended:
                    return
        done = {"type": "transcript.text.done", "text": heard, "usage": usage}
        await stream.send(json.dumps(done))
        await stream.end()
        self._house.note(link, "done")

    def _heard(self, data: bytes) -> str:
        if callable(self._transcripts):
            return self._transcripts(data)
        if self._transcripts is None or self._given >= len(self._transcripts):
            return ""
        self._given += 1
        return self._transcripts[self._given - 1]

    def _check(self, form: dict[str, Any]) -> web.FileField:
        if unknown := set(form) - _FIELDS:
            name = sorted(unknown)[0]
            raise Refused(f"Unknown parameter: '{name}'.", param=name, code="unknown_parameter")
        model = form.get("model")
        check_model(model, self._house.models & openai_models.TRANSCRIPTION)
        for name in {"keywords", "languages"} & set(form):
            if model != "gpt-transcribe":
                raise Refused(f"'{name}' is not supported by this model.", param=name)
        if form.get("response_format", "json") not in _formats(model):
            raise Refused(
                "response_format is not compatible with this model.",
                param="response_format",
                code="unsupported_value",
            )
        file = form.get("file")
        if not isinstance(file, web.FileField):
            raise Refused("Missing required parameter: 'file'.", param="file")
        if file.filename.rpartition(".")[2].lower() not in _EXTENSIONS:
            raise Refused(
                "Unrecognized file format. Supported formats: " + str(sorted(_EXTENSIONS)),
                param="file",
                code="unsupported_format",
            )
        return file


def _formats(model: Any) -> set[str]:
    if model == "whisper-1":
        return {"json", "text"}  # those with times: not simulated
    return {"json"} if model != "gpt-4o-transcribe-diarize" else {"json", "text"}


def wav_seconds(data: bytes) -> float:
    """How long a WAV file of linear samples lasts. Raises Refused if it is not one."""
    corrupt = Refused(
        "Audio file might be corrupted or unsupported", param="file", code="invalid_value"
    )
    if len(data) < 44 or data[:4] != b"RIFF" or data[8:16] != b"WAVEfmt ":
        raise corrupt
    tag, _, _, bytes_per_s = struct.unpack_from("<HHII", data, 20)
    at = data.find(b"data", 20)
    if tag != 1 or at < 0 or bytes_per_s == 0:  # mu-law in WAV: not known to be taken
        raise corrupt
    lasts_s: float = (len(data) - at - 8) / bytes_per_s
    if lasts_s < _SHORTEST_S:
        raise Refused(
            "Audio file is too short. Minimum audio length is 0.1 seconds.",
            param="file",
            code="audio_too_short",
        )
    return lasts_s
