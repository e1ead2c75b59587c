"""What the OpenAPI document says of the interface as a whole: the page at ``/docs`` begins with
it."""

from __future__ import annotations

TITLE = "Voice agent server"

DESCRIPTION = """
A receptionist that answers telephone calls, and everything it has on record.

**Keys.** Routes with a lock want one of `API_KEYS`, in the header `X-API-Key` or as
`Authorization: Bearer`. Without `API_KEYS` they are closed.

**Errors** are JSON, everywhere: `{"error": {"code": "no_such_call", "message": "..."}}`. The code
is for programs, the message says what to do.

**Lists** come in pages: ask for the next one with `cursor`, which is the `next` of the page before,
and the same filters.

**Times** are in ISO 8601. Those that you send need their offset from UTC, like
`2026-11-24T15:30:00+01:00`; those that you get are in UTC. **Numbers** are like `+15551234567`.
"""

TAGS = [
    {"name": "calls", "description": "Active and past calls: look, call, hang up, put through."},
    {"name": "bookings", "description": "Appointments, and each agent's calendar feed."},
    {"name": "messages", "description": "What callers have left."},
    {"name": "agents", "description": "Who answers, and what is wrong with their files."},
    {"name": "stats", "description": "How fast and how well calls go, and what they cost."},
    {"name": "health", "description": "For load balancers: nothing about callers, no key."},
    {"name": "console", "description": "The talk page's own interface: CONSOLE_PASSWORD."},
    {"name": "webhooks", "description": "For Twilio only: signed with TWILIO_AUTH_TOKEN."},
]
