"""What parties say, rendered before it is needed, and the sounds that the server has played."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping

import numpy as np

from tests.simulators.carrier.parties import BEEP, Party
from tests.simulators.mulaw import RATE, SILENCE, decode, encode, to_pcm
from tests.simulators.phone import Speak
from tests.simulators.record import Clip
from tests.simulators.script import PlayWav, Say, Utterance, utterances
from tests.simulators.voices import load_wav

Clips = Mapping[Utterance, Clip]

_HUM = b"\x10" * 160
_BEEP_S, _BEEP_HZ = 0.5, 1000
_PCM, _MU_LAW = 1, 7


class NotASound(ValueError):
    """An answer to ``<Play>`` that is no telephone sound; the text says what was expected."""


def hum(text: str) -> bytes:
    """The voice of those who were given none: 60 ms for each letter."""
    return _HUM * (3 * len(text))


def beep() -> bytes:
    """The tone after which one may speak."""
    at = np.arange(int(_BEEP_S * RATE)) / RATE
    return encode(to_pcm(8000 * np.sin(2 * np.pi * _BEEP_HZ * at)))


def voiced(text: str, speak: Speak | None) -> bytes:
    """A text as mu-law; the beep as what it is."""
    if text == BEEP:
        return beep()
    return (speak or hum)(text) if text else b""


async def render(party: Party | None, speak: Speak | None) -> Clips:
    """All that a party will say on media streams."""
    if party is None or not party.scripts:
        return {}
    spoken = [each for script in party.scripts for each in utterances(script)]

    def work() -> Clips:
        clips: dict[Utterance, Clip] = {}
        for utterance in spoken:
            match utterance:
                case Say(text):
                    clips[utterance] = Clip(text, voiced(text, speak))
                case PlayWav(path):
                    clips[utterance] = Clip(f"({path.name})", encode(load_wav(path)))
        return clips

    return await asyncio.to_thread(work)


def recording(audio: bytes) -> bytes:
    """Mu-law as the WAV file that Twilio makes of it: 16-bit samples, mono, 8 kHz."""
    data = decode(audio).astype("<i2").tobytes()
    head = struct.pack(
        "<4sI4s4sIHHIIHH",
        b"RIFF",
        36 + len(data),
        b"WAVE",
        b"fmt ",
        16,
        _PCM,
        1,
        RATE,
        2 * RATE,
        2,
        16,
    )
    return head + struct.pack("<4sI", b"data", len(data)) + data


def read_wav(file: bytes) -> bytes:
    """The sound of a file that the server has us play, as mu-law. Raises NotASound unless it is a
    WAV file as a telephone needs it: mono, 8 kHz, 16-bit samples or mu-law."""
    if file[:4] != b"RIFF" or file[8:12] != b"WAVE":
        raise NotASound("a file that is no WAV")
    at, layout = 12, None
    while at + 8 <= len(file):
        name, size = file[at : at + 4], struct.unpack_from("<I", file, at + 4)[0]
        if name == b"fmt ":
            layout = struct.unpack_from("<HHI", file, at + 8) + struct.unpack_from(
                "<H", file, at + 22
            )
        if name == b"data":
            data = file[at + 8 : at + 8 + size]
            if len(data) != size:
                raise NotASound(f"a WAV of {len(data)} bytes that says it has {size}")
            if layout == (_PCM, 1, RATE, 16):
                return encode(np.frombuffer(data[: size // 2 * 2], "<i2").astype(np.int16))
            if layout == (_MU_LAW, 1, RATE, 8):
                return data
            raise NotASound(f"a WAV of (code, channels, Hz, bits) {layout}")
        at += 8 + size + size % 2
    raise NotASound("a WAV without sound")


def seconds(audio: bytes) -> float:
    """How long mu-law sounds."""
    return len(audio) / RATE


def silence(duration_s: float) -> bytes:
    """So much of nothing."""
    return SILENCE * int(duration_s * RATE)
