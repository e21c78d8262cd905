from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Description, Kind
from gateway.errors import ToolError
from gateway.tools.fit import LacksError, Request, fit

pytestmark = pytest.mark.unit

WARMTH = Capability(Kind.COLOR_TEMPERATURE, minimum=2200, maximum=4000)


def device(name: str, *capabilities: Capability) -> Description:
    return Description("x", name, capabilities=capabilities)


LAMP = device("Lamp", Capability(Kind.POWER), Capability(Kind.BRIGHTNESS, maximum=90), WARMTH)
KETTLE = device("Kettle", Capability(Kind.POWER))


def test_a_vague_white_is_brought_into_the_devices_range() -> None:
    assert fit("turn_on", Request(LAMP, {"color": "daylight"})) == {"color_temperature": 4000}


def test_an_exact_warmth_out_of_range_is_refused() -> None:
    with pytest.raises(ToolError, match="from 2200 to 4000 kelvin"):
        fit("turn_on", Request(LAMP, {"color_temperature": 5000}))


def test_the_devices_own_limits_hold() -> None:
    with pytest.raises(ToolError, match="from 0 to 90 %"):
        fit("turn_on", Request(LAMP, {"brightness": 95}))


def test_what_is_no_light_is_not_switched_on_by_a_light_setting() -> None:
    with pytest.raises(LacksError):
        fit("turn_on", Request(KETTLE, {"brightness": 40}, group=True))
    assert fit("turn_on", Request(KETTLE, {}, group=True)) == {}


def test_in_a_group_a_missing_mode_is_left_out_when_something_else_is_set() -> None:
    heater = device("Heater", Capability(Kind.CLIMATE))
    asked = {"temperature": 20, "mode": "heat"}
    assert fit("set_climate", Request(heater, asked, group=True)) == {"temperature": 20}
    with pytest.raises(LacksError):
        fit("set_climate", Request(heater, asked))


def test_a_text_has_the_length_that_the_device_allows() -> None:
    panel = device("Panel", Capability(Kind.TEXT, name="line", maximum=5))
    with pytest.raises(ToolError, match="at most 5"):
        fit("set_value", Request(panel, {"name": "line", "value": "too long"}))


def test_whole_numbers_stay_whole() -> None:
    heater = device("Heater", Capability(Kind.NUMBER, name="level"))
    args = fit("set_value", Request(heater, {"name": "level", "value": "3.0"}))
    assert args == {"name": "level", "value": 3}
    assert isinstance(args["value"], int)
