"""What is on record of a call: what was said and done, how fast it was, and what it cost.

One direction: ``records`` -> ``record`` -> ``tally`` -> ``latency``, ``eager``, ``figures``,
``costs``. A call's :class:`~services.records.tally.Tally` is the one fold over its journal; the log
line, the live view and the record share it.

- ``record``     the record of one call in the making; ``records``: of all of them
- ``scribe``     writes to the store what calls put down, behind their backs
- ``tally``      everything that is counted in a call
- ``latency``, ``eager``, ``figures``, ``costs``   what is counted, each by itself
- ``outcome``    what the caller wanted, got, and how they felt about it
- ``summary``    the same in a sentence or two
- ``stats``      over many calls, out of the store
- ``pulse``      how the event loop is, every ten seconds
- ``retention``  what is deleted, and when
"""
