"""Conversation quality: how the agent takes turns, measured on scripted calls.

``python -m benchmarks.conversation`` holds every scripted call on virtual time, in seconds, and
prints one row of measures for each policy.

What is real: the carrier's codec, the placement of frames, both voice detectors, the segmenter, the
cascade, the core, the shell. What stands in: the recogniser (it knows the truth and is as late as a
vendor is), the brain (it says what the script says), the agent's voice (words of known length),
Twilio (it plays and echoes marks by the loop's clock) and the caller (who says what the script says
and listens for nothing but whether the agent speaks).

``--check`` tells whether the default policy keeps its limits. ``--url`` has the same caller call
a running server through the simulated Twilio phone, in real time.

Reading order: ``script`` (the vocabulary of a call), ``scenes`` (the calls), ``clips`` and
``noises`` (their sound), ``phone`` and ``caller`` (the far end), ``ears``, ``brain``, ``voice``
(the vendors' stand-ins), ``policies``, ``call`` (one call, all of it), ``timeline`` (what happened
in it), ``measures`` and ``overlap`` (how good that was), ``acceptance`` (how good it must be),
``report`` and ``document`` (the tables, the page). Calls to a running server: ``live``, ``outside``
(what the phone knows), ``from_journal`` (what the server adds).
"""
