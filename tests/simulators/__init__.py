"""A phone in the box: plays Twilio and the caller at once against any running server.

One direction of imports: ``__main__`` -> ``phone`` -> ``stream`` -> the pure parts.

- ``script``       what the caller does, and the mini-language for it
- ``webhook``      the signed webhook and the TwiML that answers it
- ``twilio_wire``  Media Streams messages, built and strictly checked
- ``playback``     Twilio's playback queue: what the caller hears, and when marks are reached
- ``line``         what a telephone line does to the caller's audio
- ``sound``        where a sound is audible
- ``record``       what went over the wire in a call
- ``stream``       one open media stream: the socket and its three tasks
- ``caller``       performs the script on the stream
- ``phone``        one call: webhook, stream, caller, report
- ``report``       what happened, measured from the sound after the call
- ``folder``       the report as files and as text
- ``voices``       WAV files, a speaking and a listening engine for the command line
"""
