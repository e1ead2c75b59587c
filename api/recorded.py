"""The recording path: Twilio records each turn of the caller's, and plays our answer.

``POST /voice`` and ``POST /api/twilio/voice-legacy`` hold a call this way; other webhooks send one
here by the agent's rules, or when its media stream did not come up. Twilio waits 15 s for a
webhook's answer, so one that takes longer is bridged: "one moment", and ask again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from fastapi import APIRouter, Request, Response

from api.connection import Refused
from api.guard import PublicSide
from api.twilio_form import ID, Posted, add_webhook, our_id, read
from api.twilio_form import twiml as twiml_response
from services.call.events import AfterReply, CallStarted
from services.carriers import twiml
from services.carriers.twiml import Play, Prompt, Say
from services.recorded import GOODBYE, LONGEST_S, SILENCE_S, RecordedCall, Said
from services.recorded_calls import RecordedCalls
from services.switchboard.board import Switchboard
from services.switchboard.connecting import webhook
from services.switchboard.tokens import Announced

log = logging.getLogger(__name__)

PATHS = ("/voice", "/api/twilio/voice-legacy")
WAIT_S = 7.0
"""How long a webhook waits for an answer before it has the caller wait."""
AGAIN_S = 3.0
"""The same, once the caller was told to wait."""
FETCH_PAUSES_S = (0.0, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0)
"""Before each attempt to fetch a recording; one that is told to be ready is fetched at once."""

Download = Callable[[str], Awaitable[bytes | None]]
"""Gets a recording's file from its address; None if it is not there yet. Raises OSError."""
Admit = Callable[[str, str, str], Awaitable[Announced | str]]
"""``admit(sid, caller, called)`` takes in a call that is to be recorded: it is on record now; or
gives the TwiML that refuses it."""
Readmit = Callable[[str], Awaitable[Announced | str | None]]
"""``readmit(call_id)`` takes in a call again that was held before the server was started anew; or
gives TwiML for one that is over, and None for one that nobody knows."""


class Line(Protocol):
    """Who owns the line when the call is over; see ``services.switchboard.board``."""

    def stream_began(self, call_id: str) -> None: ...
    def stream_ended(self, call_id: str, reason: str) -> None: ...


class RecordingPath:
    """Answers the webhooks of recorded calls with TwiML."""

    def __init__(self, calls: RecordedCalls, download: Download, line: Line) -> None:
        self._calls = calls
        self._download = download
        self._line = line
        self._ready: dict[str, asyncio.Event] = {}
        calls.ended = line.stream_ended

    async def answer(self, base: str, announced: Announced) -> str:
        """The beginning of a call: its opening line, then the first recording."""
        await self._calls.settled(announced.call_id)
        call = self._calls.open(announced)
        if call.is_over:
            return twiml.hang_up()
        has_begun = call.has_begun
        opening = call.begin(_started(announced))
        if not has_begun:
            self._line.stream_began(call.call_id)
        return await self._say(base, call, opening, "begin", WAIT_S)

    def resume(self, announced: Announced) -> RecordedCall:
        """A call that goes on where it was: the server was started anew in the middle of it."""
        call = self._calls.open(announced)
        if not call.has_begun:
            log.warning("call %s: goes on after a start of the server", call.call_id)
            call.resume(_started(announced))
            self._line.stream_began(call.call_id)
        return call

    async def recorded(self, call: RecordedCall, posted: Posted) -> str:
        """A recording was made."""
        recording, url = posted.text("RecordingSid"), posted.text("RecordingUrl", 2000)
        if not recording or not url:
            raise Refused(400, "bad_recording", "Expected RecordingSid and RecordingUrl.")
        if call.is_over and call.answer_to(recording) is None:
            return twiml.hang_up()
        duration_ms = (posted.number("RecordingDuration") or 0) * 1000
        ended_by = posted.text("Digits")
        is_whole = bool(ended_by) or duration_ms >= LONGEST_S * 1000

        async def fetch() -> bytes:
            return await self._fetch(recording, url)

        answer = call.recorded(recording, duration_ms, fetch, 0 if is_whole else SILENCE_S * 1000)
        if ended_by == "hangup":  # what was said may have been a message: it is dealt with
            self._calls.end(call.call_id, "caller: hangup")
            return twiml.hang_up()
        return await self._say(posted.base, call, answer, recording, WAIT_S)

    async def waited(self, base: str, call: RecordedCall, recording: str) -> str:
        """The caller was asked to wait for the answer to a recording."""
        answer = call.answer_to("" if recording == "begin" else recording)
        if answer is None and call.is_over:
            return twiml.hang_up()
        if answer is None:
            raise Refused(404, "no_such_turn", "The address names no turn of this call.")
        return await self._say(base, call, answer, recording, AGAIN_S, has_waited=True)

    async def silent(self, base: str, call: RecordedCall, after: str) -> str:
        """Nothing was said after the turn ``after``."""
        turn = f"silence-{after}"
        if call.is_over and call.answer_to(turn) is None:
            return twiml.hang_up()
        return await self._say(base, call, call.silent(turn), turn, WAIT_S)

    def over(self, call: RecordedCall) -> str:
        """The goodbye was played."""
        self._calls.end(call.call_id, GOODBYE)
        return twiml.hang_up()

    def ready(self, recording: str) -> None:
        """A recording can be fetched now."""
        if event := self._ready.get(recording):
            event.set()

    # --- what Twilio is told ----------------------------------------------------------------------

    async def _say(
        self,
        base: str,
        call: RecordedCall,
        answer: asyncio.Task[Said],
        turn: str,
        wait_s: float,
        *,
        has_waited: bool = False,
    ) -> str:
        here = webhook(base, "recorded", call.call_id)
        await asyncio.wait({answer}, timeout=wait_s)
        if not answer.done():
            waiting = f"{here}/wait/{turn}"
            filler = None if has_waited else call.filler()
            if filler is None:
                return twiml.pause(1, waiting)
            return twiml.speak([self._prompt(base, call, filler)], waiting)
        if answer.cancelled():
            return twiml.hang_up()  # the call has ended meanwhile
        said = answer.result()
        prompts = [self._prompt(base, call, said)] if said.audio or said.text else []
        if said.then is AfterReply.HANG_UP:
            return twiml.speak(prompts, f"{here}/over")
        if said.then is AfterReply.TRANSFER:
            return twiml.speak(prompts, webhook(base, "after", call.call_id))
        return self._listen(base, call, prompts, turn)

    def _listen(self, base: str, call: RecordedCall, prompts: Sequence[Prompt], turn: str) -> str:
        here = webhook(base, "recorded", call.call_id)
        return twiml.record(
            here,
            prompts=prompts,
            max_secs=LONGEST_S,
            silence_secs=SILENCE_S,
            finish_keys="#",
            fallback_url=f"{here}/silent/{turn}",
            status_callback=f"{here}/ready",
        )

    def _prompt(self, base: str, call: RecordedCall, said: Said) -> Prompt:
        """In the agent's voice; without one, in Twilio's."""
        if not said.audio:
            return Say(said.text)
        return Play(webhook(base, "audio", f"{self._calls.sound(call, said)}.wav"))

    # --- recordings -------------------------------------------------------------------------------

    async def _fetch(self, recording: str, url: str) -> bytes:
        """The file, which may not be ready when its address is. Raises OSError."""
        event = self._ready.setdefault(recording, asyncio.Event())
        try:
            for pause_s in FETCH_PAUSES_S:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await event.wait()
                if (file := await self._download(url)) is not None:
                    return file
        finally:
            self._ready.pop(recording, None)
        raise FileNotFoundError("the recording did not become ready")


def _started(announced: Announced) -> CallStarted:
    return CallStarted(announced.caller, announced.called, announced.opening, announced.earlier)


def build(
    settings: PublicSide,
    switchboard: Switchboard,
    calls: RecordedCalls,
    download: Download | None,
) -> APIRouter:
    """The routes of the recording path; the switchboard gets to know of it. Without a ``download``
    (there is no account) nobody could be understood: calls are streamed instead."""
    if download is None:
        return streamed_instead(settings, switchboard)
    path = RecordingPath(calls, download, switchboard)
    switchboard.record_twiml, switchboard.let_go = path.answer, calls.let_go
    return routes(settings, path, calls, switchboard.admit, switchboard.readmit)


def streamed_instead(settings: PublicSide, switchboard: Switchboard) -> APIRouter:
    """The doors of the recording path, when there is none."""
    router = APIRouter(tags=["webhooks"])

    async def voice(request: Request) -> Response:
        """Hold a call turn by turn; without TWILIO_ACCOUNT_SID as a stream."""
        posted = await read(request, settings, what="voice webhook")
        log.warning("call %s: is streamed: set TWILIO_ACCOUNT_SID to fetch recordings", posted.sid)
        document = await switchboard.incoming(posted.base, posted.sid, posted.caller, posted.called)
        return twiml_response(document)

    add_webhook(router, PATHS, voice)
    return router


async def _nobody(call_id: str) -> None:
    """There is nothing on record."""


class RecordedWebhooks:
    """The endpoints. They raise Refused; see :func:`api.errors.install`."""

    def __init__(
        self,
        settings: PublicSide,
        path: RecordingPath,
        calls: RecordedCalls,
        admit: Admit,
        readmit: Readmit,
    ) -> None:
        self._settings = settings
        self._path = path
        self._calls = calls
        self._admit = admit
        self._readmit = readmit

    async def voice(self, request: Request) -> Response:
        """Hold a call turn by turn."""
        posted = await read(request, self._settings, what="voice webhook")
        admitted = await self._admit(posted.sid, posted.caller, posted.called)
        if isinstance(admitted, Announced):
            admitted = await self._path.answer(posted.base, admitted)
        return twiml_response(admitted)

    async def recorded(self, call_id: str, request: Request) -> Response:
        """A turn of the caller's was recorded."""
        posted, call = await read(request, self._settings), await self._going_on(call_id)
        if isinstance(call, RecordedCall):
            call = await self._path.recorded(call, posted)
        return twiml_response(call)

    async def wait(self, call_id: str, turn: str, request: Request) -> Response:
        """The caller waits for the answer."""
        posted, call = await read(request, self._settings), await self._held(call_id)
        if isinstance(call, Announced):  # the answer is lost
            call = await self._path.answer(posted.base, call)
        elif isinstance(call, RecordedCall):
            call = await self._path.waited(posted.base, call, our_id(turn))
        return twiml_response(call)

    async def silent(self, call_id: str, turn: str, request: Request) -> Response:
        """The caller said nothing."""
        posted, call = await read(request, self._settings), await self._going_on(call_id)
        if isinstance(call, RecordedCall):
            call = await self._path.silent(posted.base, call, our_id(turn))
        return twiml_response(call)

    async def over(self, call_id: str, request: Request) -> Response:
        """The goodbye was played."""
        await read(request, self._settings)
        call = await self._going_on(call_id)
        return twiml_response(call if isinstance(call, str) else self._path.over(call))

    async def ready(self, call_id: str, request: Request) -> Response:
        """A recording can be fetched."""
        posted = await read(request, self._settings)
        self._path.ready(posted.text("RecordingSid"))
        return twiml_response(twiml.nothing())

    async def audio(self, name: str) -> Response:
        """A sound for Twilio to play; its name is known to nobody else."""
        sound = self._calls.fetch(name)
        if sound is None:
            raise Refused(404, "no_such_sound", "There is no such sound, or its call is over.")
        return Response(sound, media_type="audio/wav")

    async def _held(self, call_id: str) -> RecordedCall | Announced | str:
        """The call; or what it is to go on as, after a start of the server; or TwiML."""
        if call := self._calls.find(our_id(call_id)):
            return call
        again = await self._readmit(call_id)
        if again is None:
            raise Refused(404, "no_such_call", "The address names no call in progress.")
        return again

    async def _going_on(self, call_id: str) -> RecordedCall | str:
        """The call, taken up again if need be; or TwiML."""
        call = await self._held(call_id)
        return self._path.resume(call) if isinstance(call, Announced) else call


def routes(
    settings: PublicSide,
    path: RecordingPath,
    calls: RecordedCalls,
    admit: Admit,
    readmit: Readmit = _nobody,
) -> APIRouter:
    """Their routes."""
    hooks = RecordedWebhooks(settings, path, calls, admit, readmit)
    router, here = APIRouter(tags=["webhooks"]), "/webhooks/recorded/{call_id}"
    needed = {"RecordingSid": ID, "RecordingUrl": "https?://[!-~]{1,1900}"}
    add_webhook(router, PATHS, hooks.voice)
    add_webhook(router, [here], hooks.recorded, needs=needed)
    add_webhook(router, [f"{here}/wait/{{turn}}"], hooks.wait)
    add_webhook(router, [f"{here}/silent/{{turn}}"], hooks.silent)
    add_webhook(router, [f"{here}/over"], hooks.over)
    add_webhook(router, [f"{here}/ready"], hooks.ready)
    router.add_api_route("/webhooks/audio/{name}.wav", hooks.audio, include_in_schema=False)
    return router
