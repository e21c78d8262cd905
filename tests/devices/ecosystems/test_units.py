from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.verbs import contradicts
from devices.ecosystems import payload, units

pytestmark = pytest.mark.unit

PARTS = st.integers(0, 255)
NUMBERS = st.floats(-payload.MAX_NUMBER, payload.MAX_NUMBER)
COLORS = st.tuples(PARTS, PARTS, PARTS).map(lambda parts: units.from_rgb(*parts))


@given(st.integers(0, 100), st.sampled_from([100, 254, 255, 1000]))
def test_percent_survives_a_finer_scale(percent: int, top: int) -> None:
    assert units.from_scale(units.to_scale(percent, top), top) == percent


@given(st.floats(0.01, 100), st.sampled_from([1, 3, 10, 254]))
def test_on_is_never_zero(percent: float, top: int) -> None:
    assert units.to_scale(percent, top) >= 1


@given(st.integers(0, 100), st.sampled_from([(0, 100), (100, 0), (0, 255), (10, 90)]))
def test_positions_survive_also_the_wrong_way_round(percent: int, ends: tuple[int, int]) -> None:
    assert abs(units.from_range(units.to_range(percent, *ends), *ends) - percent) <= 1


def test_an_inverted_cover() -> None:
    assert units.to_range(0, closed=100, opened=0) == 100
    assert units.from_range(25, closed=100, opened=0) == 75


def test_ends_that_are_equal_mean_nothing() -> None:
    assert units.from_range(5, 5, 5) == 0
    assert units.from_scale(5, 0) == 0


@given(st.integers(1000, 10000))
def test_kelvin_survives_mired_as_well_as_a_lamp_can_show_it(wanted: int) -> None:
    heard = units.kelvin(units.mired(wanted))
    assert contradicts({"color_temperature": heard}, {"color_temperature": wanted}) is None


@given(NUMBERS, NUMBERS, NUMBERS)
def test_any_numbers_that_a_device_may_tell_come_to_something(a: float, b: float, c: float) -> None:
    assert 0 <= units.from_scale(a, b) <= 100
    assert 0 <= units.from_range(a, b, c) <= 100
    assert units.to_rgb(units.from_rgb(a, b, c))
    assert units.to_rgb(units.from_hs(a, b))
    assert units.kelvin(abs(a) or 1) <= 1_000_000


def test_a_fraction_of_a_mired_is_a_number_too() -> None:
    assert units.kelvin(5e-324) == units.mired(5e-324) == 1_000_000


@pytest.mark.parametrize("bad", [0, -1, float("nan"), float("inf")])
def test_no_colour_temperature(bad: float) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        units.kelvin(bad)


@given(COLORS)
def test_a_colour_survives_its_own_parts(color: str) -> None:
    assert units.from_rgb(*units.to_rgb(color)) == color


@pytest.mark.parametrize("color", ["#ff0000", "#00ff00", "#0000ff", "#ff8000", "#80ff00"])
def test_a_full_colour_survives_hue_and_xy(color: str) -> None:
    assert units.from_hs(*units.to_hs(color)) == color
    there = units.to_rgb(units.from_xy(*units.to_xy(color)))
    assert all(abs(a - b) <= 3 for a, b in zip(there, units.to_rgb(color), strict=True))


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_any_chromaticity_is_some_colour(x: float, y: float) -> None:
    units.to_rgb(units.from_xy(x, y))


@pytest.mark.parametrize("bad", ["red", "#ff00", "ff0000", "#gg0000", ""])
def test_what_is_no_colour(bad: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        units.to_rgb(bad)
