"""A call as the server's journal and the phone together know it: which word was heard when. Pure.

The journal says which bytes of which reply were sent, and what text they hold; the phone, when each
byte was played. Words lie in proportion within the text that came with one piece of audio: so does
the server's own account if its voice does not tell where words are, and an error in that is not
seen here.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.conversation.timeline import Played, Reply, Sound, Timeline

BYTES_PER_S = 8000
FRAME_BYTES = 160

Arrival = tuple[float, int]
"""When audio came to the phone, seconds, and how many bytes."""
_Slice = tuple[int, int, int]
"""Bytes of a reply that were sent: its number, and from where to where."""


@dataclass(slots=True)
class Told:
    """What a journal says. ``sent``: by generation, for a clear begins a new one."""

    replies: dict[int, Reply] = field(default_factory=dict)
    commits: list[tuple[float, str]] = field(default_factory=list)
    sent: list[list[_Slice]] = field(default_factory=lambda: [[]])
    first_sent: float | None = None
    texts: dict[int, list[tuple[str, int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Of each reply the words, and the bytes where each begins and ends."""
    size: dict[int, int] = field(default_factory=lambda: defaultdict(int))


def read(lines: Iterable[str]) -> Told:
    """The journal of one call, written with words."""
    told = Told()
    for text in lines:
        line = json.loads(text)
        if "event" not in line:
            continue
        _take_event(told, line["event"])
        for effect in line["effects"]:
            _take_effect(told, line["t"], {**effect, **effect.get("words", {})})
    return told


def _take_event(told: Told, event: Mapping[str, Any]) -> None:
    if event["type"] == "AudioProduced":
        reply, size = event["reply"], event["audio"]
        text = event.get("words", {}).get("text", "")
        _lay_out(told, reply, text, size, event.get("spans") or [(len(text), size)])
    elif event["type"] == "FillerReady":
        told.size[event["reply"]] += event["audio"]


def _lay_out(told: Told, reply: int, text: str, size: int, spans: Sequence[Sequence[int]]) -> None:
    """Where the words of a piece of audio are. Audio without text prolongs the word before it."""
    at, start = 0, told.size[reply]
    for characters, length in spans:
        part = text[at : at + characters]
        for match in re.finditer(r"\S+", part):
            begin = start + match.start() * length // len(part)
            end = start + match.end() * length // len(part)
            told.texts[reply].append((match.group(), begin, end))
        at += characters + 1
        start += length
    told.size[reply] += size


def _take_effect(told: Told, now: float, effect: Mapping[str, Any]) -> None:
    match effect["type"]:
        case "StartReply":
            told.replies[effect["reply"]] = Reply(effect["reply"], effect["purpose"], now)
        case "CancelReply":
            told.replies[effect["reply"]].cancelled = now
        case "ReportHeard":
            told.replies[effect["reply"]].heard = effect.get("text", "")
        case "CommitTurn" if effect.get("text"):
            told.commits.append((now, effect["text"]))
        case "ClearPlayback":
            told.sent.append([])
        case "SendAudio":
            begin = effect["offset"]
            told.sent[-1].append((effect["reply"], begin, begin + effect["audio"]))
            told.first_sent = now if told.first_sent is None else told.first_sent


def timeline(
    outside: Timeline, sounds: Sequence[Sound], told: Told, arrivals: Sequence[Arrival]
) -> Timeline:
    """The call ``outside`` with what the journal adds to it."""
    late = arrivals[0][0] - (told.first_sent or 0.0) if arrivals else 0.0
    call = Timeline(outside.scene, outside.family, 0.0, ended=outside.ended)
    call.sounds, call.clears, call.skipped = list(sounds), outside.clears, outside.skipped
    call.commits = [(at + late, text) for at, text in told.commits]
    for number, reply in told.replies.items():
        cancelled = None if reply.cancelled is None else reply.cancelled + late
        words = [word for word, _, _ in told.texts[number]]
        call.replies[number] = Reply(
            number, reply.purpose, reply.started + late, words, reply.heard, cancelled
        )
    for generation, plays in zip(told.sent, _plays(arrivals, outside.clears), strict=False):
        for piece, begin in _pair(generation, plays):
            for part in _words(told.texts[piece[0]], piece, begin):
                _add(call.played, part)
    return call


def _add(played: list[Played], part: Played) -> None:
    """Add what was audible of a word: to the stretch before it if it goes on there."""
    last = played[-1] if played else None
    if (
        last is not None
        and (last.reply, last.word) == (part.reply, part.word)
        and abs(part.begin - last.end) < FRAME_BYTES / BYTES_PER_S
        and part.first <= last.last + 1
    ):
        played[-1] = replace(last, last=part.last, end=part.end)
    else:
        played.append(part)


_Play = tuple[float, int]
"""When a stretch of bytes began to be played, and how many of them were."""


def _plays(arrivals: Sequence[Arrival], clears: Sequence[float]) -> list[list[_Play]]:
    """What was played of what arrived, by generation: in order, each as soon as it can."""
    found: list[list[_Play]] = []
    edges = [float("-inf"), *clears, float("inf")]
    for since, until in zip(edges, edges[1:], strict=False):
        plays: list[_Play] = []
        free = since
        for at, size in arrivals:
            if since <= at < until:
                begin = max(at, free)
                free = begin + size / BYTES_PER_S
                plays.append((begin, size if free <= until else _bytes(until - begin)))
        found.append(plays)
    return found


def _bytes(seconds: float) -> int:
    return max(0, round(seconds * BYTES_PER_S))


def _pair(sent: Sequence[_Slice], plays: Sequence[_Play]) -> Iterator[tuple[_Slice, float]]:
    """Which bytes were played when. What was sent arrives in order; messages may be cut anew."""
    slices = list(sent)
    for begin, size in plays:
        at, left = begin, size
        while left > 0 and slices:
            reply, first, last = slices.pop(0)
            taken = min(left, last - first)
            yield (reply, first, first + taken), at
            at += taken / BYTES_PER_S
            left -= taken
            if first + taken < last:
                slices.insert(0, (reply, first + taken, last))


def _words(words: Sequence[tuple[str, int, int]], piece: _Slice, at: float) -> Iterator[Played]:
    """What of each word was audible in these bytes, which were played from ``at`` on."""
    reply, first, last = piece
    for place, (_, begin, end) in enumerate(words):
        low, high = max(first, begin), min(last, end)
        if low < high:
            frames = max(1, round((end - begin) / FRAME_BYTES))
            yield Played(
                reply,
                place,
                (low - begin) // FRAME_BYTES,
                max(0, min(frames, -(-(high - begin) // FRAME_BYTES)) - 1),
                frames,
                at + (low - first) / BYTES_PER_S,
                at + (high - first) / BYTES_PER_S,
            )
