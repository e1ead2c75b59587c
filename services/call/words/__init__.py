"""What words tell about a turn: pure judgements, each with its reason.

``readiness_of`` (in ``completeness``) says whether the caller seems to be finished, from the shape
of the words (``shape``) and from what the agent had asked for (``expectation``, ``phone_answers``,
``email_answers``, ``calendar_answers``). ``speech_acts`` tells a command from a "mhm", ``echo`` the
agent's own words on the line. The languages are in ``lexicons``.
"""
