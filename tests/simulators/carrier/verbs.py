"""Performs one document on a leg, verb by verb.

A verb returns nothing to have the next one performed, a :class:`Fetch` to go on with another
document, or False if the call is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from tests.simulators.carrier import dialling, streams
from tests.simulators.carrier.documents import Document, attribute, flag
from tests.simulators.carrier.voices import NotASound, read_wav, seconds, voiced
from tests.simulators.carrier.web import Fetch

if TYPE_CHECKING:
    from tests.simulators.carrier.legs import Leg

CHARACTERS_A_SECOND = 15
KEY_S = 0.3
BEEP_S = 0.5

Next = Fetch | bool | None


async def perform(leg: Leg, document: Document) -> Fetch | bool:
    """Perform a document. True: there was nothing left to do."""
    for verb in document.verbs:
        outcome = await _VERBS[verb.tag](leg, verb, document)
        if outcome is not None:
            return outcome
    return True


async def _say(leg: Leg, verb: Element, document: Document) -> Next:
    leg.pick_up()
    text = " ".join((verb.text or "").split())
    for _ in range(_loops(verb)):
        leg.heard.append(f"say: {text}")
        leg.carrier.note(leg.sid, f"hears: {text}")
        await leg.carrier.sleep(len(text) / CHARACTERS_A_SECOND)
    return None


async def _play(leg: Leg, verb: Element, document: Document) -> Next:
    leg.pick_up()
    if digits := verb.get("digits"):
        leg.heard.append(f"play: digits {digits}")
        await leg.carrier.sleep(KEY_S * len(digits))
        return None
    url = document.absolute((verb.text or "").strip())
    answer = await leg.carrier.web.request(leg.sid, "play", "GET", url)
    if answer.status != 200:
        leg.carrier.error(leg.sid, f"11200: <Play>: {answer.why or f'HTTP {answer.status}'}")
        return None
    media_type = answer.content_type.partition(";")[0].strip().lower()
    if media_type not in ("audio/wav", "audio/wave", "audio/x-wav"):
        leg.carrier.error(leg.sid, f"12300: <Play> of the content type {answer.content_type!r}")
    try:
        sound = read_wav(answer.body)
    except NotASound as error:
        leg.carrier.error(leg.sid, f"13520: <Play> of {error}")
        return None
    for _ in range(_loops(verb)):
        leg.heard.append(f"play: {urlsplit(url).path}")
        leg.sounds.append(sound)
        await leg.carrier.sleep(seconds(sound))
    return None


async def _pause(leg: Leg, verb: Element, document: Document) -> Next:
    await leg.carrier.sleep(attribute(verb, "length", 1))
    return None


async def _gather(leg: Leg, verb: Element, document: Document) -> Next:
    leg.pick_up()
    for prompt in verb:
        if prompt.tag in _VERBS:
            await _VERBS[prompt.tag](leg, prompt, document)
    url = document.absolute(verb.get("action") or document.url)
    answered = Fetch("action", url, verb.get("method", "POST"))
    pressed = await _pressed(leg, verb)
    if not pressed and "speech" in verb.get("input", "dtmf").split():
        words = leg.next_words().words
        if words and isinstance(words, str):
            await leg.carrier.sleep(len(words) / CHARACTERS_A_SECOND)
            answered.form.update({"SpeechResult": words, "Confidence": "0.92"})
            return answered
    if not pressed:
        await leg.carrier.sleep(attribute(verb, "timeout", 5))
        if not flag(verb, "actionOnEmptyResult", False):
            return None
    answered.form["Digits"] = pressed
    return answered


async def _pressed(leg: Leg, verb: Element) -> str:
    """The keys that the party presses, until one of them ends it or the time is over."""
    finish, most = verb.get("finishOnKey", "#"), attribute(verb, "numDigits", 1000)
    pressed = ""
    for key in leg.next_keys():
        await leg.carrier.sleep(KEY_S)
        leg.carrier.note(leg.sid, f"presses {key}")
        if key in finish:
            return pressed
        pressed += key
        if len(pressed) >= most:
            return pressed
    if pressed:
        await leg.carrier.sleep(attribute(verb, "timeout", 5))
    return pressed


async def _record(leg: Leg, verb: Element, document: Document) -> Next:
    leg.pick_up()
    if flag(verb, "playBeep", True):
        await leg.carrier.sleep(BEEP_S)
    said = leg.next_words()
    audio = said.words
    if isinstance(audio, str):
        audio = await asyncio.to_thread(voiced, audio, leg.carrier.speak)
    longest = attribute(verb, "maxLength", 3600)
    audio = audio[: int(longest * 8000)]
    leg.carrier.note(leg.sid, f"is recorded for {seconds(audio):.1f} s")

    began = leg.carrier.now_s()

    def kept(digits: str) -> Fetch:
        spoken = audio[: int((leg.carrier.now_s() - began) * 8000)]
        recording = leg.carrier.recordings.add(leg.sid, spoken)
        form = {
            "RecordingSid": recording.sid,
            "RecordingUrl": leg.carrier.recordings.url(recording),
            "RecordingDuration": str(recording.duration),
        }
        if digits:
            form["Digits"] = digits
        if callback := verb.get("recordingStatusCallback"):
            method = verb.get("recordingStatusCallbackMethod", "POST")
            work = leg.carrier.recordings.announce(recording, document.absolute(callback), method)
            leg.later(work, "recording")
        url = document.absolute(verb.get("action") or document.url)
        return Fetch("action", url, verb.get("method", "POST"), form)

    async def hung_up() -> None:
        if audio:
            fetch = kept("hangup")
            await leg.carrier.web.document(leg.sid, fetch, leg.form())

    leg.farewell = hung_up  # a message is kept even if the caller puts the receiver down
    await leg.carrier.sleep(seconds(audio))
    if said.then_hangs_up:
        await leg.party_hangs_up()
    if said.then_key and said.then_key in verb.get("finishOnKey", "1234567890*#"):
        await leg.carrier.sleep(KEY_S)
    elif seconds(audio) < longest:
        await leg.carrier.sleep(attribute(verb, "timeout", 5) or longest - seconds(audio))
    leg.farewell = None
    if not audio:
        return None
    return kept(said.then_key if said.then_key in verb.get("finishOnKey", "1234567890*#") else "")


async def _redirect(leg: Leg, verb: Element, document: Document) -> Next:
    url = document.absolute((verb.text or "").strip())
    return Fetch("redirect", url, verb.get("method", "POST"))


async def _hang_up(leg: Leg, verb: Element, document: Document) -> Next:
    leg.pick_up()
    leg.ended_by = "the document hangs up"
    return False


async def _reject(leg: Leg, verb: Element, document: Document) -> Next:
    if leg.answered_s is not None:
        leg.carrier.error(leg.sid, "<Reject> of a call that was answered")
    else:
        leg.final_status = "busy" if verb.get("reason") == "busy" else "no-answer"
    return False


def _loops(verb: Element) -> int:
    """How often; for ever is often enough."""
    return int(attribute(verb, "loop", 1)) or 1000


_VERBS: dict[str, Callable[[Leg, Element, Document], Awaitable[Next]]] = {
    "Say": _say,
    "Play": _play,
    "Pause": _pause,
    "Gather": _gather,
    "Record": _record,
    "Dial": dialling.dial,
    "Connect": streams.connect,
    "Redirect": _redirect,
    "Hangup": _hang_up,
    "Reject": _reject,
}
