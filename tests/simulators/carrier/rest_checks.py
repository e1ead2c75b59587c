"""What the REST interface takes, checked as strictly as can be. Pure.

Twilio ignores parameters that it does not know; here they are an error (20001), as are two of a
kind of which only one can count. Codes: https://www.twilio.com/docs/api/errors; parameters:
https://www.twilio.com/docs/voice/api/call-resource and .../docs/messaging/api/message-resource.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from tests.simulators.carrier import documents, grammar

E164 = re.compile(r"\+[1-9]\d{6,14}")
MAX_TWIML_CHARS = 4000
MAX_BODY_CHARS = 1600

Fields = Mapping[str, Sequence[str]]


@dataclass(slots=True)
class Problem(Exception):
    """A refusal: an HTTP status, Twilio's code, and a sentence."""

    status: int
    code: int
    message: str


_METHOD = grammar.one_of("GET", "POST")
_EVENTS = grammar.one_of("initiated", "ringing", "answered", "completed")

CREATE_CALL: dict[str, grammar.Check] = {
    "To": grammar.any_text,
    "From": grammar.any_text,
    "Url": grammar.absolute_url,
    "Twiml": grammar.any_text,
    "Method": _METHOD,
    "FallbackUrl": grammar.absolute_url,
    "FallbackMethod": _METHOD,
    "StatusCallback": grammar.absolute_url,
    "StatusCallbackMethod": _METHOD,
    "StatusCallbackEvent": _EVENTS,
    "Timeout": grammar.number(1, 600),
    "TimeLimit": grammar.number(1, 86_400),
    "MachineDetection": grammar.one_of("Enable", "DetectMessageEnd"),
    "MachineDetectionTimeout": grammar.number(3, 59),
    "MachineDetectionSpeechThreshold": grammar.number(1000, 6000),
    "MachineDetectionSpeechEndThreshold": grammar.number(500, 5000),
    "MachineDetectionSilenceTimeout": grammar.number(2000, 10_000),
    "AsyncAmd": grammar.one_of("true", "false"),
    "AsyncAmdStatusCallback": grammar.absolute_url,
    "AsyncAmdStatusCallbackMethod": _METHOD,
    "CallReason": grammar.any_text,
}
UPDATE_CALL: dict[str, grammar.Check] = {
    "Url": grammar.absolute_url,
    "Twiml": grammar.any_text,
    "Method": _METHOD,
    "Status": grammar.one_of("canceled", "completed"),
    "FallbackUrl": grammar.absolute_url,
    "FallbackMethod": _METHOD,
    "StatusCallback": grammar.absolute_url,
    "StatusCallbackMethod": _METHOD,
    "TimeLimit": grammar.number(1, 86_400),
}
CREATE_TEXT: dict[str, grammar.Check] = {
    "To": grammar.any_text,
    "From": grammar.any_text,
    "Body": grammar.any_text,
    "StatusCallback": grammar.absolute_url,
}

MALFORMED = frozenset({20001, 21201, 21205, 21213, 21262, 21602, 21603, 21604, 21609})
"""Refusals of what should never have been asked, whatever a caller or a file says."""

_REPEATED = frozenset({"StatusCallbackEvent"})
_CODES = {
    "Url": 21205,
    "FallbackUrl": 21205,
    "StatusCallback": 21609,
    "AsyncAmdStatusCallback": 21609,
}


def create_call(fields: Fields, numbers: Collection[str]) -> None:
    """Raises Problem. ``numbers``: the account's; empty: any may call."""
    _known(fields, CREATE_CALL)
    _party(fields, "To", 21201, 21211)
    _party(fields, "From", 21213, 21212)
    if numbers and _one(fields, "From") not in numbers:
        raise Problem(400, 21210, "The source phone number provided is not yet verified")
    _document(fields)
    if not _one(fields, "Url") and not _one(fields, "Twiml"):
        raise Problem(400, 21205, "Url parameter is required.")
    asynchronous = _one(fields, "AsyncAmd") == "true"
    if asynchronous and not _one(fields, "MachineDetection"):
        raise Problem(400, 20001, "AsyncAmd without MachineDetection")
    if asynchronous and not _one(fields, "AsyncAmdStatusCallback"):
        raise Problem(400, 21262, "AsyncAmd without AsyncAmdStatusCallback: nobody gets the result")
    if _one(fields, "AsyncAmdStatusCallback") and not asynchronous:
        raise Problem(400, 20001, "AsyncAmdStatusCallback without AsyncAmd")
    if "StatusCallbackEvent" in fields and not _one(fields, "StatusCallback"):
        raise Problem(400, 20001, "StatusCallbackEvent without StatusCallback")


def update_call(fields: Fields) -> None:
    """Raises Problem."""
    _known(fields, UPDATE_CALL)
    _document(fields)
    if not any(_one(fields, name) for name in ("Url", "Twiml", "Status")):
        raise Problem(400, 20001, "an update needs Url, Twiml or Status")
    if _one(fields, "Status") and (_one(fields, "Url") or _one(fields, "Twiml")):
        raise Problem(400, 20001, "Status together with a document")


def create_text(fields: Fields, numbers: Collection[str]) -> None:
    """Raises Problem."""
    _known(fields, CREATE_TEXT)
    _party(fields, "To", 21604, 21211)
    _party(fields, "From", 21603, 21212)
    if numbers and _one(fields, "From") not in numbers:
        raise Problem(400, 21606, "The 'From' phone number is not one that can send messages")
    body = _one(fields, "Body")
    if not body.strip():
        raise Problem(400, 21602, "Message body is required.")
    if len(body) > MAX_BODY_CHARS:
        raise Problem(400, 21617, "The message body exceeds the 1600 character limit.")


def _known(fields: Fields, known: Mapping[str, Callable[[str], str]]) -> None:
    for name, values in fields.items():
        if name not in known:
            raise Problem(400, 20001, f"no such parameter: {name}")
        if len(values) > 1 and (name not in _REPEATED or len(set(values)) != len(values)):
            raise Problem(400, 20001, f"{name} is given twice")
        for value in values:
            if value and (wanted := known[name](value)):
                code = _CODES.get(name, 20001)
                raise Problem(400, code, f"{name} {value!r}: expected {wanted}")


def _party(fields: Fields, name: str, missing: int, invalid: int) -> None:
    number = _one(fields, name)
    if not number:
        raise Problem(400, missing, f"No '{name}' number is specified")
    if not E164.fullmatch(number):
        raise Problem(400, invalid, f"The '{name}' number {number} is not a valid phone number.")


def _document(fields: Fields) -> None:
    twiml = _one(fields, "Twiml")
    if not twiml:
        return
    if _one(fields, "Url"):
        raise Problem(400, 20001, "Url and Twiml: only one of them counts")
    if len(twiml) > MAX_TWIML_CHARS:
        raise Problem(400, 20001, f"Twiml of {len(twiml)} characters; the limit is 4000")
    errors = documents.read(twiml, "").errors
    if errors:
        raise Problem(400, 20001, f"Twiml: {'; '.join(errors)}")


def _one(fields: Fields, name: str) -> str:
    values = fields.get(name, ())
    return values[0] if values else ""
