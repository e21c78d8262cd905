from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.confirm import LIFETIME_S, MAX_HELD, MAX_WRONG_PINS, Holds, Refusal
from gateway.policy.pin import LOCKED_S, Pin
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


def test_looking_uses_nothing_up(holds: Holds[str], clock: ManualClock) -> None:
    token = holds.hold("unlock")
    assert holds.look(f" {token.upper()}") == "unlock"
    assert holds.look(token) == holds.take(token) == "unlock"
    assert holds.look(token) is Refusal.USED
    assert holds.look("abc234") is Refusal.UNKNOWN
    late = holds.hold("unlock")
    clock.advance(LIFETIME_S)
    assert holds.look(late) is Refusal.EXPIRED


# --- with a PIN ---------------------------------------------------------------------------------


@pytest.fixture
def guarded(clock: ManualClock) -> Holds[str]:
    return Holds(clock, pin=Pin("2468", clock))


def test_the_pin_is_asked_for_only_where_it_is_needed(
    holds: Holds[str], guarded: Holds[str]
) -> None:
    assert (holds.has_pin, guarded.has_pin) == (False, True)
    assert guarded.take(guarded.hold("open the blind")) == "open the blind"


def test_the_right_pin_takes_it_once(guarded: Holds[str]) -> None:
    token = guarded.hold("unlock", with_pin=True)
    assert guarded.take(token) is Refusal.PIN_MISSING
    assert guarded.take(token, "1111") is Refusal.PIN_WRONG
    assert guarded.take(token, "2468") == "unlock"
    assert guarded.take(token, "2468") is Refusal.USED


def test_three_wrong_pins_end_it(guarded: Holds[str]) -> None:
    token = guarded.hold("unlock", with_pin=True)
    said = [guarded.take(token, "1111") for _ in range(MAX_WRONG_PINS)]
    assert said == [Refusal.PIN_WRONG, Refusal.PIN_WRONG, Refusal.PIN_SPENT]
    assert guarded.take(token, "2468") is Refusal.PIN_SPENT
    assert guarded.look(token) is Refusal.PIN_SPENT


def test_no_pin_at_all_ends_nothing(guarded: Holds[str]) -> None:
    token = guarded.hold("unlock", with_pin=True)
    for _ in range(10):
        assert guarded.take(token) is Refusal.PIN_MISSING
    assert guarded.take(token, "2468") == "unlock"


def test_many_wrong_pins_close_all_doors_for_a_while(
    guarded: Holds[str], clock: ManualClock
) -> None:
    for _ in range(2):
        token = guarded.hold("unlock", with_pin=True)
        for _ in range(MAX_WRONG_PINS):
            guarded.take(token, "1111")
    other = guarded.hold("unlock", with_pin=True)
    assert guarded.locked_s() == LOCKED_S
    assert guarded.take(other, "2468") is Refusal.PIN_LOCKED
    clock.advance(LOCKED_S)
    assert guarded.take(guarded.hold("unlock", with_pin=True), "2468") == "unlock"


def test_what_needs_a_pin_is_never_given_in_a_house_without_one(holds: Holds[str]) -> None:
    assert holds.locked_s() == 0
    assert holds.take(holds.hold("unlock", with_pin=True), "2468") is Refusal.PIN_LOCKED


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 40), st.booleans()), max_size=40))
def test_whatever_is_said_each_payload_is_given_at_most_once_and_in_time(
    sayings: list[tuple[int, float, bool]],
) -> None:
    clock = ManualClock()
    holds: Holds[int] = Holds(clock, pin=Pin("2468", clock))
    tokens, made, given_out = [], [], []
    for which, pause, right in sayings:
        clock.advance(pause)
        if which >= len(tokens):
            tokens.append(holds.hold(len(tokens), with_pin=which % 2 == 0))
            made.append(clock.monotonic())
            continue
        taken = holds.take(tokens[which], "2468" if right else "1111")
        if isinstance(taken, int):
            assert taken == which
            assert clock.monotonic() - made[which] < LIFETIME_S
            given_out.append(taken)
    assert len(given_out) == len(set(given_out))
