"""The core: one phone call as two small machines, without sockets, vendors, tasks or clocks.

Feed :class:`~services.call.conversation.Conversation` every event with the time at which it was
noticed; perform the effects that it returns, in order; send ``DeadlinePassed`` when its
``deadline`` has come. That is the whole interface.

Theory of operation
===================

Two machines share the line::

    Caller: QUIET -SpeechStarted-> SPEAKING -SpeechStopped-> PAUSED -SpeechStarted-> SPEAKING
                                                  PAUSED -end of turn-> QUIET
    Agent:  IDLE -reply started-> THINKING -audio sent-> SPEAKING -last mark played-> IDLE
            IDLE -the turn may be over-> EAGER -it is-> THINKING
                                         EAGER -SpeechStarted-> IDLE
                       SPEAKING -SpeechStarted-> HELD -it was nothing-> SPEAKING
                                                 HELD -it was words-> IDLE

and these rules join them:

========  ========  ============================================================================
caller    agent     rule
========  ========  ============================================================================
SPEAKING  SPEAKING  hold: clear the carrier's queue at once, but keep the reply and its audio.
                    Words that are more than "mhm", or sound that lasts, cancel the reply;
                    anything else, and it speaks on from the first word not heard, out of the
                    audio that was kept
PAUSED    IDLE      the words look whole: begin an answer, and let nobody notice before the turn
                    is over. Until then it is dropped as soon as the caller goes on
SPEAKING  THINKING  cancel an answer of which nothing was played: the caller was not finished.
                    The words so far are kept and the turn goes on. Anything else is held
-> QUIET  IDLE      words: reply. Words lost, or a reply cut off for none: ask for them again.
                    No words: it was noise, and nothing happened
QUIET     THINKING  no audio by the deadline: a stored line; none much later: an apology
QUIET     IDLE      silence: one prompt, then goodbye
========  ========  ============================================================================

So while the caller's turn is open (SPEAKING or PAUSED) the agent says nothing. Only a sentence that
may not be interrupted is said to its end; then the caller is listened to.

Lines make sounds of their own: the agent's echo, other people. After one that came to nothing, the
next sound over the agent is not taken for the caller before it has words that are not the agent's
(``doubt``); until then the caller stays QUIET, and the agent speaks on.

How much silence ends a turn is decided in layers (``endpointing``): the words, what the agent had
asked for, the caller's own pauses, the recogniser's opinion. The journal keeps the reason.

A reply is a number. Every event that it causes carries the number, and events of any other reply
are turned away at the door (``Conversation._is_welcome``), so nothing has to be cleaned up after a
cancelled one. The agent speaks until its last mark was *played*, not until its last byte was sent.
After a clear the carrier echoes all pending marks; they mean "thrown away" and count for nothing
(``playback``). Only what was heard enters the history.

A call ends with last words that nothing interrupts (the time limit's, an ordered transfer's, those
for an answering machine), or with an answer after which the brain wants it to end. A caller who
interrupts such an answer stays: only the reason ``transfer`` of the last ``HangUp`` puts anybody
through. Tools work beside all this: their beginning and end are facts, and give the reply that
waits for them more time.

There is one timer: the smallest of the named deadlines. One that has fired, or whose reason is
gone, is gone.

Reading order: ``events`` and ``effects`` (the vocabulary), ``conversation`` (the call, and what
follows what), ``caller_side`` (whose turn it is), ``agent_side`` (the live reply), then
``deadlines``, ``turn`` (the caller's words), ``interruptions`` (what is said over the agent),
``playback`` and ``alignment`` (what was heard), ``endpointing`` and the package ``words`` (pure
judgements), ``timings`` (every duration).
"""
