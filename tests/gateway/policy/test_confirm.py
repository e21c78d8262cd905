from __future__ import annotations

import pytest

from gateway.policy.confirm import LIFETIME_S, MAX_HELD, Holds, Refusal
from gateway.testing import ManualClock

pytestmark = pytest.mark.unit


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def holds(clock: ManualClock) -> Holds[str]:
    return Holds(clock)


def test_a_token_gives_its_payload_once(holds: Holds[str]) -> None:
    token = holds.hold("unlock")
    assert holds.take(f" {token.upper()}\n") == "unlock"
    assert holds.take(token) is Refusal.USED
    assert len(holds) == 0


def test_a_token_expires(holds: Holds[str], clock: ManualClock) -> None:
    token = holds.hold("unlock")
    clock.advance(LIFETIME_S - 0.1)
    assert len(holds) == 1
    clock.advance(0.1)
    assert holds.take(token) is Refusal.EXPIRED


def test_what_was_never_given_is_unknown(holds: Holds[str]) -> None:
    assert holds.take("abc234") is Refusal.UNKNOWN
    assert holds.take("") is Refusal.UNKNOWN


def test_only_the_newest_are_held(holds: Holds[str]) -> None:
    tokens = [holds.hold(f"plan {n}") for n in range(MAX_HELD + 3)]
    assert len(holds) == MAX_HELD
    assert len(set(tokens)) == len(tokens)
    assert holds.take(tokens[0]) is Refusal.EXPIRED
    assert holds.take(tokens[-1]) == f"plan {MAX_HELD + 2}"


def test_tokens_can_be_spoken(holds: Holds[str]) -> None:
    token = holds.hold("x")
    assert len(token) == 6
    assert not set(token) & set("01lio")
