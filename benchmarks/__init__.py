"""Benchmarks: figures for people to compare, kept out of the test suite."""
