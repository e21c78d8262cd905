"""A whole house of simulated devices, each on a connection of its own."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from devices.link.base import Link, Message, Publish
from devices.link.mqtt import MqttLink, MqttOptions
from devices.sdk import Runner, serving, will
from devices.simulated.appliances import (
    CoffeeMachine,
    FrontDoorLock,
    OutdoorTemperature,
    Thermostat,
)
from devices.simulated.base import SimulatedDevice
from devices.simulated.covers import BedroomBlind, GarageDoor
from devices.simulated.faults import NO_FAULTS, Faults, parse_faults
from devices.simulated.lights import HallLight, KitchenLight, LivingRoomLamp
from devices.simulated.mischief import FaultyLink, Mischief

log = logging.getLogger(__name__)

LinkFactory = Callable[[str, Publish], Link]
"""A link for a client id, with the will that the broker publishes for it."""

_CLASSES: Sequence[type[SimulatedDevice]] = (
    KitchenLight,
    LivingRoomLamp,
    HallLight,
    BedroomBlind,
    FrontDoorLock,
    GarageDoor,
    Thermostat,
    OutdoorTemperature,
    CoffeeMachine,
)


@dataclass(frozen=True, slots=True)
class _Place:
    device: SimulatedDevice
    mischief: Mischief
    runner: Runner


class House:
    """The devices of a running house, by id."""

    def __init__(self, places: Mapping[str, _Place]) -> None:
        self._places = places

    @property
    def devices(self) -> Mapping[str, SimulatedDevice]:
        """All devices by id."""
        return {device_id: place.device for device_id, place in self._places.items()}

    def __getitem__(self, device_id: str) -> SimulatedDevice:
        """The device of that id. Raises KeyError."""
        return self._places[device_id].device

    def misbehave(self, device_id: str, faults: Faults = NO_FAULTS) -> None:
        """Give a device other faults from now on; none at all by default. Raises KeyError."""
        place = self._places[device_id]
        changed = place.mischief.faults.offline != faults.offline
        place.mischief.faults = faults
        if changed:
            place.runner.announce()


def make_devices(*, speed: float = 1.0) -> list[SimulatedDevice]:
    """The house's devices, fresh. `speed` divides the time that they take to move."""
    return [make(speed=speed) for make in _CLASSES]


def mqtt_links(
    url: str,
    *,
    username: str = "",
    password: str = "",
    ca_file: str = "",
    cert_file: str = "",
    key_file: str = "",
) -> LinkFactory:
    """Links to the broker at `url`; see MqttOptions."""

    def link(client_id: str, last_will: Publish) -> Link:
        options = MqttOptions(
            url=url,
            username=username,
            password=password,
            ca_file=ca_file,
            cert_file=cert_file,
            key_file=key_file,
            client_id=client_id,
            will=last_will,
        )
        return MqttLink(options)

    return link


@asynccontextmanager
async def run_house(
    link_factory: LinkFactory,
    *,
    faults: Mapping[str, Faults] | None = None,
    root: str = "home",
    speed: float = 1.0,
    devices: Sequence[SimulatedDevice] | None = None,
    memory: Path | None = None,
) -> AsyncIterator[House]:
    """The house (or `devices`) on its links for the length of the block.

    With the folder `memory` the devices know their commands across restarts; see `serving`.
    `faults` by device id. While it runs, faults written as text (`drop=2,silent`, empty for
    none) to `<root>-faults/<id>` are obeyed too. Raises ValueError for a fault of a device
    that is not there.
    """
    house = {d.id: d for d in (make_devices(speed=speed) if devices is None else devices)}
    wanted = dict(faults or {})
    if unknown := sorted(wanted.keys() - house.keys()):
        raise ValueError(f"there is no device {unknown[0]!r}; there are: {', '.join(house)}")
    places: dict[str, _Place] = {}
    running = House(places)
    async with AsyncExitStack() as stack:
        for device in house.values():
            mischief = Mischief(device, root=root, faults=wanted.get(device.id, NO_FAULTS))
            link = link_factory(device.id, will(device, root))
            await link.subscribe(f"{root}-faults/{device.id}", _fault_handler(running, device.id))
            runner = await stack.enter_async_context(
                serving(device, FaultyLink(link, mischief), root=root, memory=memory)
            )
            places[device.id] = _Place(device, mischief, runner)
        yield running


def _fault_handler(house: House, device_id: str) -> Callable[[Message], None]:
    def obey(message: Message) -> None:
        try:
            house.misbehave(device_id, parse_faults(message.payload[:200].decode()))
        except ValueError as error:
            log.warning("%s: %s", device_id, error)

    return obey
