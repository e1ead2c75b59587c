"""Deepgram's messages, as they were recorded, and its queries."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.stt.deepgram_wire import (
    Malformed,
    Other,
    Problem,
    Results,
    TurnEvent,
    TurnInfo,
    limited,
    parse,
    parse_flux,
    query,
)

LINES = (Path(__file__).parent.parent / "wire" / "deepgram.jsonl").read_bytes().splitlines()


def test_every_recorded_line_is_understood() -> None:
    kinds = {type(parse(line)) for line in LINES} | {type(parse_flux(line)) for line in LINES}
    assert kinds == {Results, TurnInfo, Problem, Other}


def test_results_are_stretches_of_text() -> None:
    results = [parsed for line in LINES if isinstance(parsed := parse(line), Results)]
    interim, final, last, *_ = results
    assert (interim.text, interim.is_final, interim.at_pause) == ("i'd like to", False, False)
    assert (final.begin, final.end, final.text) == (0, 40_000, "I'd like to book a table")
    assert (last.begin, last.end, last.text) == (40_000, 50_400, "for two.")
    assert last.at_pause
    assert [word.text for word in last.words()] == ["for", "two."]
    assert last.words()[0].begin == 40_960
    assert any(not empty.text for empty in results)


def test_turn_infos_are_whole_turns() -> None:
    infos = [parsed for line in LINES if isinstance(parsed := parse_flux(line), TurnInfo)]
    assert {info.event for info in infos} == set(TurnEvent)
    ends = [info for info in infos if info.event is TurnEvent.END]
    assert [end.text for end in ends] == ["Is it open on Sunday?", "Gracias."]
    assert ends[0].end == 20_480
    assert ends[0].text_after(0) == "Is it open on Sunday?"
    assert ends[0].text_after(7_000) == "open on Sunday?"
    assert ends[0].text_after(20_480) == ""


def test_complaints_are_told_apart_by_what_follows() -> None:
    assert [p for line in LINES if isinstance(p := parse(line), Problem)] == [
        Problem("SchemaError", fatal=False),
        Problem("INTERNAL_SERVER_ERROR", fatal=False),
    ]
    assert Problem("INTERNAL_SERVER_ERROR", fatal=True) in map(parse_flux, LINES)
    assert Problem("SLOW_CLIENT", fatal=False) in map(parse_flux, LINES)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"upstream connect error",
        b"[]",
        b'"Results"',
        b"\xff\xfe",
        b'{"type":"Results"}',
        b'{"type":"Results","channel":null,"start":0,"duration":1,"is_final":true}',
        b'{"type":"Results","channel":{"alternatives":[]},"start":0,"duration":1}',
        b'{"type":"Results","channel":{"alternatives":[{"transcript":1}]},"start":0,"duration":1,'
        b'"is_final":true}',
        b'{"type":"TurnInfo","event":"Update","transcript":"a"}',
        b'{"type":"TurnInfo","transcript":"a"}',
    ],
)
def test_what_is_not_the_protocol_is_malformed(message: bytes) -> None:
    with pytest.raises(Malformed):
        parse_flux(message) if b"TurnInfo" in message else parse(message)


def test_messages_and_events_of_the_future_are_passed_over() -> None:
    assert parse(b'{"type":"Brand","note":"new"}') == Other("Brand")
    assert parse_flux(b'{"type":"TurnInfo","event":"Doubt"}') == Other("TurnInfo Doubt")


def test_words_without_times_are_one_word() -> None:
    message = (
        b'{"type":"Results","start":1,"duration":1,"is_final":true,"channel":'
        b'{"alternatives":[{"transcript":"a b","words":[{"word":"a"}]}]}}'
    )
    results = parse(message)
    assert isinstance(results, Results)
    assert [(word.begin, word.end, word.text) for word in results.words()] == [(8000, 16000, "a b")]


def test_queries_are_spelt_as_deepgram_wants_them() -> None:
    values = {"a": True, "b": False, "c": 300, "d": None, "e": ["x y", "z"], "f": ()}
    assert query(values) == "a=true&b=false&c=300&e=x+y&e=z"


def test_key_terms_stay_within_the_limit() -> None:
    assert limited(["Anna  Schmidt", "Anna Schmidt", " ", "Hibari"]) == ("Anna Schmidt", "Hibari")
    many = limited([f"Name{number}" for number in range(1000)])
    assert 100 < len(many) < 300
