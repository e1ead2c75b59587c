"""What is wrong with a document, and what is not."""

from __future__ import annotations

import pytest

from tests.simulators.carrier.documents import read, read_answer

URL = "https://voice.example.com/voice"
DIAL = "<Dial action='/a' timeout='20' callerId='+15550100001'>"

RIGHT = [
    "",
    "<Say language='de-DE'>Guten Tag.</Say><Pause length='2'/><Hangup/>",
    "<Play loop='2'>/a.wav</Play><Redirect method='POST'>/next?a=1</Redirect>",
    "<Gather input='dtmf speech' numDigits='1' action='/a'><Say>Press 1.</Say></Gather>",
    "<Record action='https://other.example.com/a' maxLength='60' finishOnKey=''/>",
    f"{DIAL}<Number url='/w' statusCallback='https://h.example/s'>+15550100007</Number></Dial>",
    "<Dial>+15550100007</Dial>",
    "<Connect><Stream url='wss://h.example/s'><Parameter name='a' value=''/></Stream></Connect>",
    "<Reject reason='busy'/>",
]

WRONG = [
    ("<Speak>Hello.</Speak>", "<Speak> is no verb"),
    ("<Number>+15550100007</Number>", "<Number> is no verb"),
    ("<Say voise='alice'>Hello.</Say>", "unknown attribute 'voise'"),
    ("<Say/>", "1 to 4096 characters"),
    ("<Say>" + "x" * 4097 + "</Say>", "1 to 4096 characters"),
    ("<Pause length='soon'/>", "a number from 0 to 3600"),
    ("<Pause>3</Pause>", "<Pause> holds text"),
    ("<Play/>", "a URL or digits"),
    ("<Play digits='12x'/>", "expected digits"),
    ("<Redirect/>", "an http(s) URL"),
    ("<Redirect>https://my_host.example/a</Redirect>", "without an underscore"),
    ("<Redirect method='PUT'>/a</Redirect>", "one of GET, POST"),
    ("<Redirect>/a</Redirect><Say>Hello.</Say>", "is not reached"),
    ("<Hangup/><Hangup/>", "is not reached"),
    ("<Say>Hello.</Say><Reject/>", "only as the first verb"),
    ("<Gather action='/a'><Record action='/b'/></Gather>", "<Record> in <Gather>"),
    ("<Gather numDigits='0' action='/a'/>", "a number from 1 to 100"),
    ("<Gather/>", "asks for its own document again"),
    ("<Record/>", "asks for its own document again"),
    ("<Record action='/a' maxLength='0'/>", "a number from 1"),
    ("<Record action='/a' finishOnKey='x'/>", "keys out of"),
    ("<Dial action='/a'/>", "needs a number"),
    ("<Dial>+15550100007<Number>+15550100007</Number></Dial>", "needs a number"),
    ("<Dial>" + "<Number>+15550100007</Number>" * 11 + "</Dial>", "ten numbers at most"),
    ("<Dial><Client>anna</Client></Dial>", "<Client> in <Dial>"),
    ("<Dial><Number statusCallback='/s'>+15550100007</Number></Dial>", "an absolute URL"),
    ("<Dial timeout='0'>+15550100007</Dial>", "a number from 1 to 600"),
    ("<Connect/>", "must hold one <Stream>"),
    ("<Connect><Stream/></Connect>", "lacks 'url'"),
    ("<Connect><Stream url='wss://h.example/s' statusCallback='/s'/></Connect>", "an absolute URL"),
    ("<Connect><Stream url='wss://h.example/s'><Parameter name='a'/></Stream></Connect>", "lacks"),
    ("<Connect><Stream url='wss://h.example/s' track='both_tracks'/></Connect>", "inbound_track"),
    ("Hello.", "<Response> holds text"),
]


@pytest.mark.parametrize("inside", RIGHT)
def test_nothing_is_wrong(inside: str) -> None:
    assert read(f"<Response>{inside}</Response>", URL).errors == []


@pytest.mark.parametrize(("inside", "error"), WRONG)
def test_what_is_wrong_is_said(inside: str, error: str) -> None:
    document = read(f"<Response>{inside}</Response>", URL)
    assert any(error in each for each in document.errors), document.errors
    assert not document.is_lost


@pytest.mark.parametrize(
    "inside",
    [
        "<Redirect>/a</Redirect>",
        "<Play>/a.wav</Play>",
        "<Record action='/a'/>",
        "<Dial><Number url='/w'>+15550100007</Number></Dial>",
    ],
)
def test_a_document_by_rest_needs_absolute_urls(inside: str) -> None:
    (error,) = read(f"<Response>{inside}</Response>", "").errors
    assert "must be absolute in a document by REST" in error


@pytest.mark.parametrize(
    ("status", "kind", "body", "code"),
    [
        (403, "text/xml", b"<Response/>", "11200"),
        (200, "application/json", b'"<Response/>"', "12300"),
        (200, "", b"<Response/>", "12300"),
        (200, "text/xml", b"<Response>", "12100"),
        (200, "text/xml", b"", "12100"),
        (200, "text/xml", b"<html/>", "12200"),
        (200, "text/xml", b"<Response>" + b" " * 65_536 + b"</Response>", "11750"),
    ],
)
def test_an_answer_that_is_no_document(status: int, kind: str, body: bytes, code: str) -> None:
    document = read_answer(status, kind, body, URL)
    assert document.is_lost
    assert [error.partition(":")[0] for error in document.errors] == [code]


def test_an_answer_that_is_one() -> None:
    document = read_answer(200, "text/xml; charset=utf-8", b"<Response><Hangup/></Response>", URL)
    assert (document.errors, [verb.tag for verb in document.verbs]) == ([], ["Hangup"])
    assert document.absolute("/next?a=1") == "https://voice.example.com/next?a=1"
