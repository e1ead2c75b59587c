"""A booking that is cut short at every step: interrupted, hung up on, killed with the server.

One conversation (book, change, cancel) is held once undisturbed; its steps are the entries of its
journal and, for kills, all that its process does to the database. For each step it is held anew and
cut short there; none is left out. The office is the whole one: calls, desk, scripted brain,
records, database. Only ears, voice, telephone and time are the tests'.

- ``reception``  an office on virtual time, the telephone at its door, and a caller with a plan
- ``caller``     what the caller wants, answers, and was told
- ``verdict``    what must hold afterwards: in the calendar, on record, in the process
- ``inline``     SQLite without its thread: every run is the same to the last statement
- ``victim``     a process that holds the conversation and is killed at a step of it
"""
