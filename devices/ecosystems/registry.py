"""Which ecosystems there are, by the name used in the configuration.

Each is loaded when it is asked for: a house without Tasmota need not hold its code.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from devices.ecosystems.base import Ecosystem
from devices.link.filters import check_filter

Options = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Common:
    """What all ecosystems are told: the root of native topics, and the QoS of their commands."""

    root: str
    command_qos: int


def build(name: str, options: Options, *, root: str, command_qos: int) -> Ecosystem:
    """The ecosystem `name`. Raises ValueError for a name or option that this version lacks."""
    builder = _BUILDERS.get(name)
    if builder is None:
        raise ValueError(f"there is no ecosystem {name!r}; known: {', '.join(NAMES)}")
    allowed, make = builder
    unknown = next((option for option in options if option not in allowed), None)
    if unknown is not None:
        raise ValueError(f"ecosystem {name} has no option {unknown!r}")
    return make(options, Common(root, command_qos))


def _native(_: Options, common: Common) -> Ecosystem:
    from devices.ecosystems.native import Native  # noqa: PLC0415 -- loaded when asked for

    return Native(common.root, command_qos=common.command_qos)


def _homeassistant(options: Options, _: Common) -> Ecosystem:
    from devices.ecosystems.homeassistant.adapter import HomeAssistant  # noqa: PLC0415 -- as above
    from devices.ecosystems.homeassistant.greetings import BIRTHS  # noqa: PLC0415 -- as above

    birth = options.get("birth", BIRTHS[0])
    if birth not in BIRTHS:
        raise ValueError(f"birth must be one of {', '.join(BIRTHS)}")
    prefix = _topic(options, "prefix", "homeassistant")
    return HomeAssistant(prefix, birth=str(birth), now=lambda: datetime.now().astimezone())


def _tasmota(options: Options, _: Common) -> Ecosystem:
    from devices.ecosystems.tasmota.adapter import Tasmota  # noqa: PLC0415 -- as above

    return Tasmota(_topic(options, "prefix", "tasmota/discovery"))


def _zigbee2mqtt(options: Options, _: Common) -> Ecosystem:
    from devices.ecosystems.zigbee2mqtt.adapter import Zigbee2Mqtt  # noqa: PLC0415 -- as above

    return Zigbee2Mqtt(_topic(options, "base", "zigbee2mqtt"))


def _homie(options: Options, _: Common) -> Ecosystem:
    from devices.ecosystems.homie.adapter import Homie  # noqa: PLC0415 -- as above

    return Homie(_topic(options, "prefix", "homie"))


def _shelly(options: Options, _: Common) -> Ecosystem:
    from devices.ecosystems.shelly.adapter import Shelly  # noqa: PLC0415 -- as above

    # Devices answer on this topic: it must be no other gateway's, and the numbers of another
    # run's questions must not be ours.
    source = _topic(options, "source", f"gateway-{secrets.token_hex(4)}")
    return Shelly(source, last=secrets.randbelow(1_000_000))


def _mcp(options: Options, _: Common) -> Ecosystem:
    from devices.ecosystems.mcp.adapter import Mcp  # noqa: PLC0415 -- as above

    names = options.get("names", "#")
    if not isinstance(names, str) or not names:
        raise ValueError("names must be a filter of server names, such as home/#")
    check_filter(names)
    return Mcp(names)


def _topic(options: Options, option: str, default: str) -> str:
    """A topic prefix among the options. Raises ValueError for what is none."""
    value = options.get(option, default)
    if not isinstance(value, str) or not value.strip("/") or any(c in value for c in "+#\0"):
        raise ValueError(f"{option} must be a topic without wildcards")
    return value.strip("/")


_Builder = tuple[frozenset[str], Callable[[Options, Common], Ecosystem]]

_BUILDERS: Mapping[str, _Builder] = {
    "native": (frozenset(), _native),
    "homeassistant": (frozenset({"prefix", "birth"}), _homeassistant),
    "tasmota": (frozenset({"prefix"}), _tasmota),
    "homie": (frozenset({"prefix"}), _homie),
    "mcp": (frozenset({"names"}), _mcp),
    "shelly": (frozenset({"source"}), _shelly),
    "zigbee2mqtt": (frozenset({"base"}), _zigbee2mqtt),
}
NAMES = tuple(_BUILDERS)
# Part of every configuration's vocabulary, so that one file serves later versions too.
NOT_YET = tuple(
    name
    for name in ("homeassistant", "zigbee2mqtt", "tasmota", "shelly", "homie", "esphome", "mcp")
    if name not in _BUILDERS
)
