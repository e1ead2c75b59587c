"""Keys that no header can hold."""

from __future__ import annotations

import pytest

from services.vendors import VendorError
from services.vendors.keys import check_key
from tests.stt.caller import BAD_KEYS


@pytest.mark.parametrize("key", [*BAD_KEYS, ""])
def test_a_key_that_no_header_can_hold_is_bad_for_good(key: str) -> None:
    with pytest.raises(VendorError) as failed:
        check_key("deepgram", "connect", key)
    error = failed.value
    assert (error.vendor, error.step, error.code) == ("deepgram", "connect", "bad key")
    assert error.at_once
    assert not key or key not in str(error)


@pytest.mark.parametrize("key", ["k", "sk-proj_0123-ABC", "not needed", "a" * 200])
def test_any_other_key_may_be_tried(key: str) -> None:
    check_key("deepgram", "connect", key)
