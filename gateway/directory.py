"""Which devices exist now: names, areas, aliases, availability, last state.

Ecosystems' sightings go in; tools, policy and dispatch read. It sends nothing. Overrides
from the configuration are applied here and nowhere else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from devices.contract.capability import Description, Risk
from devices.contract.command import Scalar
from devices.contract.text import clean
from devices.ecosystems.base import Announced, Availability, Removed, StateReport, Traits
from devices.ecosystems.rooms import room_in
from gateway.bus import Bus
from gateway.clock import Clock
from gateway.events import DeviceSeen
from gateway.twins import Twins

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Override:
    """What the configuration says about one device; None and empty leave it as announced."""

    name: str | None = None
    area: str | None = None
    aliases: tuple[str, ...] = ()
    hide: bool = False
    risk: Risk | None = None


@dataclass(slots=True)
class Device:
    """One device as known now. Only the directory changes it.

    `online` is None until the device or its will said so. `heard_at` is when each key of the
    state was last heard live (clock seconds); what only the broker kept is not in it.
    """

    id: str
    ecosystem: str
    traits: Traits
    description: Description
    online: bool | None = None
    state: dict[str, Scalar] = field(default_factory=dict)
    heard_at: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name to speak."""
        return self.description.name

    @property
    def area(self) -> str:
        """The area, "" when none is known."""
        return self.description.area


class Directory:
    """All devices, by id. `revision` changes whenever what is offered to the model may change.

    State and availability that come before the description wait in a bounded side table:
    retained messages arrive in any order.
    """

    # More than any house has; beyond it announcements are dropped (and said so by the caller).
    MAX_DEVICES = 20_000
    # More than a device can describe; one that makes up new keys for ever is not followed.
    MAX_STATE_KEYS = 128

    def __init__(
        self, clock: Clock, bus: Bus, overrides: Mapping[str, Override] | None = None
    ) -> None:
        self._clock = clock
        self._bus = bus
        self._overrides = dict(overrides or {})
        self._devices: dict[str, Device] = {}
        self._early_online: dict[str, bool] = {}
        self._early_state: dict[str, StateReport] = {}
        self._listeners: list[Callable[[], None]] = []
        self._twins = Twins()
        self.revision = 0

    def __len__(self) -> int:
        """How many announcements are known: hidden devices and twins count too."""
        return len(self._devices)

    def __iter__(self) -> Iterator[Device]:
        """The devices that may be offered, by area and name: the same at each start."""
        offered = (d for d in self._devices.values() if self._offered(d.id))
        return iter(sorted(offered, key=lambda d: (d.area, d.name, d.id)))

    def get(self, device_id: str) -> Device | None:
        """The device, None when it is unknown. Hidden devices and twins are found too."""
        return self._devices.get(device_id)

    def twins(self, device_id: str) -> tuple[str, ...]:
        """The ids under which the same thing is announced as well."""
        return tuple(t for t in self._twins.of(device_id) if t in self._devices)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever `revision` changed."""
        self._listeners.append(listener)

    def announced(self, sighting: Announced, ecosystem: str, traits: Traits) -> bool:
        """A device is there as described.

        False when the directory is full, or when another ecosystem has a device of that id.
        """
        device_id = sighting.description.id
        known = self._devices.get(device_id)
        if known is None and len(self._devices) >= self.MAX_DEVICES:
            return False
        if known is not None and known.ecosystem != ecosystem:
            return False
        related = self._twins.claim(device_id, ecosystem, sighting.identity, sighting.richness)
        description = self._overridden(self._placed(sighting.description, traits))
        if known is None:
            device = Device(description.id, ecosystem, traits, description)
            self._devices[description.id] = device
            self._catch_up(device)
            self._changed(description.id, "announced")
        elif known.description != description or related:
            known.description = description
            self._changed(description.id, "changed")
        if related:
            self._place_twins(device_id)
        return True

    def removed(self, sighting: Removed) -> None:
        """The device is gone for good."""
        self._early_online.pop(sighting.device_id, None)
        self._early_state.pop(sighting.device_id, None)
        self._twins.release(sighting.device_id)
        if self._devices.pop(sighting.device_id, None) is not None:
            self._changed(sighting.device_id, "removed")

    def availability(self, sighting: Availability) -> None:
        """The device, or its will, says whether it is online."""
        device = self._devices.get(sighting.device_id)
        if device is None:
            self._keep_early(self._early_online, sighting.device_id, sighting.online)
        elif device.online is not sighting.online:
            device.online = sighting.online
            word = "online" if sighting.online else "offline"
            self._bus.publish(DeviceSeen(device.id, word))

    def reported(self, sighting: StateReport) -> None:
        """The device reported its state: keys that it names replace what was known.

        New keys beyond MAX_STATE_KEYS are dropped. A report without keys tells nothing.
        """
        device = self._devices.get(sighting.device_id)
        if device is None:
            self._keep_early(self._early_state, sighting.device_id, sighting)
            return
        for key, value in sighting.state.items():
            if key in device.state or len(device.state) < self.MAX_STATE_KEYS:
                device.state[key] = value
        if sighting.live:
            now = self._clock.monotonic()
            device.heard_at.update((key, now) for key in sighting.state if key in device.state)

    def age_s(self, device: Device, keys: Collection[str] = ()) -> float | None:
        """Seconds since the oldest of `keys` was heard live, None when one of them never was.

        Without `keys`: since anything was heard live.
        """
        if not keys:
            heard = max(device.heard_at.values(), default=None)
        else:
            times = [device.heard_at.get(key) for key in keys]
            heard = None if None in times else min(t for t in times if t is not None)
        return None if heard is None else self._clock.monotonic() - heard

    def _catch_up(self, device: Device) -> None:
        device.online = self._early_online.pop(device.id, None)
        early = self._early_state.pop(device.id, None)
        if early is not None:
            self.reported(early)

    def _keep_early(self, table: dict[str, _T], device_id: str, value: _T) -> None:
        if device_id in table or len(table) < self.MAX_DEVICES:
            table[device_id] = value

    def _changed(self, device_id: str, change: str) -> None:
        self.revision += 1
        self._bus.publish(DeviceSeen(device_id, change))
        for listener in self._listeners:
            listener()

    def _offered(self, device_id: str) -> bool:
        override = self._overrides.get(device_id)
        hidden = override is not None and override.hide
        return not hidden and self._twins.preferred(device_id)

    def _place_twins(self, device_id: str) -> None:
        for twin_id in self._twins.of(device_id):
            if (twin := self._devices.get(twin_id)) is not None:
                twin.description = self._placed(twin.description, twin.traits)

    def _placed(self, description: Description, traits: Traits) -> Description:
        """`description` with the area that a twin of it knows, or its name, where it has none."""
        twins = (self._devices.get(twin) for twin in self._twins.of(description.id))
        areas = (twin.area for twin in twins if twin is not None and twin.area)
        area = description.area or next(areas, "")
        if not area and traits.areas_from_names:
            area = room_in(description.name)
        return dataclasses.replace(description, area=area)

    def _overridden(self, description: Description) -> Description:
        override = self._overrides.get(description.id)
        if override is None:
            return description
        changes: dict[str, object] = {}
        if override.name:
            changes["name"] = clean(override.name, 64)
        if override.area is not None:
            changes["area"] = clean(override.area, 64)
        if override.aliases:
            changes["aliases"] = (*description.aliases, *override.aliases)
        if override.risk is not None:
            changes["capabilities"] = tuple(
                dataclasses.replace(c, risk=override.risk) for c in description.capabilities
            )
            changes["commands"] = tuple(
                dataclasses.replace(c, risk=override.risk) for c in description.commands
            )
        return dataclasses.replace(description, **changes)  # type: ignore[arg-type]
