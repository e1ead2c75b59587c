"""TwiML documents: what they say, and that the strict reader of the simulator takes them."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.carriers import twiml
from services.carriers.twiml import Play, Say, answer, by_rest, printable, refuse
from tests.simulators.carrier.documents import read

URL = "wss://agent.example.com/media-stream"


def parameters_of(document: str) -> dict[str, str]:
    stream = ElementTree.fromstring(document).find("Connect/Stream")
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


# --- every document -------------------------------------------------------------------------------

HOOK = "https://agent.example.com/voice"
CALLER, STAFF, OTHER = "+15550100001", "+15550100007", "+15550100008"
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'

DOCUMENTS = {
    twiml.stream(URL, {"token": "t"}, "/after/CA1", "https://agent.example.com/stream-status"): (
        '<Connect><Stream statusCallback="https://agent.example.com/stream-status" '
        f'url="{URL}"><Parameter name="token" value="t" /></Stream></Connect>'
        '<Redirect method="POST">/after/CA1</Redirect>'
    ),
    twiml.dial(STAFF, CALLER, 25, "/transferred/CA1"): (
        f'<Dial action="/transferred/CA1" callerId="{CALLER}" method="POST" timeout="25">'
        f"<Number>{STAFF}</Number></Dial>"
    ),
    twiml.dial(STAFF, "anonymous", 1, "/transferred/CA1", "/whisper/CA1", HOOK): (
        '<Dial action="/transferred/CA1" method="POST" timeout="5">'
        f'<Number method="POST" statusCallback="{HOOK}" '
        'statusCallbackEvent="initiated ringing answered completed" url="/whisper/CA1">'
        f"{STAFF}</Number></Dial>"
    ),
    twiml.ring([STAFF, OTHER], 15, "/rung/CA1"): (
        '<Dial action="/rung/CA1" answerOnBridge="true" method="POST" timeout="15">'
        f"<Number>{STAFF}</Number><Number>{OTHER}</Number></Dial>"
    ),
    twiml.whisper("A caller & his\nwish. Press 1.", "/accept/CA1", 8, "en-GB"): (
        '<Gather action="/accept/CA1" method="POST" numDigits="1" timeout="8">'
        '<Say language="en-GB">A caller &amp; his wish. Press 1.</Say></Gather><Hangup />'
    ),
    twiml.record("/said/CA1", prompts=[Play("/a.wav"), Say("Now.")], fallback_url="/none/CA1"): (
        "<Play>/a.wav</Play><Say>Now.</Say>"
        '<Record action="/said/CA1" finishOnKey="" maxLength="60" method="POST" '
        'playBeep="false" timeout="3" /><Redirect method="POST">/none/CA1</Redirect>'
    ),
    twiml.record("/said/CA1", finish_keys="#", beep=True, status_callback="/kept/CA1"): (
        '<Record action="/said/CA1" finishOnKey="#" maxLength="60" method="POST" '
        'playBeep="true" recordingStatusCallback="/kept/CA1" timeout="3" /><Hangup />'
    ),
    twiml.play(HOOK, "/next"): f'<Play>{HOOK}</Play><Redirect method="POST">/next</Redirect>',
    twiml.say("Hello.", language="de-DE"): '<Say language="de-DE">Hello.</Say><Hangup />',
    twiml.say("\n"): "<Hangup />",
    twiml.pause(1, "/next"): '<Pause length="1" /><Redirect method="POST">/next</Redirect>',
    twiml.redirect("/next"): '<Redirect method="POST">/next</Redirect>',
    twiml.hang_up(): "<Hangup />",
    twiml.reject("busy"): '<Reject reason="busy" />',
    twiml.nothing(): "",
}


def sorted_attributes(document: str) -> str:
    root = ElementTree.fromstring(document)
    for element in root.iter():
        attributes = sorted(element.attrib.items())
        element.attrib.clear()
        element.attrib.update(attributes)
    return ElementTree.tostring(root, encoding="unicode")


@pytest.mark.parametrize(("document", "inside"), DOCUMENTS.items())
def test_a_document_and_nothing_is_wrong_with_it(document: str, inside: str) -> None:
    assert document.startswith(HEAD)
    wanted = f"<Response>{inside}</Response>" if inside else "<Response />"
    assert sorted_attributes(document) == wanted
    assert read(document, HOOK).errors == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: twiml.stream("https://agent.example.com/media-stream", {}),
        lambda: twiml.stream(URL + "?token=t", {}),
        lambda: twiml.stream(URL, {}, "", "/stream-status"),
        lambda: twiml.stream(URL, {}, "after/CA1"),
        lambda: twiml.dial("0155512345", CALLER, 20, "/a"),
        lambda: twiml.dial(STAFF, CALLER, 20, ""),
        lambda: twiml.dial(STAFF, CALLER, 20, "https://my_host.example.com/a"),
        lambda: twiml.ring([], 20, "/a"),
        lambda: twiml.ring([STAFF] * 11, 20, "/a"),
        lambda: twiml.record("/a", finish_keys="x"),
        lambda: twiml.redirect("//elsewhere.example.com/a"),
        lambda: twiml.play("ftp://agent.example.com/a.wav"),
        lambda: twiml.speak([Say("&" * 3000)] * 5),
        lambda: by_rest(twiml.redirect("/after")),
        lambda: by_rest(twiml.dial(STAFF, CALLER, 20, HOOK, "/whisper")),
        lambda: by_rest(twiml.say("&" * 3000)),
    ],
)
def test_what_twilio_could_not_take_is_never_sent(make: Callable[[], str]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make()


def test_a_document_by_rest() -> None:
    document = twiml.dial(STAFF, CALLER, 20, HOOK, HOOK)
    assert by_rest(document) == document
    assert read(document, "").errors == []


@given(st.text())
def test_any_words_make_a_document(words: str) -> None:
    document = twiml.whisper(words + "x", "/accept", 5)
    assert read(document, HOOK).errors == []
