"""Twilio in a box: the carrier as a whole, against any server, with nobody's account.

It serves Twilio's REST interface (calls, text messages, recordings) and behaves as the network
behind it: it asks the server's webhooks what to do, performs the TwiML, rings telephones, and plays
the people who answer them. What a real Twilio would complain of is in ``errors``.

::

    async with Carrier(auth_token=TOKEN) as carrier:
        # the server's settings: twilio_account_sid=carrier.account_sid,
        # twilio_auth_token=TOKEN, twilio_base_url=carrier.rest_url
        async with serving(app) as url:
            carrier.serves(url, public_url="https://voice.example.com", voice="/voice-stream")
            carrier.telephone("+15550100007", Party(rings_s=4, keys=["1"], talks_s=20))
            caller = Party(scripts=[[WaitAgent(), Say("A person, please."), ExpectHangUp()]])
            call = await carrier.call_in("+15550100001", "+15550100002", caller)
            await call.over()
            assert [str(each) for each in carrier.requests] == [
                "POST /voice-stream",
                f"POST /webhooks/after/{call.sid}",
                f"POST /webhooks/whisper/{call.sid}",
                ...
            ]
            assert carrier.requests[-1].form["DialCallStatus"] == "completed"
            assert carrier.errors == []

**People.** ``telephone(number, Party(...))`` says who answers a number, and how: it may be busy,
ring for ever, refuse, or have an answering machine. A number that nobody was given for cannot be
reached (``failed``). See :class:`~tests.simulators.carrier.parties.Party`: one script for each
media stream that it comes to, keys for each ``<Gather>``, words for each ``<Record>``.

**What is on record.** ``carrier.requests``: all that was asked of the server, in order (``kind``,
``method``, ``path``, ``form``, ``status``, ``str()`` is ``POST /path``); ``of("status")`` picks a
kind. ``carrier.rest``: all that the server asked of us, the same way. ``carrier.texts``: messages
sent. ``call.heard``: what its party was told without a stream ("say: ...", "play: ..."), and
``call.failures``: where a party's script went wrong. ``call.children``: the legs that it dialled.

**Time.** Rings, pauses, prompts and recordings take the time that they would take, divided by
``speed``. On a virtual loop (``tests.virtual_time.run_virtual``) leave it at 1: nothing is waited
for, and all moments are exact. Against a server with a clock of its own, 10 to 50 is fine. Media
streams always run in the loop's time. Deadlines of webhooks (15 s) are the loop's, too.

**Trouble**, by :class:`~tests.simulators.carrier.parties.Trouble`: webhooks delivered twice, status
callbacks late or twice, recordings that are not there yet, refusals of the REST interface.

On the command line: ``python -m tests.simulators.carrier --help``.

Direction of imports: ``__main__`` -> ``box`` -> ``rest``, ``web``, ``legs`` -> ``verbs``,
``progress`` -> ``dialling``, ``streams``, ``recordings`` -> ``voices`` and the pure parts
(``parties``, ``ledger``, ``documents``, ``grammar``, ``rest_checks``).
"""

from tests.simulators.carrier.box import Carrier
from tests.simulators.carrier.ledger import Request, Text
from tests.simulators.carrier.legs import Leg
from tests.simulators.carrier.parties import Answers, Party, Refusal, Trouble, Words, machine
from tests.simulators.carrier.serving import serving

__all__ = [
    "Answers",
    "Carrier",
    "Leg",
    "Party",
    "Refusal",
    "Request",
    "Text",
    "Trouble",
    "Words",
    "machine",
    "serving",
]
