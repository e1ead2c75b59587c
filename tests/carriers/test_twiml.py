"""The TwiML that opens a stream, or turns a call away."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from services.carriers.twilio import answer, printable, refuse

URL = "wss://agent.example.com/media-stream"


def parameters_of(twiml: str) -> dict[str, str]:
    stream = ElementTree.fromstring(twiml).find("Connect/Stream")
    assert stream is not None
    return {each.attrib["name"]: each.attrib["value"] for each in stream}


def test_the_answer_connects_the_stream_and_then_hangs_up() -> None:
    response = ElementTree.fromstring(answer(URL, {"token": "t", "caller": ""}))
    assert response.tag == "Response"
    assert [verb.tag for verb in response] == ["Connect", "Hangup"]
    stream = response[0][0]
    assert (stream.tag, stream.attrib) == ("Stream", {"url": URL})
    assert [(each.tag, each.attrib) for each in stream] == [
        ("Parameter", {"name": "token", "value": "t"}),
        ("Parameter", {"name": "caller", "value": ""}),
    ]


def test_the_answer_starts_with_an_xml_declaration() -> None:
    assert answer(URL, {}).startswith('<?xml version="1.0" encoding="UTF-8"?><Response>')


def test_a_parameter_stays_below_500_characters() -> None:
    assert parameters_of(answer(URL, {"caller": "x" * 10_000})) == {"caller": "x" * 493}


@given(st.text())
def test_any_value_makes_well_formed_twiml(value: str) -> None:
    assert parameters_of(answer(URL, {"caller": value})) == {"caller": printable(value, 493)}


def test_what_xml_cannot_carry_is_left_out() -> None:
    odd = 'a\x00b\x0b\n<&">\u200b\ufffe\ud800é😀'
    assert printable(odd, 100) == 'ab<&">é😀'


def test_a_refusal_says_why_and_hangs_up() -> None:
    response = ElementTree.fromstring(refuse("All lines are busy & so on."))
    assert [(verb.tag, verb.text) for verb in response] == [
        ("Say", "All lines are busy & so on."),
        ("Hangup", None),
    ]
