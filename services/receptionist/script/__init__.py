"""The scripted receptionist: what is said next, as a pure fold over what was said and heard so far.

``dialogue`` is the fold and ``steps`` what a caller's turn can lead to. A form (``message_form``,
``booking_form``, ``change_form``) is frozen data that each answer makes anew. What only a tool can
tell is asked for by ``learned``: the fold stops there and is done again once it is known.
"""
