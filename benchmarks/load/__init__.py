"""The load benchmark: what this server adds to its vendors' times, with 1 to 200 calls at once.

Vendors and phones are simulated in one process, so that all times are of one clock. The figure of a
turn is what is left of it when the parts that no server can avoid are taken off; see ``turns``.
"""
