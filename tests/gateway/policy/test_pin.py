from __future__ import annotations

import pytest

from gateway.policy.pin import LOCKED_S, MAX_WRONG, WRONG_WITHIN_S, Pin
from gateway.testing import ManualClock

pytestmark = pytest.mark.unit


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def pin(clock: ManualClock) -> Pin:
    return Pin("0042", clock)


def test_only_the_pin_fits(pin: Pin) -> None:
    assert pin.fits("0042")
    for wrong in ("", "42", "00420", "0043"):
        assert not pin.fits(wrong)


@pytest.mark.parametrize("said", ["0 0 4 2", " 0042\n", "00-42", "0, 0, 4, 2."])
def test_it_fits_as_it_was_spoken(pin: Pin, said: str) -> None:
    assert pin.fits(said)


def test_letters_fit_whatever_their_case(clock: ManualClock) -> None:
    assert Pin("Open Sesame", clock).fits("open sesame")


def test_other_alphabets_do_no_harm(pin: Pin) -> None:
    assert not pin.fits("\u0660\u0660\u0664\u0662")


@pytest.mark.parametrize("short", ["", "123", "- - - - -"])
def test_a_pin_that_is_guessed_at_once_is_none(clock: ManualClock, short: str) -> None:
    with pytest.raises(ValueError, match="at least 4"):
        Pin(short, clock)


def test_many_wrong_tries_lock_it_for_a_while(pin: Pin, clock: ManualClock) -> None:
    for _ in range(MAX_WRONG):
        assert pin.locked_s() == 0
        assert not pin.fits("1111")
    assert pin.locked_s() == LOCKED_S
    assert not pin.fits("0042")
    clock.advance(LOCKED_S)
    assert pin.locked_s() == 0
    assert pin.fits("0042")


def test_tries_while_locked_do_not_lock_it_for_longer(pin: Pin, clock: ManualClock) -> None:
    for _ in range(3 * MAX_WRONG):
        pin.fits("1111")
        clock.advance(1)
    clock.advance(LOCKED_S)
    assert pin.fits("0042")


def test_wrong_tries_far_apart_lock_nothing(pin: Pin, clock: ManualClock) -> None:
    for _ in range(4 * MAX_WRONG):
        assert not pin.fits("1111")
        clock.advance(WRONG_WITHIN_S / (MAX_WRONG - 1) + 1)
        assert pin.locked_s() == 0


def test_a_right_one_between_does_not_forgive(pin: Pin) -> None:
    for _ in range(MAX_WRONG - 1):
        pin.fits("1111")
        assert pin.fits("0042")
    pin.fits("1111")
    assert pin.locked_s() > 0


def test_it_is_not_shown(pin: Pin) -> None:
    assert "0042" not in f"{pin!r} {pin}"
