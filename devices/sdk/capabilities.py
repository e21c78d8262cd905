"""Short names for capabilities, so that a device reads as what it is."""

from __future__ import annotations

from collections.abc import Sequence

from devices.contract.capability import Capability, Kind, Risk


def power() -> Capability:
    """It can be switched on and off: turn_on, turn_off; state key `on`."""
    return Capability(Kind.POWER)


def brightness() -> Capability:
    """turn_on takes `brightness`, 0 to 100 %."""
    return Capability(Kind.BRIGHTNESS)


def color() -> Capability:
    """turn_on takes `color`, as #rrggbb."""
    return Capability(Kind.COLOR)


def color_temperature(minimum: int, maximum: int) -> Capability:
    """turn_on takes `color_temperature`, in kelvin between the two."""
    return Capability(Kind.COLOR_TEMPERATURE, minimum=minimum, maximum=maximum)


def cover(*, risk: Risk = Risk.NORMAL) -> Capability:
    """set_cover and stop; state keys `position` (0 closed to 100 open) and `moving`."""
    return Capability(Kind.COVER, risk=risk)


def lock(*, risk: Risk = Risk.GUARDED) -> Capability:
    """lock and unlock; state key `locked`."""
    return Capability(Kind.LOCK, risk=risk)


def climate(minimum: float, maximum: float, modes: Sequence[str] = ()) -> Capability:
    """set_climate takes `temperature` (degrees Celsius between the two) and `mode`."""
    return Capability(Kind.CLIMATE, minimum=minimum, maximum=maximum, options=tuple(modes))


def fan(modes: Sequence[str] = ()) -> Capability:
    """set_fan takes `percent`, 0 to 100, and `mode`."""
    return Capability(Kind.FAN, options=tuple(modes))


def number(
    name: str, minimum: float, maximum: float, *, step: float | None = None, unit: str | None = None
) -> Capability:
    """set_value takes `name` and a number between the two."""
    return Capability(
        Kind.NUMBER, name=name, minimum=minimum, maximum=maximum, step=step, unit=unit
    )


def select(name: str, options: Sequence[str]) -> Capability:
    """set_value takes `name` and one of `options`."""
    return Capability(Kind.SELECT, name=name, options=tuple(options))


def text(name: str) -> Capability:
    """set_value takes `name` and a text."""
    return Capability(Kind.TEXT, name=name)


def button(name: str | None = None) -> Capability:
    """press, with the `name` when there are several."""
    return Capability(Kind.BUTTON, name=name)


def scene(name: str | None = None) -> Capability:
    """press, with the `name` when there are several."""
    return Capability(Kind.SCENE, name=name)


def vacuum(actions: Sequence[str]) -> Capability:
    """vacuum takes one of `actions`; stop ends what it does."""
    return Capability(Kind.VACUUM, options=tuple(actions))


def alarm(actions: Sequence[str], *, risk: Risk = Risk.GUARDED) -> Capability:
    """alarm takes one of `actions`, and a `code` where the device wants one."""
    return Capability(Kind.ALARM, options=tuple(actions), risk=risk)


def sensor(name: str, unit: str | None = None) -> Capability:
    """A reading under the state key `name`, in `unit`."""
    return Capability(Kind.SENSOR, name=name, unit=unit)
