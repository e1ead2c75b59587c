"""One-time tokens: once, for one call, for a short while, and never too many of them."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from services.switchboard.tokens import Announced, Origin, Tokens


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_good_once() -> None:
    tokens = Tokens(clock=Clock())
    token = tokens.issue("CA1", "+1415", "+1800", "twilio")
    assert tokens.redeem(token, "CA1") == Announced("CA1", "+1415", "+1800", "twilio")
    assert tokens.redeem(token, "CA1") is None


def test_a_token_is_good_for_its_call_only() -> None:
    tokens = Tokens(clock=Clock())
    token = tokens.issue("CA1", "", "", "twilio")
    assert tokens.redeem(token, "CA2") is None
    assert tokens.redeem("", "CA1") is None
    assert tokens.redeem(token, "CA1") is not None


def test_a_token_expires() -> None:
    clock = Clock()
    tokens = Tokens(lifetime_s=60, clock=clock)
    early = tokens.issue("CA1", "", "", "twilio")
    late = tokens.issue("CA2", "", "", "twilio")
    clock.now += 59.9
    assert tokens.redeem(early, "CA1") is not None
    clock.now += 0.1
    assert tokens.redeem(late, "CA2") is None
    assert tokens.unused == 0


def test_a_repeated_webhook_gets_the_same_token_with_a_new_life() -> None:
    clock = Clock()
    tokens = Tokens(lifetime_s=60, clock=clock)
    token = tokens.issue("CA1", "", "", "twilio")
    clock.now += 50
    assert tokens.issue("CA1", "", "", "twilio") == token
    assert tokens.unused == 1
    clock.now += 50
    assert tokens.redeem(token, "CA1") is not None


def test_a_used_or_expired_token_is_not_issued_again() -> None:
    clock = Clock()
    tokens = Tokens(lifetime_s=60, clock=clock)
    used = tokens.issue("CA1", "", "", "twilio")
    tokens.redeem(used, "CA1")
    expired = tokens.issue("CA1", "", "", "twilio")
    clock.now += 60
    assert len({used, expired, tokens.issue("CA1", "", "", "twilio")}) == 3


def test_webhook_and_talk_page_never_share_a_token() -> None:
    tokens = Tokens(clock=Clock())
    assert tokens.issue("1", "", "", "twilio") != tokens.issue("1", "", "", "talk")


def test_known_does_not_use_up_a_token() -> None:
    clock = Clock()
    tokens = Tokens(lifetime_s=60, clock=clock)
    token = tokens.issue("1", "", "", "talk")
    assert tokens.known(token, "talk")
    assert tokens.known(token, "talk")
    assert not tokens.known(token, "twilio")
    assert not tokens.known("", "talk")
    clock.now += 60
    assert not tokens.known(token, "talk")


def test_a_flood_of_webhooks_costs_bounded_memory_and_the_oldest_token() -> None:
    tokens = Tokens(clock=Clock(), limit=100)
    issued = [tokens.issue(f"CA{n}", "", "", "twilio") for n in range(1000)]
    assert tokens.unused == 100
    assert tokens.redeem(issued[899], "CA899") is None
    assert tokens.redeem(issued[900], "CA900") is not None


def test_a_repeated_webhook_pushes_nobody_out() -> None:
    tokens = Tokens(clock=Clock(), limit=2)
    first = tokens.issue("CA1", "", "", "twilio")
    second = tokens.issue("CA2", "", "", "twilio")
    assert tokens.issue("CA2", "", "", "twilio") == second
    assert tokens.redeem(first, "CA1") is not None


def test_tokens_are_long_and_safe_in_cookies_and_xml() -> None:
    token = Tokens(clock=Clock()).issue("CA1", "", "", "twilio")
    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()


class TokenStories(RuleBasedStateMachine):
    """Any sequence of webhooks, streams and time against a plain list of what was issued."""

    issued: Bundle[tuple[str, str]] = Bundle("issued")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.tokens = Tokens(lifetime_s=60, clock=self.clock, limit=5)
        self.good_until: dict[str, float] = {}

    @rule(
        target=issued,
        call_id=st.sampled_from("abcdefgh"),
        origin=st.sampled_from(["twilio", "talk"]),
    )
    def issue(self, call_id: str, origin: Origin) -> tuple[str, str]:
        token = self.tokens.issue(call_id, "", "", origin)
        self.good_until[token] = self.clock.now + 60
        return token, call_id

    @rule(seconds=st.floats(0, 61))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(target=issued, pair=consumes(issued))
    def redeem(self, pair: tuple[str, str]) -> object:
        token, call_id = pair
        if self.tokens.redeem(token, call_id) is not None:
            assert self.clock.now < self.good_until.pop(token)
        assert self.tokens.redeem(token, call_id) is None
        return multiple()

    @invariant()
    def bounded(self) -> None:
        assert self.tokens.unused <= 5
        assert len(self.tokens._of_call) == len(self.tokens._unused)


TestTokenStories = TokenStories.TestCase
