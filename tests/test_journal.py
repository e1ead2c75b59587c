"""The journal: what is written can be read and replayed; words stand only where they are marked."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.call import events as on
from services.call.alignment import Span, place_words, quiet_parts
from services.call.briefing import Briefing
from services.call.conversation import Conversation
from services.call.effects import Effect
from services.call.events import AfterReply, Event
from services.call.timings import Timings
from services.engines.completeness import is_dialable
from services.journal import (
    Journal,
    JournalError,
    JournalWriter,
    decode_event,
    encode,
    read_journal,
)
from services.replay import main, replay

EVENTS = get_args(Event)
EFFECTS = get_args(Effect)
SECRET = "my name is Rumpelstiltskin"


def any_of(kind: type) -> st.SearchStrategy[Any]:
    return st.from_type(kind)


@given(st.one_of(*map(any_of, EVENTS)))
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    line = json.loads(json.dumps(encode(event)))
    found = decode_event(line)
    if isinstance(event, on.AudioProduced | on.FillerReady):
        assert isinstance(found, on.AudioProduced | on.FillerReady)
        assert len(found.audio) == len(event.audio)
        assert quiet_parts(found.audio) == quiet_parts(event.audio)
        found = dataclasses.replace(found, audio=event.audio)
    assert found == event


RUNS = st.lists(st.tuples(st.sampled_from([b"\x10", b"\xfe"]), st.integers(1, 600)), max_size=8)


@given(RUNS, RUNS)
def test_of_audio_the_pauses_come_back_also_over_the_seam_of_two_pieces(
    one: list[tuple[bytes, int]], other: list[tuple[bytes, int]]
) -> None:
    pieces = [b"".join(sample * size for sample, size in runs) for runs in (one, other)]
    events = [on.AudioProduced(1, piece, "two words") for piece in pieces]
    found = [decode_event(json.loads(json.dumps(encode(event)))) for event in events]
    both = b"".join(event.audio for event in found if isinstance(event, on.AudioProduced))
    spans = [Span("two words", 0), Span("two more", len(pieces[0]))]
    assert place_words(spans, both, True) == place_words(spans, b"".join(pieces), True)


@pytest.mark.parametrize("kind", [*EVENTS, *EFFECTS], ids=lambda kind: kind.__name__)
def test_words_stand_only_in_their_own_field(kind: type) -> None:
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):
        if field.type == "str" and field.metadata.get("words"):
            values[field.name] = SECRET
        elif field.default is dataclasses.MISSING:
            values[field.name] = {"int": 1, "bytes": b"", "str": "x"}.get(str(field.type))
    item = kind(**values)
    assert SECRET not in json.dumps(encode(item, with_words=False))
    plain = {name: value for name, value in encode(item).items() if name != "words"}
    assert SECRET not in json.dumps(plain)


def stored_call(tmp_path: Path, *, with_words: bool = True) -> list[str]:
    """The journal of a short call: greeting, a question, its answer, goodbye."""
    writer = JournalWriter(tmp_path)
    journal = Journal("CA1", "Test", Timings(), writer, with_words=with_words)
    conversation = Conversation(Timings())
    story: list[tuple[float, Event]] = [
        (0.0, on.CallStarted("+15550100", "+15550199")),
        (
            0.01,
            on.AudioProduced(1, b"\x10" * 1700, "Hello, how can I help?", ((6, 700), (15, 1000))),
        ),
        (0.02, on.ReplyFinished(1)),
        (0.25, on.MarkPlayed("1.0.10")),
        (0.30, on.MarkPlayed("1.0.11")),
        (1.0, on.SpeechStarted(1, 60)),
        (2.0, on.SpeechStopped(1, 200)),
        (2.05, on.TranscriptFinal(1, 1, SECRET)),
        (2.2, on.TokenProduced(2)),  # begun eagerly
        (2.3, on.AudioProduced(2, b"\x20" * 800, "Goodbye.")),
        (2.31, on.ReplyFinished(2, AfterReply.HANG_UP)),
        (2.6, on.DeadlinePassed()),
        (2.8, on.MarkPlayed("2.0.5")),
    ]
    for now, event in story:
        journal.append(now, event, conversation.handle(event, now))
    journal.note(2.9, "closed", bad_messages=0)
    assert conversation.ended
    writer.close()
    return (tmp_path / journal.name).read_text().splitlines()


def test_a_stored_call_replays_to_the_same_effects(tmp_path: Path) -> None:
    assert replay(stored_call(tmp_path)) == (13, [])


def test_replay_finds_an_effect_that_comes_out_otherwise(tmp_path: Path) -> None:
    lines = [line.replace('"offset":1600', '"offset":1440') for line in stored_call(tmp_path)]
    count, differences = replay(lines)
    assert (count, [difference.entry for difference in differences]) == (13, [3])


def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored_call(tmp_path)
    (path,) = tmp_path.glob("*.jsonl")
    assert main([str(path)]) == 0
    assert capsys.readouterr().out == "13 entries replayed, 0 differ\n"
    path.write_text(path.read_text().replace('"reason":"goodbye"', '"reason":"idle"'))
    assert main([str(path)]) == 1
    assert "entry 13" in capsys.readouterr().out
    assert main([str(tmp_path / "none.jsonl")]) == 2
    assert main([]) == 2


def test_without_words_nothing_that_was_said_is_written(tmp_path: Path) -> None:
    lines = stored_call(tmp_path, with_words=False)
    assert SECRET not in "\n".join(lines)
    assert "+15550100" not in "\n".join(lines)
    with pytest.raises(JournalError, match="written without words"):
        replay(lines)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "line 2: not JSON"),
        ("[]", "line 2: expected a JSON object"),
        ("{}", "line 2"),
        ('{"t": 1, "event": {"type": "Nothing"}, "effects": []}', "line 2: unknown event"),
        ('{"t": 1, "event": {"type": "MarkPlayed"}, "effects": []}', "line 2: MarkPlayed"),
        ('{"t": "x", "event": {"type": "DeadlinePassed"}, "effects": []}', "line 2"),
    ],
)
def test_a_broken_line_is_named(line: str, message: str) -> None:
    header = json.dumps({"journal": 1, "timings": {}})
    with pytest.raises(JournalError, match=message):
        list(read_journal([header, line])[1])


@pytest.mark.parametrize("header", ["", "{}", '{"journal": 2}', "nonsense"])
def test_a_file_that_is_no_journal_is_refused(header: str) -> None:
    with pytest.raises(JournalError, match="line 1"):
        read_journal([header])


def test_the_header_tells_how_the_core_was_briefed(tmp_path: Path) -> None:
    header, *_ = map(json.loads, stored_call(tmp_path))
    assert header["briefing"] == {"language": "en", "region": "US"}


def german_call(tmp_path: Path, briefing: Briefing) -> list[str]:
    """A caller pauses after words that lack their end, in German."""
    writer = JournalWriter(tmp_path)
    journal = Journal("CA2", "Test", Timings(), writer, briefing)
    conversation = Conversation(Timings(), briefing)
    story: list[tuple[float, Event]] = [
        (0.0, on.CallStarted("+15550100", "+15550199")),
        (0.1, on.ReplyFinished(1)),
        (1.0, on.SpeechStarted(1, 60)),
        (2.0, on.SpeechStopped(1, 200)),
        (2.05, on.TranscriptFinal(1, 1, "Ich hätte gerne einen")),
        (2.7, on.DeadlinePassed()),
        (3.0, on.CallerHungUp()),
    ]
    for now, event in story:
        journal.append(now, event, conversation.handle(event, now))
    writer.close()
    return (tmp_path / journal.name).read_text().splitlines()


def test_a_call_is_replayed_as_it_was_briefed(tmp_path: Path) -> None:
    lines = german_call(tmp_path, Briefing("de-DE", "DE", is_dialable))
    assert replay(lines) == (7, [])
    otherwise = [lines[0].replace("de-DE", "en"), *lines[1:]]
    assert replay(otherwise)[1], "the language makes a difference"


@pytest.mark.parametrize("briefing", [None, {}, {"tongue": "en"}, "en"])
def test_a_briefing_that_cannot_be_used_is_refused(tmp_path: Path, briefing: object) -> None:
    header, *entries = stored_call(tmp_path)
    changed = json.loads(header) | {"briefing": briefing}
    if briefing == {}:
        assert replay([json.dumps(changed), *entries])[1] == [], "the defaults"
        return
    with pytest.raises(JournalError, match="briefing cannot be used"):
        replay([json.dumps(changed), *entries])


def test_timings_of_another_version_are_refused() -> None:
    with pytest.raises(JournalError, match="timings or briefing cannot be used"):
        replay([json.dumps({"journal": 1, "timings": {"patience": 1}, "briefing": {}})])


def test_a_full_disk_does_not_end_the_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = JournalWriter(tmp_path / "calls")
    (tmp_path / "calls").rmdir()
    writer.write("call.jsonl", dict)
    writer.close()
    assert "cannot be written" in caplog.text
