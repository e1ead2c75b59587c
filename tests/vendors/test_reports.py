"""What vendors did for a call is told to it, and failures are counted for all calls."""

from __future__ import annotations

import logging
from collections import Counter

import pytest

from services.call.events import VendorEvent, VendorFailed, VendorStep
from services.vendors import Reports, VendorError

LOST = VendorError("deepgram", "listen", "1011")


def test_what_happened_before_the_call_listened_is_told_then_in_order_and_once() -> None:
    reports, told = Reports(), list[VendorEvent]()
    reports.step("deepgram", "connect")
    reports.failed(LOST)
    reports.attach(told.append)
    assert told == [VendorStep("deepgram", "connect"), VendorFailed("deepgram", "listen", "1011")]
    reports.step("openai", "request", reply=3)
    reports.attach(told.append)
    assert told[2:] == [VendorStep("openai", "request", 3)]


def test_failures_are_counted_for_all_calls_by_vendor_and_code() -> None:
    counted: Counter[tuple[str, str]] = Counter()
    one, other = Reports(counted), Reports(counted)
    one.failed(LOST)
    other.failed(LOST)
    other.failed(VendorError("openai", "chat", "429"))
    other.step("openai", "request")
    assert counted == {("deepgram", "1011"): 2, ("openai", "429"): 1}


def test_a_call_may_do_without_a_count() -> None:
    Reports().failed(LOST)


def test_the_log_names_vendor_step_and_code(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "services.vendors"):
        Reports().failed(LOST)
    assert caplog.messages == ["deepgram failed: listen: 1011"]


def test_an_error_says_who_failed_at_what_and_how() -> None:
    refused = VendorError("openai", "chat", "401", at_once=True)
    assert str(refused) == "openai: chat: 401"
    assert (refused.vendor, refused.step, refused.code) == ("openai", "chat", "401")
    assert refused.at_once
    assert not LOST.at_once
