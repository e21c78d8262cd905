from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Kind, Risk
from devices.ecosystems.shelly.parts import (
    MAX_SENSORS,
    PartKind,
    capabilities,
    read_config,
    read_parts,
    value_at,
)

pytestmark = pytest.mark.unit


def parts(status: dict[str, Any], config: dict[str, Any] | None = None, name: str = "Hall") -> Any:
    return read_parts(name, read_config(config or {}), status)


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        ("switch:0", {Kind.POWER}),
        ("light:0", {Kind.POWER, Kind.BRIGHTNESS}),
        ("rgbw:0", {Kind.POWER, Kind.BRIGHTNESS, Kind.COLOR}),
        ("cct:0", {Kind.POWER, Kind.BRIGHTNESS, Kind.COLOR_TEMPERATURE}),
        ("rgbcct:0", {Kind.POWER, Kind.BRIGHTNESS, Kind.COLOR, Kind.COLOR_TEMPERATURE}),
        ("cover:0", {Kind.COVER}),
        ("thermostat:0", {Kind.CLIMATE}),
    ],
)
def test_what_a_component_can_do(key: str, kinds: set[Kind]) -> None:
    (part,) = parts({key: {}})
    assert {c.kind for c in capabilities(part, "")} == kinds
    assert part.key == key


def test_what_concerns_the_device_itself_is_no_part() -> None:
    status = {"sys": {}, "wifi": {}, "script:1": {"running": True}, "switch:x": {}, "ota": {}}
    assert parts(status | {"a" * 30 + ":1": {}, "switch:1": "on"}) == ()


def test_names() -> None:
    one = parts({"switch:0": {}})
    two = parts({"switch:0": {}, "switch:1": {}}, {"switch:1": {"name": "Fan"}})
    assert [p.name for p in one] == ["Hall"]
    assert [p.name for p in two] == ["Hall 1", "Fan"]


def test_a_garage_by_its_box_and_a_thermostat_that_cools() -> None:
    (door,) = parts({"cover:0": {}}, name="Garage door")
    assert capabilities(door, "Garage door")[0].risk is Risk.GUARDED
    (cooler,) = parts({"thermostat:0": {}}, {"thermostat:0": {"type": "cooling"}})
    assert capabilities(cooler, "")[0].options == ("off", "cool")


def test_the_range_of_a_lamp() -> None:
    good, bad = {"cct:0": {"ct_range": [3000, 5000]}}, {"cct:0": {"ct_range": [9, "x"]}}
    assert parts({"cct:0": {}}, good)[0].kelvin == (3000, 5000)
    assert parts({"cct:0": {}}, bad)[0].kelvin == (2700, 6500)


def test_sensors_ride_on_the_only_part_and_apart_from_several() -> None:
    measured = {"temperature:100": {"tC": 20}}
    (one,) = parts({"switch:0": {"apower": 5}} | measured)
    assert [s.name for s in one.sensors] == ["power", "temperature"]
    *_, apart = parts({"switch:0": {}, "switch:1": {}} | measured)
    assert (apart.kind, apart.name) == (PartKind.READINGS, "Hall")


def test_sensors_of_one_name_are_counted() -> None:
    (part,) = parts({f"temperature:{n}": {"tC": n} for n in (100, 101)})
    assert [s.name for s in part.sensors] == ["temperature", "temperature 101"]


def test_an_input_without_a_name_is_the_switch_on_the_wall() -> None:
    status = {"input:0": {"state": True}, "input:1": {"state": False}}
    (part,) = parts(status, {"input:1": {"name": "Back door"}})
    assert [s.name for s in part.sensors] == ["back door"]


def test_no_reading_passes_for_the_state_of_an_actuator() -> None:
    status = {"input:0": {"state": True}, "switch:0": {}}
    (part,) = parts(status, {"input:0": {"name": "On"}})
    assert [s.name for s in part.sensors] == ["on sensor"]


def test_no_more_sensors_than_a_device_may_have() -> None:
    (part,) = parts({f"temperature:{n}": {"tC": n} for n in range(200)})
    assert len(part.sensors) == MAX_SENSORS


def test_values() -> None:
    told = {"a": {"b": "1.5"}, "c": True, "d": [1]}
    assert value_at(told, ("a", "b")) == 1.5
    assert value_at(told, ("c",)) is True
    assert value_at(told, ("d", "e")) is None
