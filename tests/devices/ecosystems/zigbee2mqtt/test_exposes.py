from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Capability, Kind, Risk
from devices.ecosystems.zigbee2mqtt.exposes import MAX_CAPABILITIES, MAX_OPTIONS, Part, parts
from tests.devices.ecosystems.zigbee2mqtt.definitions import STATE, generic, sample, wrapper

pytestmark = pytest.mark.unit


def one(*exposes: dict[str, Any], words: str = "Thing") -> Part:
    (part,) = parts(list(exposes), words)
    return part


def kinds(part: Part) -> list[str]:
    return [c.kind.value for c in part.capabilities]


def capability(part: Part, kind: Kind) -> Capability:
    return next(c for c in part.capabilities if c.kind is kind)


def test_every_shape_that_real_definitions_have() -> None:
    found: Counter[str] = Counter()
    for definition in sample():
        for part in parts(definition["exposes"], definition["model"]):
            assert len(part.capabilities) <= MAX_CAPABILITIES
            for each in part.capabilities:
                found[each.kind.value] += 1
                assert len(each.options) <= MAX_OPTIONS
                bounds = (each.minimum, each.maximum)
                assert None in bounds or bounds[0] <= bounds[1]  # type: ignore[operator]
    wanted = "power brightness color color_temperature cover lock climate fan number select text"
    assert found.keys() >= set(wanted.split()) | {"button", "sensor"}


def test_a_light() -> None:
    warmth = generic("numeric", "color_temp", 7, value_min=153, value_max=500)
    color = {
        "type": "composite",
        "name": "color_xy",
        "property": "color",
        "features": [generic("numeric", "x", 7), generic("numeric", "y", 7)],
    }
    level = generic("numeric", "brightness", 7, value_min=0, value_max=254)
    lamp = one(wrapper("light", STATE, level, warmth, color))
    assert kinds(lamp) == ["power", "brightness", "color_temperature", "color"]
    limits = capability(lamp, Kind.COLOR_TEMPERATURE)
    assert (limits.minimum, limits.maximum) == (2000, 6536)
    assert lamp.by_key("color").gettable  # type: ignore[union-attr]


def test_two_gangs_are_two_parts_and_what_they_tell_goes_with_them() -> None:
    left = wrapper("switch", STATE | {"property": "state_left"}, endpoint="left")
    right = wrapper("switch", STATE | {"property": "state_right"}, endpoint="right")
    power = generic("numeric", "power", 1, endpoint="right", property="power_right", unit="W")
    voltage = generic("numeric", "voltage", 1, unit="V")
    found = parts([left, right, power, voltage], "Wall")
    assert [(p.kind, p.endpoint, kinds(p)) for p in found] == [
        ("switch", "left", ["power"]),
        ("switch", "right", ["power", "sensor"]),
        ("readings", "", ["sensor"]),
    ]


def test_settings_diagnostics_and_dangerous_functions_are_left_out() -> None:
    lamp = one(
        wrapper("light", STATE),
        generic("numeric", "linkquality", 1, category="diagnostic"),
        generic("enum", "power_on_behavior", 7, values=["off"], category="config"),
        generic("enum", "identify", 2, values=["identify"]),
        generic("enum", "reset_to_factory_settings", 2, values=["reset"]),
        generic("text", "pin_code", 3),
    )
    assert kinds(lamp) == ["power"]


def test_an_enum_of_one_word_that_is_never_reported_is_a_button() -> None:
    assert kinds(one(generic("enum", "feed", 2, values=["START"]))) == ["button"]
    assert kinds(one(generic("enum", "mode", 3, values=["a", "b"]))) == ["select"]
    assert kinds(one(generic("enum", "action", 1, values=["single", "double"]))) == ["sensor"]


def test_a_cover_that_only_opens_and_closes() -> None:
    shade = one(wrapper("cover", generic("enum", "state", 3, values=["OPEN", "CLOSE", "STOP"])))
    assert kinds(shade) == ["cover"]
    assert shade.movement == "state"


@pytest.mark.parametrize(
    ("words", "risk"), [("Garage door", Risk.GUARDED), ("Bedroom blind", Risk.NORMAL)]
)
def test_what_a_cover_is_called_tells_how_dangerous_it_is(words: str, risk: Risk) -> None:
    position = generic("numeric", "position", 7, value_min=0, value_max=100)
    assert capability(one(wrapper("cover", position), words=words), Kind.COVER).risk is risk


def test_a_lock_is_guarded() -> None:
    bolt = generic("binary", "state", 3, value_on="LOCK", value_off="UNLOCK")
    assert capability(one(wrapper("lock", bolt)), Kind.LOCK).risk is Risk.GUARDED


def test_more_than_anybody_can_say_is_cut() -> None:
    options = [f"option {number}" for number in range(800)]
    many = [generic("enum", f"e{n}", 3, values=options) for n in range(100)]
    part = one(*many)
    assert len(part.capabilities) == MAX_CAPABILITIES
    assert len(part.capabilities[0].options) == MAX_OPTIONS


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=5,
)
WORDS = st.sampled_from(
    [
        *("light", "switch", "cover", "lock", "climate", "fan", "binary", "numeric", "enum"),
        *("text", "state", "brightness", "position", "color_xy", "system_mode", "speed", "mode"),
    ]
)
NODES = st.recursive(
    st.fixed_dictionaries(
        {"type": WORDS | JSON, "name": WORDS | JSON, "property": WORDS | JSON},
        optional={
            "access": st.integers(0, 7) | JSON,
            "values": st.lists(WORDS | JSON, max_size=3) | JSON,
            "value_min": JSON,
            "value_max": JSON,
            "value_on": JSON,
            "endpoint": JSON,
        },
    ),
    lambda inner: st.fixed_dictionaries(
        {"type": WORDS, "features": st.lists(inner | JSON, max_size=4) | JSON}
    ),
    max_leaves=6,
)


@given(st.lists(NODES | JSON, max_size=5) | JSON)
def test_any_json_is_parts(exposes: Any) -> None:
    for part in parts(exposes, "x"):
        assert part.capabilities
