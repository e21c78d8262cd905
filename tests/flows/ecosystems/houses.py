"""Simulated devices of other ecosystems on a real broker, and a gateway that finds them."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from devices.link.base import Link
from devices.link.mqtt import MqttLink, MqttOptions
from devices.simulated.esphome import SimulatedNode
from devices.simulated.homeassistant import SimulatedAnnouncer
from devices.simulated.homie5 import SimulatedHomie5
from devices.simulated.lies import Lie
from devices.simulated.mcp import SimulatedMcpLamp
from devices.simulated.shelly import SimulatedOldShelly, SimulatedShelly
from devices.simulated.tasmota import SimulatedTasmota
from devices.simulated.zigbee2mqtt import SimulatedBridge
from gateway.app import Gateway
from gateway.config import FixedConfig
from tests.flows.world import eventually

_numbers = itertools.count(1)


class Liar(Protocol):
    """A simulated device that can be told to misbehave."""

    def misbehave(self, lie: Lie = Lie.NONE) -> None: ...


# What is said of most things that lie; README's table is held against it.
TRUTHS: Mapping[Lie, str] = {
    Lie.ECHO: "failed",
    Lie.REFUSE: "rejected",
    Lie.SILENT: "timed_out",
    Lie.OFFLINE: "offline",
    Lie.JAM: "failed",
}
Order = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Species:
    """One ecosystem's simulated thing: what it is switched and moved by, under which names."""

    ecosystem: str
    make: Callable[[Link], Liar]
    running: Callable[[Any], AbstractAsyncContextManager[Any]]
    light: str
    cover: str = ""
    title: str = ""
    """what README calls it, where the ecosystem's name is not enough"""
    area: str = ""
    """that of `light`, where the ecosystem knows one"""
    known_by: str = "reports, read back"
    """how the outcomes of `light` are known"""
    known_while: Mapping[Lie, str] = field(default_factory=dict)
    """where it announces itself otherwise while it lies so"""
    truths: Mapping[Lie, str] = field(default_factory=dict)
    """where the right status is another than that of most"""
    own: tuple[Order, Order] | None = None
    """its own commands for on and off, where it has no power to turn on"""

    @property
    def name(self) -> str:
        """What README calls it."""
        return self.title or self.ecosystem

    @property
    def on(self) -> Order:
        """The call that switches it on."""
        return self.own[0] if self.own else ("turn_on", {"target": self.light})

    @property
    def off(self) -> Order:
        """The call that switches it off."""
        return self.own[1] if self.own else ("turn_off", {"target": self.light})

    def truth(self, lie: Lie) -> str:
        """The status of a call while it lies so; "" where it cannot."""
        if lie is Lie.JAM and not self.cover:
            return self.truths.get(lie, "")
        return self.truths.get(lie, TRUTHS[lie])


HOMEASSISTANT = Species(
    "homeassistant",
    lambda link: SimulatedAnnouncer(link, speed=5),
    lambda box: box.running(),
    light="Den lamp",
    cover="Den blind",
    area="Den",
    known_by="echo only",
    known_while={Lie.ECHO: "no proof"},
    # Who only echoes has to announce that; there is no word for "no", and nothing to ask.
    truths={Lie.ECHO: "unconfirmed", Lie.REFUSE: "timed_out"},
)

ESPHOME = Species(
    "homeassistant",
    lambda link: SimulatedNode(link, speed=5),
    lambda node: node.running(),
    title="homeassistant, ESPHome",
    light="Porch lamp",
    cover="Porch awning",
    area="Porch",
    known_by="echo only",
    known_while=HOMEASSISTANT.known_while,
    truths=HOMEASSISTANT.truths,
)

TASMOTA = Species(
    "tasmota",
    lambda link: SimulatedTasmota(link, speed=10),
    lambda box: box.running(),
    light="Hall plug",
    area="Hall",
    cover="Hall blind",
)

ZIGBEE2MQTT = Species(
    "zigbee2mqtt",
    lambda link: SimulatedBridge(link, speed=5),
    lambda bridge: bridge.running(),
    light="Hall lamp",
    cover="Hall shade",
    area="Hall",
    # What the radio says does not tell "no" from "not there".
    truths={Lie.REFUSE: "failed"},
)

HOMIE = Species(
    "homie",
    lambda link: SimulatedHomie5(link, speed=5),
    lambda device: device.running(),
    light="Landing light",
    area="Landing",
    cover="Landing blind",
    known_by="reports",
    # It has taken the command, and what it does with it is never asked for.
    truths={Lie.ECHO: "pending"},
)

SHELLY = Species(
    "shelly",
    lambda link: SimulatedShelly(link, speed=5),
    lambda box: box.running(),
    light="Hall socket",
    area="Hall",
    cover="Hall roller",
)

OLD_SHELLY = Species(
    "shelly",
    SimulatedOldShelly,
    lambda plug: plug.running(),
    light="cellar plug",
    area="Cellar",
    title="shelly, first generation",
    # It has no word for "no": it stays as it was.
    truths={Lie.REFUSE: "failed"},
)

_DIM = "self_lamp_set_brightness"
MCP = Species(
    "mcp",
    SimulatedMcpLamp,
    lambda lamp: lamp.running(),
    light="Desk lamp",
    known_by="acknowledges by id",
    own=((_DIM, {"percent": 40}), (_DIM, {"percent": 0})),
    # Our own words are no answer, and who is gone has taken its tools along.
    truths={Lie.ECHO: "timed_out", Lie.OFFLINE: "unknown_tool", Lie.JAM: "failed"},
)

SPECIES = (HOMEASSISTANT, ESPHOME, HOMIE, MCP, SHELLY, OLD_SHELLY, TASMOTA, ZIGBEE2MQTT)


@asynccontextmanager
async def found(
    broker_url: str, species: Species, **devices: Any
) -> AsyncIterator[tuple[Gateway, Any]]:
    """A gateway that knows the simulated thing, and the thing."""
    name = f"liar{os.getpid()}-{next(_numbers)}"
    config = FixedConfig.model_validate(
        {
            "session": {"provider": "none"},
            "mqtt": {"url": broker_url, "client_id": f"{name}-gateway"},
            "devices": {
                "ecosystems": {species.ecosystem: {}},
                # Most lies are waited out to their end.
                "delivery_s": 1.0,
                "answer_within_s": 1.5,
                **devices,
            },
            "policy": {"guarded": "allow"},
        }
    )
    link = MqttLink(MqttOptions(url=broker_url, client_id=name))
    async with link, Gateway(config) as gateway:
        thing = species.make(link)
        async with species.running(thing):
            await eventually(lambda: _there(gateway, species))
            yield gateway, thing


def _there(gateway: Gateway, species: Species) -> bool:
    names = {device.name: device for device in gateway.directory}
    wanted = [species.light, *([species.cover] if species.cover else [])]
    return all(name in names and names[name].online is True for name in wanted)
