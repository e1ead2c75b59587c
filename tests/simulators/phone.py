"""One phone call against a running server: the webhook, the media stream, the caller, the report.

::

    report = await Phone(CallSetup(url="http://127.0.0.1:8000"), speak=speak).call(
        [WaitAgent(), Say("What are your opening hours?"), WaitAgent(), HangUp()]
    )

Many phones may be on the line in one process: between frames they only sleep, and everything
that takes time is done before the call or after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx
import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus

from tests.simulators import twilio_wire as wire
from tests.simulators import webhook
from tests.simulators.caller import Caller, ScriptFailed
from tests.simulators.line import CLEAN_LINE, LineConditions, background_noise
from tests.simulators.mulaw import BYTES_PER_MS, Pcm, decode, encode
from tests.simulators.record import Clip
from tests.simulators.report import Event, Report, TranscriptLine, analyse
from tests.simulators.script import HangUpMode, PlayWav, Say, Script, Utterance, utterances
from tests.simulators.sound import active_level
from tests.simulators.stream import MediaStream, StreamEnded
from tests.simulators.voices import load_wav

Speak = Callable[[str], bytes]
"""Text to mu-law 8 kHz. Called in a worker thread, before the call."""

Listen = Callable[[bytes], str]
"""Mu-law 8 kHz to text. Called in a worker thread, after the call."""

WEBHOOK_TIMEOUT_S = 15.0
_LISTEN_MARGIN_MS = 160
_ACCOUNT_SID = "AC" + "0" * 31 + "1"


class Signing(Enum):
    """What the phone puts into ``X-Twilio-Signature``."""

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class CallSetup:
    """Whom to call, and how Twilio announces it.

    ``url``: where the server listens. ``public_url``: what Twilio thinks it calls, if it differs;
    the webhook's signature covers this one. Without an ``auth_token`` nothing is signed.
    ``webhook_posts`` over 1 repeats the webhook, as Twilio does when an answer was lost.
    """

    url: str = "http://127.0.0.1:8000"
    webhook: str = "/voice-stream"
    public_url: str = ""
    auth_token: str = ""
    caller: str = "+15550100001"
    called: str = "+15550100002"
    account_sid: str = _ACCOUNT_SID
    call_sid: str = field(default_factory=lambda: wire.new_sid("CA"))
    headers: Mapping[str, str] = field(default_factory=dict)
    webhook_posts: int = 1
    sign_webhook: Signing = Signing.RIGHT
    sign_socket: Signing = Signing.RIGHT


class CallFailed(Exception):
    """There was no call; the text says why."""


class Unreachable(CallFailed):
    """Nobody answers there."""


class Refused(CallFailed):
    """The server said no. ``status``: the HTTP status, 0 if there was none."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


class Phone:
    """A caller behind Twilio. Each object makes one call.

    ``speak`` voices the script's sentences (needed only if there are any); ``listen`` writes down
    the agent's speech for the transcript.
    """

    def __init__(
        self,
        setup: CallSetup | None = None,
        *,
        speak: Speak | None = None,
        listen: Listen | None = None,
        line: LineConditions = CLEAN_LINE,
    ) -> None:
        self.setup = setup or CallSetup()
        self.ids = wire.StreamIds(self.setup.account_sid, self.setup.call_sid)
        self._speak = speak
        self._listen = listen
        self._line = line
        self._notes: list[tuple[float, str, str]] = []
        self._errors: list[str] = []

    async def call(self, script: Script) -> Report:
        """Make the call, perform the script, hang up if nobody has, and report.

        Raises Unreachable or Refused if there is no call at all.
        """
        clips = await asyncio.to_thread(self._render, script)
        twiml = await self.ring()
        async with self.socket(twiml) as socket:
            stream = MediaStream(socket, self.ids, self._line, self._noise(clips), self._note)
            await stream.open(twiml.parameters)
            failure = await self._converse(stream, clips, script)
        return await asyncio.to_thread(self._report, stream, failure)

    # --- its steps, for tests that do them one by one ---------------------------------------------

    async def ring(self) -> webhook.Twiml:
        """Post the webhook and read its answer. Raises Unreachable, Refused."""
        twiml = webhook.Twiml()
        for _ in range(self.setup.webhook_posts):
            answer = await self.post_webhook()
            twiml = webhook.read_twiml(answer, self._public_webhook())
            self._errors += twiml.errors
            for error in twiml.errors:
                self._note("protocol-error", error)
            if not twiml.stream_url:
                why = "; ".join(twiml.errors)
                raise Refused(f"the webhook {self.setup.webhook} refused: {why}", answer.status)
        self._note("twiml", f"{twiml.stream_url}, then {' '.join(twiml.then) or 'nothing'}")
        return twiml

    async def post_webhook(self) -> webhook.Answer:
        """Post the webhook once. Raises Unreachable."""
        setup = self.setup
        form = webhook.form(setup.account_sid, setup.call_sid, setup.caller, setup.called)
        headers = {"User-Agent": "TwilioProxy/1.1", "I-Twilio-Idempotency-Token": setup.call_sid}
        headers |= self._signature(
            setup.sign_webhook, webhook.signed_url(self._public_webhook()), form
        )
        url = urljoin(setup.url, setup.webhook)
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with httpx.AsyncClient(
                timeout=WEBHOOK_TIMEOUT_S, trust_env=False, verify=url.startswith("https")
            ) as client:
                answer = await client.post(url, data=form, headers={**headers, **setup.headers})
        except httpx.TransportError as error:
            raise Unreachable(f"no answer from {url}: {error or type(error).__name__}") from error
        took = (loop.time() - started) * 1000
        content_type = answer.headers.get("content-type", "")
        detail = f"{setup.webhook} answered {answer.status_code} {content_type} in {took:.0f} ms"
        self._note("webhook", detail)
        return webhook.Answer(answer.status_code, content_type, answer.content)

    @asynccontextmanager
    async def socket(self, twiml: webhook.Twiml) -> AsyncIterator[ClientConnection]:
        """Open the media socket with Twilio's handshake. Raises Unreachable, Refused."""
        target = self._socket_url(twiml.stream_url)
        signed = urlunsplit(urlsplit(twiml.stream_url)._replace(scheme="wss"))
        headers = self._signature(self.setup.sign_socket, signed, None)
        try:
            socket = await connect(
                target,
                additional_headers={**headers, **self.setup.headers},
                user_agent_header="Twilio.TmeWs/1.0",
                compression=None,
                proxy=None,
                ping_interval=None,
                close_timeout=5,
                max_queue=1024,
            )
        except InvalidStatus as error:
            status = error.response.status_code
            raise Refused(f"the socket {target} answered HTTP {status}", status) from error
        except (InvalidHandshake, InvalidMessage) as error:
            raise Refused(f"the socket {target}: {error}") from error
        except OSError as error:  # TimeoutError is one
            raise Unreachable(f"no answer from {target}: {error}") from error
        try:
            yield socket
        finally:
            await socket.close()

    # --- within a call ----------------------------------------------------------------------------

    async def _converse(
        self, stream: MediaStream, clips: Mapping[Utterance, Clip], script: Script
    ) -> str:
        """Perform the script; returns why it failed, or nothing."""
        failure = ""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stream.run(), name=f"stream-{self.ids.stream_sid[:8]}")
            try:
                await Caller(stream, clips).perform(script)
            except ScriptFailed as failed:
                failure = str(failed)
                self._note("script-failed", failure)
            with suppress(StreamEnded):
                await stream.hang_up(HangUpMode.STOP_AND_CLOSE)
        return failure

    def _render(self, script: Script) -> dict[Utterance, Clip]:
        clips: dict[Utterance, Clip] = {}
        for utterance in utterances(script):
            match utterance:
                case Say(text):
                    if self._speak is None:
                        raise ValueError(f"no voice to say {text!r} with")
                    clips[utterance] = Clip(text, self._speak(text))
                case PlayWav(path):
                    clips[utterance] = Clip(f"({path.name})", encode(load_wav(path)))
        return clips

    def _noise(self, clips: Mapping[Utterance, Clip]) -> Pcm | None:
        if self._line.snr_db is None:
            return None
        spoken = [decode(clip.audio) for clip in clips.values()]
        level = active_level(np.concatenate(spoken)) if spoken else None
        return background_noise(self._line.snr_db, level, self._line.seed)

    def _report(self, stream: MediaStream, failure: str) -> Report:
        events = [
            Event((at - stream.origin) * 1000, kind, detail) for at, kind, detail in self._notes
        ]
        end = "closed by the server" if stream.record.closed_by_server else "closed by the caller"
        events.append(Event(stream.record.ended_ms, "end", end))
        report = analyse(
            call_sid=self.ids.call_sid,
            stream_sid=self.ids.stream_sid,
            record=stream.record,
            playback=stream.playback,
            conditions=self._line,
            noise=stream.noise,
            events=events,
            errors=self._errors,
            failure=failure,
        )
        report.transcript = self._transcript(stream, report)
        return report

    def _transcript(self, stream: MediaStream, report: Report) -> list[TranscriptLine]:
        lines = [
            TranscriptLine(spoken.start_ms, "caller", spoken.clip.text)
            for spoken in stream.record.spoken
        ]
        lines += [
            TranscriptLine(event.ms, "caller", f"(key {event.detail})")
            for event in report.events
            if event.kind == "key"
        ]
        agent = report.audio[1]
        for segment in report.agent_segments if self._listen else []:
            begin = max(0, int((segment.start_ms - _LISTEN_MARGIN_MS) * BYTES_PER_MS))
            end = int((segment.end_ms + _LISTEN_MARGIN_MS) * BYTES_PER_MS)
            assert self._listen is not None
            text = self._listen(encode(agent[begin:end])) or "(no words)"
            lines.append(TranscriptLine(segment.start_ms, "agent", text))
        return sorted(lines, key=lambda line: line.ms)

    # --- addresses and signatures -----------------------------------------------------------------

    def _note(self, kind: str, detail: str) -> None:
        self._notes.append((asyncio.get_running_loop().time(), kind, detail))

    def _public_webhook(self) -> str:
        return urljoin(self.setup.public_url or self.setup.url, self.setup.webhook)

    def _socket_url(self, stream_url: str) -> str:
        """The Stream url's path at the server's own address: its public host need not exist."""
        here = urlsplit(self.setup.url)
        scheme = "wss" if here.scheme == "https" else "ws"
        return urlunsplit((scheme, here.netloc, urlsplit(stream_url).path or "/", "", ""))

    def _signature(
        self, signing: Signing, url: str, form: Mapping[str, str] | None
    ) -> dict[str, str]:
        if not self.setup.auth_token or signing is Signing.NONE:
            return {}
        token = self.setup.auth_token if signing is Signing.RIGHT else "not-the-token"
        return {"X-Twilio-Signature": webhook.signature(token, url, form)}
