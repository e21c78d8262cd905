from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Kind, Risk
from devices.contract.errors import CommandRefusedError, PayloadError
from tests.devices.ecosystems.homeassistant.building import (
    ECHOED,
    PUBLISHED,
    ordered,
    part,
    told,
    unpacked,
)

pytestmark = pytest.mark.unit

BASE: dict[str, Any] = {
    "temp_cmd_t": "t/temp/set",
    "temp_stat_t": "t/temp",
    "mode_cmd_t": "t/mode/set",
    "mode_stat_t": "t/mode",
    "curr_temp_t": "t/now",
    "modes": ["off", "heat"],
    "min_temp": 5,
    "max_temp": 30,
    "temp_step": 0.5,
}


def test_temperature_and_mode_each_for_itself() -> None:
    made = part("climate", **BASE)
    (thermostat,) = made.capabilities
    assert (thermostat.minimum, thermostat.maximum, thermostat.options) == (5, 30, ("off", "heat"))
    assert ordered(made, "set_climate", temperature=21.5) == (
        [("t/temp/set", "21.5")],
        {"target_temperature": 21.5},
        ECHOED,
    )
    messages, state, needs = ordered(made, "set_climate", temperature=20, mode="heat")
    assert messages == [("t/mode/set", "heat"), ("t/temp/set", "20")]
    assert (state, needs) == ({"mode": "heat", "target_temperature": 20}, ECHOED)


def test_states() -> None:
    made = part("climate", **BASE)
    assert told(made, "t/temp", "21.0") == {"target_temperature": 21}
    assert told(made, "t/mode", "heat") == {"mode": "heat"}
    assert told(made, "t/mode", "unheard_of") == {}
    assert told(made, "t/now", "None") == {"temperature": None}


def test_one_template_for_all_states() -> None:
    made = part("climate", **BASE, val_tpl="{{ value_json.v }}")
    assert told(made, "t/temp", '{"v": 21}') == {"target_temperature": 21}


def test_what_is_not_told_back_is_not_sure() -> None:
    made = part("climate", **{**BASE, "mode_stat_t": None})
    assert ordered(made, "set_climate", temperature=20)[2] is ECHOED
    assert ordered(made, "set_climate", temperature=20, mode="heat")[2] is PUBLISHED


def test_fahrenheit() -> None:
    made = part("climate", **{**BASE, "min_temp": 41, "max_temp": 86}, temp_unit="F")
    assert (made.capabilities[0].minimum, made.capabilities[0].maximum) == (5, 30)
    assert ordered(made, "set_climate", temperature=20)[0] == [("t/temp/set", "68")]
    assert told(made, "t/now", "68") == {"temperature": 20}


@pytest.mark.parametrize(
    "args", [{}, {"temperature": 31}, {"temperature": "hot"}, {"mode": "cool"}]
)
def test_what_does_not_fit(args: dict[str, Any]) -> None:
    with pytest.raises(CommandRefusedError):
        ordered(part("climate", **BASE), "set_climate", **args)


def test_presets_fans_and_humidity_are_named() -> None:
    made = part(
        "climate",
        **BASE,
        pr_mode_cmd_t="t/p/set",
        pr_mode_stat_t="t/p",
        pr_modes=["away"],
        fan_mode_cmd_t="t/f/set",
        hum_cmd_t="t/h/set",
        hum_stat_t="t/h",
        curr_hum_t="t/hn",
    )
    assert {c.name: c.kind for c in made.capabilities[1:]} == {
        "fan mode": Kind.SELECT,
        "preset": Kind.SELECT,
        "target humidity": Kind.NUMBER,
        "humidity": Kind.SENSOR,
    }
    assert unpacked(made.values["preset"]("away"))[2] is ECHOED
    assert unpacked(made.values["fan mode"]("low"))[2] is PUBLISHED
    assert told(made, "t/hn", "48") == {"humidity": 48}


def test_ranges_that_make_no_sense() -> None:
    with pytest.raises(PayloadError):
        part("climate", **{**BASE, "min_temp": 40})


def test_a_water_heater_is_guarded() -> None:
    made = part("water_heater", **{**BASE, "min_temp": None, "max_temp": None})
    (heater,) = made.capabilities
    assert (heater.kind, heater.risk) == (Kind.CLIMATE, Risk.GUARDED)
    assert (heater.minimum, heater.maximum) == (43.3, 60)


def test_a_humidifier() -> None:
    made = part(
        "humidifier",
        cmd_t="h/set",
        stat_t="h",
        hum_cmd_t="h/t/set",
        hum_stat_t="h/t",
        mode_cmd_t="h/m/set",
        modes=["eco"],
        max_hum=80,
    )
    kinds = [(c.kind, c.name) for c in made.capabilities]
    assert kinds == [
        (Kind.POWER, None),
        (Kind.NUMBER, "target humidity"),
        (Kind.SELECT, "operating mode"),
    ]
    assert ordered(made, "turn_on")[0] == [("h/set", "ON")]
    assert unpacked(made.values["target humidity"](55)) == (
        [("h/t/set", "55")],
        {"target humidity": 55},
        ECHOED,
    )
    assert part("humidifier", hum_cmd_t="h/t/set").capabilities == ()
