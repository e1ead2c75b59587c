"""Where a call stands between two of the carrier's webhooks, and what the carrier hears next.

A call is known by its id from webhook to webhook, and what matters of it is in the store: so a call
goes on after the server was started anew.

- ``board``        answers the webhooks of calls
- ``routing``      which way an incoming call takes: streamed, recorded, refused, staff first (pure)
- ``connecting``   TwiML that opens a media stream, and the webhooks' addresses
- ``tokens``       a stream that no webhook announced gets nothing
- ``open_streams`` which calls have a stream, and how it ended
- ``transfers``    puts callers through to people and brings them back
- ``outbound``     calls that go out
- ``progress``     what the carrier's callbacks tell
- ``call_orders``  what the REST interface orders: hang up, put through
- ``call_book``    the record, as it is used here: a database that fails costs no caller the call
- ``texts``        text messages, each at most once
"""
