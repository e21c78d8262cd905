"""First-generation models: what each is made of. They announce their model and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Gen1Kind(StrEnum):
    """What a part is, by the word in its topics."""

    RELAY = "relay"
    ROLLER = "roller"
    LIGHT = "light"
    COLOR = "color"
    WHITE = "white"
    THERMOSTAT = "thermostat"
    READINGS = "sensor"


@dataclass(frozen=True, slots=True)
class Layout:
    """`count` parts of one kind. `kelvin` is the range of their warmth, None when they have none.

    `sleepy`: on a battery, heard of only when it wakes.
    """

    kind: Gen1Kind
    count: int = 1
    kelvin: tuple[int, int] | None = None
    sleepy: bool = False


# By mode, where the user chooses one; "" is what it is out of the box.
_Modes = Mapping[str, Layout]
_ONE_RELAY: _Modes = {"": Layout(Gen1Kind.RELAY)}
_TWO_RELAYS: _Modes = {"": Layout(Gen1Kind.RELAY, 2)}
_RELAYS_OR_ROLLER: _Modes = {**_TWO_RELAYS, "roller": Layout(Gen1Kind.ROLLER)}
_ONE_LIGHT: _Modes = {"": Layout(Gen1Kind.LIGHT)}
_BULB: _Modes = {"": Layout(Gen1Kind.COLOR, kelvin=(3000, 6500))}
_BATTERY: _Modes = {"": Layout(Gen1Kind.READINGS, sleepy=True)}
_SENSOR: _Modes = {"": Layout(Gen1Kind.READINGS)}

_MODELS: Mapping[str, _Modes] = {
    "SHSW-1": _ONE_RELAY,
    "SHSW-L": _ONE_RELAY,
    "SHSW-PM": _ONE_RELAY,
    "SHPLG-1": _ONE_RELAY,
    "SHPLG-S": _ONE_RELAY,
    "SHPLG-U1": _ONE_RELAY,
    "SHPLG2-1": _ONE_RELAY,
    "SHEM": _ONE_RELAY,
    "SHEM-3": _ONE_RELAY,
    "SHSW-21": _RELAYS_OR_ROLLER,
    "SHSW-25": _RELAYS_OR_ROLLER,
    "SHUNI-1": _TWO_RELAYS,
    "SHSW-44": {"": Layout(Gen1Kind.RELAY, 4)},
    "SHDM-1": _ONE_LIGHT,
    "SHDM-2": _ONE_LIGHT,
    "SHVIN-1": _ONE_LIGHT,
    "SHBDUO-1": {"": Layout(Gen1Kind.LIGHT, kelvin=(2700, 6500))},
    "SHBLB-1": _BULB,
    "SHCB-1": _BULB,
    "SHRGBW2": {"": Layout(Gen1Kind.COLOR), "white": Layout(Gen1Kind.WHITE, 4)},
    "SHTRV-01": {"": Layout(Gen1Kind.THERMOSTAT, sleepy=True)},
    "SHHT-1": _BATTERY,
    "SHWT-1": _BATTERY,
    "SHDW-1": _BATTERY,
    "SHDW-2": _BATTERY,
    "SHSM-01": _BATTERY,
    "SHMOS-01": _SENSOR,
    "SHMOS-02": _SENSOR,
    "SHGS-1": _SENSOR,
}


def layout(model: str, mode: str) -> Layout | None:
    """What a device of that model and mode is made of; None for a model that nobody knows."""
    modes = _MODELS.get(model)
    return None if modes is None else modes.get(mode, modes[""])
