from __future__ import annotations

from collections.abc import Callable

import pytest

from devices.contract.capability import Capability, Kind, Risk
from devices.sdk import capabilities as c

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (c.power(), Kind.POWER),
        (c.brightness(), Kind.BRIGHTNESS),
        (c.color(), Kind.COLOR),
        (c.color_temperature(2200, 6500), Kind.COLOR_TEMPERATURE),
        (c.cover(), Kind.COVER),
        (c.lock(), Kind.LOCK),
        (c.climate(5, 30), Kind.CLIMATE),
        (c.fan(["auto"]), Kind.FAN),
        (c.number("volume", 0, 10), Kind.NUMBER),
        (c.select("input", ["tv"]), Kind.SELECT),
        (c.text("line"), Kind.TEXT),
        (c.button("bell"), Kind.BUTTON),
        (c.scene("night"), Kind.SCENE),
        (c.vacuum(["start"]), Kind.VACUUM),
        (c.alarm(["arm"]), Kind.ALARM),
        (c.sensor("humidity", "%"), Kind.SENSOR),
    ],
)
def test_each_helper_is_named_after_its_kind(made: Capability, kind: Kind) -> None:
    assert made.kind is kind


def test_every_kind_has_a_helper() -> None:
    assert all(callable(getattr(c, kind.value)) for kind in Kind)


@pytest.mark.parametrize("helper", [c.lock, lambda: c.alarm(["arm"])])
def test_what_keeps_a_house_safe_is_guarded_unless_said(helper: Callable[[], Capability]) -> None:
    assert helper().risk is Risk.GUARDED


def test_bounds_options_and_units_are_told() -> None:
    assert c.climate(5, 30, ["off", "heat"]) == Capability(
        Kind.CLIMATE, minimum=5, maximum=30, options=("off", "heat")
    )
    assert c.number("volume", 0, 10, step=1, unit="dB") == Capability(
        Kind.NUMBER, name="volume", minimum=0, maximum=10, step=1, unit="dB"
    )
