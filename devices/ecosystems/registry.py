"""Which ecosystems there are, by the name used in the configuration."""

from __future__ import annotations

from collections.abc import Mapping

from devices.ecosystems.base import Ecosystem
from devices.ecosystems.native import Native

NAMES = ("native",)
# Part of every configuration's vocabulary, so that one file serves later versions too.
NOT_YET = ("homeassistant", "zigbee2mqtt", "tasmota", "shelly", "homie", "esphome", "mcp")


def build(name: str, options: Mapping[str, object], *, root: str, command_qos: int) -> Ecosystem:
    """The ecosystem `name`. Raises ValueError for a name or option that this version lacks."""
    if name != "native":
        raise ValueError(f"there is no ecosystem {name!r}; known: {', '.join(NAMES)}")
    if options:
        raise ValueError(f"ecosystem native has no option {next(iter(options))!r}")
    return Native(root, command_qos=command_qos)
