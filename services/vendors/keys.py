"""Keys that no HTTP header can hold: with a line's end, or a letter of another alphabet in it.

Asked before a library sees the key: each has another error for it, some only a lost connection.
"""

from __future__ import annotations

import re

from services.vendors import VendorError

_KEY = re.compile(r"[!-~]([ -~]*[!-~])?")  # RFC 9110, 5.5, without what is obsolete


def check_key(vendor: str, step: str, key: str) -> None:
    """Raises VendorError (``bad key``) for a key that cannot be sent."""
    if not _KEY.fullmatch(key):
        raise VendorError(vendor, step, "bad key", at_once=True)
