"""What the REST interface refuses, and with which code."""

from __future__ import annotations

import httpx
import pytest

from tests.simulators.carrier import Carrier
from tests.simulators.carrier.fake_app import CALLER, OURS, STAFF

CALL = {"To": CALLER, "From": OURS, "Url": "https://voice.example.com/voice"}
TEXT = {"To": CALLER, "From": OURS, "Body": "Hello."}
DETECT = {"MachineDetection": "Enable", "AsyncAmd": "true"}
TWIML = "<Response><Hangup/></Response>"

CALLS = [
    ({"To": ""}, 21201),
    ({"To": "0155512345"}, 21211),
    ({"From": ""}, 21213),
    ({"From": "anonymous"}, 21212),
    ({"From": STAFF}, 21210),
    ({"Url": ""}, 21205),
    ({"Url": "/voice"}, 21205),
    ({"Url": "https://my_host.example/voice"}, 21205),
    ({"StatusCallback": "status"}, 21609),
    ({"Twiml": TWIML}, 20001),
    ({"Url": "", "Twiml": "<Response><Redirect>/a</Redirect></Response>"}, 20001),
    ({"Url": "", "Twiml": "<Response>" + " " * 4000 + "</Response>"}, 20001),
    ({"Machine": "Enable"}, 20001),
    ({"Timeout": "601"}, 20001),
    ({"StatusCallbackEvent": "answered"}, 20001),
    ({"StatusCallback": "https://h.example/s", "StatusCallbackEvent": "finished"}, 20001),
    ({"MachineDetection": "true"}, 20001),
    ({"AsyncAmd": "true"}, 20001),
    (DETECT, 21262),
    ({"MachineDetection": "Enable", "AsyncAmdStatusCallback": "https://h.example/a"}, 20001),
]
TEXTS = [
    ({"To": ""}, 21604),
    ({"To": "12345"}, 21211),
    ({"From": ""}, 21603),
    ({"From": STAFF}, 21606),
    ({"Body": " "}, 21602),
    ({"Body": "x" * 1601}, 21617),
    ({"Text": "Hello."}, 20001),
]


async def refusal(path: str, form: dict[str, str]) -> int:
    """Post a form and return the code with which it was refused."""
    async with Carrier(numbers={OURS: "/voice"}) as carrier:
        url = f"{carrier.rest_url}/2010-04-01/Accounts/{carrier.account_sid}/{path}"
        keys = (carrier.account_sid, carrier.auth_token)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(url, data=form, auth=keys)
        body = answer.json()
        assert (body["status"], carrier.rest[0].status) == (answer.status_code,) * 2
        assert (carrier.rest[0].code, carrier.calls, carrier.texts) == (body["code"], {}, [])
        return int(body["code"])


@pytest.mark.parametrize(("change", "code"), CALLS)
async def test_a_call_that_is_refused(change: dict[str, str], code: int) -> None:
    assert await refusal("Calls.json", CALL | change) == code


@pytest.mark.parametrize(("change", "code"), TEXTS)
async def test_a_text_that_is_refused(change: dict[str, str], code: int) -> None:
    assert await refusal("Messages.json", TEXT | change) == code


async def test_other_places_and_accounts() -> None:
    async with Carrier() as carrier, httpx.AsyncClient(trust_env=False) as client:
        base = f"{carrier.rest_url}/2010-04-01/Accounts"
        keys = (carrier.account_sid, carrier.auth_token)
        mine = f"{base}/{carrier.account_sid}"
        answers = [
            await client.post(f"{mine}/Calls.json", data=CALL),
            await client.post(f"{mine}/Calls.json", data=CALL, auth=(keys[0], "wrong")),
            await client.post(f"{mine}/Calls.json", json=CALL, auth=keys),
            await client.post(f"{base}/AC1/Calls.json", data=CALL, auth=keys),
            await client.post(f"{mine}/Calls/CA1.json", data={"Status": "completed"}, auth=keys),
            await client.get(f"{mine}/Calls/CA1.json", auth=keys),
            await client.get(f"{mine}/Recordings/RE1.wav", auth=keys),
            await client.get(f"{mine}/Conferences.json", auth=keys),
        ]
        assert [each.status_code for each in answers] == [401, 401, 400, 404, 404, 404, 404, 404]
        assert [each.json()["code"] for each in answers] == [
            *(20003, 20003, 20001),
            *[20404] * 5,
        ]
