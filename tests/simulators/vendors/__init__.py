"""Strict simulators of the vendors: they refuse what the real services refuse.

``async with DeepgramSimulator() as deepgram: ... deepgram.url ...`` serves on a free port of this
machine, on the running loop, so that client and vendor can share a virtual clock.
"""
