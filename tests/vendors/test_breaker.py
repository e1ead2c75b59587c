"""Breakers: who is let through after failures, and when. The clock is a number in a list."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from services.vendors import VendorError
from services.vendors.breaker import FAILURES, LONGEST_OPEN_S, OPEN_S, Breaker

BROKEN = VendorError("vendor", "ask", "500")
REFUSED = VendorError("vendor", "ask", "401", at_once=True)


class Timed:
    """A breaker and its clock."""

    def __init__(self) -> None:
        self.now = [0.0]
        self.breaker = Breaker("vendor", lambda: self.now[-1])

    def wait(self, seconds: float) -> None:
        self.now.append(self.now[-1] + seconds)

    def opens_for(self) -> float:
        """How long it keeps everybody out from now on, in whole seconds."""
        begun = self.now[-1]
        while self.breaker.is_open:
            self.wait(1.0)
        return self.now[-1] - begun

    def fail_trial(self) -> None:
        self.opens_for()
        assert self.breaker.allows()
        self.breaker.failed(BROKEN)


def test_all_may_pass_as_long_as_it_works() -> None:
    breaker = Timed().breaker
    for _ in range(10):
        assert breaker.allows()
        breaker.succeeded()
    assert not breaker.is_open


def test_a_refusal_of_what_one_call_asked_is_a_sign_of_life() -> None:
    timed = Timed()
    for _ in range(10):
        timed.breaker.failed(VendorError("vendor", "ask", "content_filter", only_here=True))
    assert timed.breaker.allows()
    timed.breaker.failed(REFUSED)
    timed.opens_for()
    assert timed.breaker.allows(), "the trial"
    timed.breaker.failed(VendorError("vendor", "ask", "content_filter", only_here=True))
    assert not timed.breaker.is_open


def test_a_trial_that_was_called_off_is_given_back() -> None:
    timed = Timed()
    timed.breaker.unanswered()
    timed.breaker.failed(REFUSED)
    timed.breaker.unanswered()
    assert timed.breaker.is_open, "there was no trial"
    timed.opens_for()
    assert timed.breaker.allows()
    assert not timed.breaker.allows()
    timed.breaker.unanswered()
    assert timed.breaker.allows()


def test_it_tells_how_long_it_is_until_its_next_trial() -> None:
    timed = Timed()
    assert timed.breaker.trial_in_s == 0
    timed.breaker.failed(REFUSED)
    timed.wait(2)
    assert timed.breaker.trial_in_s == OPEN_S - 2
    timed.wait(9)
    assert timed.breaker.trial_in_s == 0


def test_three_failures_in_a_row_open_it_but_not_with_a_success_in_between() -> None:
    breaker = Timed().breaker
    for error in [BROKEN] * (FAILURES - 1):
        breaker.failed(error)
    breaker.succeeded()
    for error in [BROKEN] * (FAILURES - 1):
        breaker.failed(error)
    assert breaker.allows()
    breaker.failed(BROKEN)
    assert breaker.is_open
    assert not breaker.allows()


def test_what_would_fail_again_opens_it_at_once() -> None:
    timed = Timed()
    timed.breaker.failed(REFUSED)
    assert not timed.breaker.allows()
    assert timed.opens_for() == OPEN_S


def test_after_its_time_one_may_try_and_the_others_wait_for_how_that_ends() -> None:
    timed = Timed()
    timed.breaker.failed(REFUSED)
    timed.wait(OPEN_S)
    assert not timed.breaker.is_open
    assert timed.breaker.allows()
    assert timed.breaker.is_open
    assert not timed.breaker.allows()
    timed.breaker.succeeded()
    assert timed.breaker.allows()
    assert timed.breaker.allows()


def test_asking_whether_it_is_open_takes_nobodys_turn() -> None:
    timed = Timed()
    timed.breaker.failed(REFUSED)
    timed.wait(OPEN_S)
    assert not timed.breaker.is_open
    assert not timed.breaker.is_open
    assert timed.breaker.allows()


def test_it_says_how_long_until_the_next_trial() -> None:
    timed = Timed()
    assert timed.breaker.trial_in_s == 0
    timed.breaker.failed(REFUSED)
    assert timed.breaker.trial_in_s == OPEN_S
    timed.wait(OPEN_S - 1)
    assert timed.breaker.trial_in_s == 1
    timed.wait(2)
    assert timed.breaker.trial_in_s == 0


def test_a_trial_that_is_never_told_of_does_not_keep_it_open_for_ever() -> None:
    timed = Timed()
    timed.breaker.failed(REFUSED)
    timed.wait(OPEN_S)
    assert timed.breaker.allows()
    timed.wait(OPEN_S)
    assert timed.breaker.allows()


def test_each_failed_trial_doubles_its_time_up_to_a_minute_and_a_success_forgets_it() -> None:
    timed = Timed()
    timed.breaker.failed(REFUSED)
    spans = []
    for _ in range(6):
        timed.fail_trial()
        spans.append(timed.opens_for())
    assert spans == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0]
    assert timed.breaker.allows()
    timed.breaker.succeeded()
    timed.breaker.failed(BROKEN)
    assert timed.breaker.allows()
    timed.breaker.failed(REFUSED)
    assert timed.opens_for() == OPEN_S


def test_one_outage_that_meets_many_calls_opens_it_once() -> None:
    timed = Timed()
    for _ in range(100):  # they were all let through before
        assert timed.breaker.allows()
    for error in [BROKEN, REFUSED] * 50:
        timed.breaker.failed(error)
    assert timed.opens_for() == OPEN_S


ACTS = st.one_of(
    st.just("ask"),
    st.just("succeed"),
    st.sampled_from([BROKEN, REFUSED]),
    st.sampled_from([0.0, 0.5, 4.9, OPEN_S, 12.0, LONGEST_OPEN_S]),
)


@given(st.lists(ACTS, max_size=60))
@settings(max_examples=500, deadline=None, derandomize=True, database=None)
def test_there_is_never_more_than_one_trial_for_each_opening(acts: list[object]) -> None:
    """An opening, or a trial, keeps the others out for five seconds at least, a minute at most."""
    timed = Timed()
    breaker = timed.breaker
    shut_at: float | None = None
    in_a_row = 0
    for act in acts:
        now = timed.now[-1]
        if isinstance(act, float):
            timed.wait(act)
        elif isinstance(act, VendorError):
            breaker.failed(act)
            in_a_row += 1
            if shut_at is None and (act.at_once or in_a_row >= FAILURES):
                shut_at = now
        elif act == "succeed":
            breaker.succeeded()
            shut_at, in_a_row = None, 0
        elif shut_at is None:
            assert breaker.allows()
        else:
            is_let_through = breaker.allows()
            assert not is_let_through or now - shut_at >= OPEN_S
            assert is_let_through or breaker.is_open
            assert not breaker.allows()
            if is_let_through:
                shut_at = now
    timed.wait(LONGEST_OPEN_S)
    assert breaker.allows()
