from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Description
from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError
from devices.sdk.capabilities import (
    alarm,
    brightness,
    button,
    climate,
    color,
    color_temperature,
    cover,
    fan,
    lock,
    number,
    power,
    scene,
    select,
    text,
    vacuum,
)
from devices.sdk.commands import collect, command
from devices.sdk.standard import check_arguments, check_class

pytestmark = pytest.mark.unit


class Light:
    @command
    def turn_on(self, brightness: int = 100) -> None: ...

    @command
    def turn_off(self) -> None: ...


class Plug:
    @command
    def turn_on(self) -> None: ...


class Blind:
    @command
    def set_cover(self, height: int) -> None: ...

    @command
    def stop(self) -> None: ...


def device(*capabilities: Capability) -> Description:
    return Description("d", "D", capabilities=capabilities)


def test_a_device_whose_methods_fit_passes() -> None:
    check_class(device(power(), brightness()), collect(Light))
    check_class(device(), {})


@pytest.mark.parametrize(
    ("cls", "capabilities", "problem"),
    [
        (Plug, (power(),), "power needs a method turn_off"),
        (Light, (power(), color()), "turn_on needs an argument color"),
        (Light, (power(), lock()), "lock needs a method lock"),
        (Light, (), "turn_on needs a capability brightness or color"),
        (Blind, (cover(),), "set_cover needs an argument position"),
    ],
)
def test_a_device_that_promises_what_it_cannot_do_is_refused(
    cls: type, capabilities: tuple[Capability, ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        check_class(device(*capabilities), collect(cls))


def test_a_nameless_sensor_is_refused() -> None:
    with pytest.raises(ValueError, match="sensor needs a name"):
        check_class(device(Capability("sensor")), {})  # type: ignore[arg-type]


LAMP = device(power(), brightness(), color(), color_temperature(2200, 6500))
RADIO = device(number("volume", 0, 10), select("input", ["tv", "tape"]), text("line"))
BELLS = device(button("front"), scene("night"))


@pytest.mark.parametrize(
    ("description", "verb", "args"),
    [
        (LAMP, "turn_on", {}),
        (LAMP, "turn_on", {"brightness": 0}),
        (LAMP, "turn_on", {"brightness": 100, "color": "#FF00aa", "color_temperature": 2200}),
        (device(cover()), "set_cover", {"position": 55}),
        (device(climate(5, 30, ["heat"])), "set_climate", {"temperature": 5, "mode": "heat"}),
        (device(climate(5, 30)), "set_climate", {"mode": "whatever it knows"}),
        (device(fan(["auto"])), "set_fan", {"percent": 30, "mode": "auto"}),
        (device(vacuum(["start"])), "vacuum", {"action": "start"}),
        (device(alarm(["arm"])), "alarm", {"action": "arm", "code": "1234"}),
        (RADIO, "set_value", {"name": "volume", "value": 10}),
        (RADIO, "set_value", {"name": "input", "value": "tape"}),
        (RADIO, "set_value", {"name": "line", "value": "hello"}),
        (BELLS, "press", {"name": "night"}),
        (device(button()), "press", {}),
    ],
)
def test_what_a_capability_allows(
    description: Description, verb: str, args: dict[str, Scalar]
) -> None:
    check_arguments(description, verb, args)


@pytest.mark.parametrize(
    ("description", "verb", "args", "sentence"),
    [
        (LAMP, "turn_on", {"brightness": 101}, "brightness must be at most 100."),
        (LAMP, "turn_on", {"brightness": -1}, "brightness must be at least 0."),
        (LAMP, "turn_on", {"brightness": True}, "brightness must be a number."),
        (LAMP, "turn_on", {"color_temperature": 2199}, "must be at least 2200."),
        (LAMP, "turn_on", {"color": "red"}, "color must be written as #rrggbb."),
        (device(cover()), "set_cover", {"position": 101}, "position must be at most 100."),
        (device(climate(5, 30)), "set_climate", {"temperature": 31}, "must be at most 30."),
        (device(climate(5, 30, ["heat"])), "set_climate", {"mode": "cool"}, "one of: heat."),
        (device(fan()), "set_fan", {"percent": 200}, "percent must be at most 100."),
        (device(vacuum(["start"])), "vacuum", {"action": "fly"}, "action must be one of: start."),
        (RADIO, "set_value", {"name": "volume", "value": 11}, "volume must be at most 10."),
        (RADIO, "set_value", {"name": "volume", "value": "11"}, "volume must be a number."),
        (RADIO, "set_value", {"name": "input", "value": "cd"}, "input must be one of: tv, tape."),
        (RADIO, "set_value", {"name": "line", "value": 7}, "line must be a text."),
        (RADIO, "set_value", {"name": "bass", "value": 7}, "one of: volume, input, line."),
        (RADIO, "set_value", {"value": 7}, "name must be one of: volume, input, line."),
        (BELLS, "press", {}, "name says which one to press, as there are several."),
        (BELLS, "press", {"name": "back"}, "name must be one of: front, night."),
        (device(button()), "press", {"name": "bell"}, "there is nothing of that name."),
    ],
)
def test_what_it_does_not(
    description: Description, verb: str, args: dict[str, Scalar], sentence: str
) -> None:
    with pytest.raises(CommandRefusedError) as refusal:
        check_arguments(description, verb, args)
    assert refusal.value.code == "invalid_arguments"
    assert refusal.value.message.endswith(sentence)
