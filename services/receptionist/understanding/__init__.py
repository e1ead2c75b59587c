"""What callers want: patterns over words, and the words of one agent's file.

``lexicon`` understands an utterance (``heard``); ``intents`` are the patterns, ``wishes`` what is
said of appointments.
"""
