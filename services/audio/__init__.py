"""Sound itself: codec, placement on the media clock, voice activity, resampling, worker threads.

Nothing here knows a carrier, a vendor or a reply, and nothing reads a clock: time is counted in
frames. A frame is 20 ms of mu-law at 8 kHz, 160 bytes; that is what passes between the rooms.
Linear samples live only where they are worked on.

Reading order: ``mulaw`` (the units), ``placement`` (carrier audio to frames), ``vad`` (is a frame
voice?), ``segmenter`` (frames to SpeechStarted and SpeechStopped), ``workers`` (where models run).
"""
