from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Kind
from devices.contract.errors import CommandRefusedError, PayloadError
from devices.contract.verbs import contradicts
from devices.ecosystems.homeassistant import colors
from devices.ecosystems.homeassistant.colors import FORMS, Brightness
from devices.ecosystems.homeassistant.fields import Fields

pytestmark = pytest.mark.unit

COLORS = st.integers(0, 0xFFFFFF).map("#{:06x}".format)


def test_the_range_of_warmth_in_kelvin_and_in_mired() -> None:
    kelvin = colors.warmth(
        Fields({"color_temp_kelvin": True, "min_kelvin": 2200, "max_kelvin": 6500})
    )
    assert (kelvin.low, kelvin.high, kelvin.wire(2700)) == (2200, 6500, 2700)
    mired = colors.warmth(Fields({"min_mireds": 154, "max_mireds": 454}))
    assert (mired.low, mired.high, mired.wire(2703)) == (2203, 6494, 370)
    usual = colors.warmth(Fields({}))
    assert (usual.low, usual.high) == (2000, 6536)
    assert colors.warmth(Fields({"color_temp_kelvin": True})).low == 2000


def test_warmth_out_of_range_is_refused() -> None:
    for wrong in (1999, 9000, "warm", None):
        with pytest.raises(CommandRefusedError):
            colors.warmth(Fields({})).wire(wrong)
    with pytest.raises(PayloadError):
        colors.warmth(Fields({"min_kelvin": 5000, "max_kelvin": 3000}))


@given(st.floats())
def test_any_warmth_that_is_told_is_one_or_none(steps: float) -> None:
    found = colors.warmth(Fields({})).kelvin(steps)
    assert found is None or 1 <= found <= 1_000_000


@given(st.integers(1, 100), st.integers(1, 1000))
def test_a_brightness_that_is_echoed_never_contradicts(percent: int, top: int) -> None:
    scale = Brightness(top)
    wire = scale.wire(percent)
    assert 1 <= wire <= top
    echoed = scale.percent(wire)
    assert contradicts({"brightness": echoed}, {"brightness": scale.shown(percent)}) is None


def test_brightness_zero_says_nothing_of_a_light_that_is_on() -> None:
    assert Brightness().percent(0) is None
    with pytest.raises(CommandRefusedError):
        Brightness().wire(101)
    with pytest.raises(PayloadError):
        colors.brightness(Fields({"brightness_scale": 0}))


@given(COLORS, st.sampled_from(sorted(FORMS)))
def test_a_colour_that_is_echoed_never_contradicts(color: str, name: str) -> None:
    form = FORMS[name]
    echoed = form.color(str(part) for part in form.parts(color))
    assert contradicts({"color": echoed}, {"color": form.shown(color)}) is None


def test_what_is_no_colour() -> None:
    assert FORMS["rgb"].color(["1", "2"]) is None
    assert FORMS["rgb"].color(["a", "b", "c"]) is None
    with pytest.raises(CommandRefusedError):
        FORMS["rgb"].parts("reddish")
    assert colors.color_in({"r": 1}) is None
    assert colors.color_in("red") is None


def test_colours_in_any_form() -> None:
    assert colors.color_in({"r": 255, "g": 0, "b": 0, "w": 3}) == "#ff0000"
    assert colors.color_in({"h": 120, "s": 100}) == "#00ff00"
    assert colors.color_in({"x": 0.7, "y": 0.3}) is not None


def test_colour_modes_of_new_and_old_announcements() -> None:
    def kinds(**fields: object) -> list[Kind]:
        return colors.kinds(colors.modes(Fields(fields)))

    assert kinds(supported_color_modes=["onoff"]) == []
    assert kinds(brightness=True) == [Kind.BRIGHTNESS]
    assert kinds(supported_color_modes=["color_temp"]) == [Kind.BRIGHTNESS, Kind.COLOR_TEMPERATURE]
    assert kinds(supported_color_modes=["rgbw"]) == [Kind.BRIGHTNESS, Kind.COLOR]
    old = kinds(hs=True, color_temp=True)
    assert old == [Kind.BRIGHTNESS, Kind.COLOR, Kind.COLOR_TEMPERATURE]


def test_a_light_is_asked_only_for_what_it_has() -> None:
    assert colors.wanted({"brightness": 5, "color": None}, {"brightness"}) == ["brightness"]
    with pytest.raises(CommandRefusedError, match="no color"):
        colors.wanted({"color": "#ffffff"}, {"brightness"})
