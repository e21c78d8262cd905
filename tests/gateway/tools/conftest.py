"""A house to try tools on: real directory, real tools, and a carrier that remembers state."""

from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Capability, Description, Kind, OwnCommand
from devices.contract.command import Scalar
from devices.ecosystems.base import Announced, Availability, Removed, StateReport, Traits
from gateway.bus import Bus
from gateway.directory import Directory
from gateway.outcome import Outcome, Status
from gateway.policy.confirm import Holds
from gateway.testing import ManualClock, ScriptedCarrier
from gateway.tools.arguments import ArgumentError, check
from gateway.tools.base import Context, Plan
from gateway.tools.registry import RegistrySettings, ToolRegistry

KeyOrCapability = str | Capability


class Home:
    """A house under test. `late` is what tools told after they had answered."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.directory = Directory(self.clock, Bus())
        self.carrier = ScriptedCarrier()
        self.holds: Holds[Plan] = Holds(self.clock)
        self.late: list[Outcome] = []
        self.extra: list[Any] = []
        self.settings = RegistrySettings()
        self._registry: ToolRegistry | None = None

    def add(
        self,
        name: str,
        area: str = "",
        *capabilities: KeyOrCapability,
        aliases: tuple[str, ...] = (),
        commands: tuple[OwnCommand, ...] = (),
        device_id: str = "",
    ) -> str:
        """Announce a device; plain words are capability kinds. Its id."""
        device_id = device_id or f"device-{len(self.directory)}"
        found = tuple(Capability(Kind(c)) if isinstance(c, str) else c for c in capabilities)
        description = Description(device_id, name, area, aliases, found, commands)
        self.directory.announced(Announced(description), "native", Traits(True, False))
        return device_id

    def remove(self, device_id: str) -> None:
        self.directory.removed(Removed(device_id))

    def reports(self, device_id: str, *, live: bool = True, **state: Scalar) -> None:
        self.directory.reported(StateReport(device_id, state, live))

    def online(self, device_id: str, online: bool) -> None:
        self.directory.availability(Availability(device_id, online))

    @property
    def registry(self) -> ToolRegistry:
        if self._registry is None:
            self._registry = ToolRegistry(
                self.directory, self.carrier, self.holds, self.extra, self.settings
            )
        return self._registry

    def plan(self, tool: str, **arguments: Any) -> Plan | Outcome:
        """The plan of a call, or why there is none."""
        found = self.registry.current().get(tool)
        assert found is not None, f"{tool} is not offered"
        try:
            return found.plan(check(found.parameters, arguments))
        except ArgumentError as error:
            return Outcome(Status.INVALID, str(error))

    async def call(self, tool: str, **arguments: Any) -> Outcome:
        """The outcome of a call that policy allows."""
        plan = self.plan(tool, **arguments)
        if isinstance(plan, Outcome):
            return plan
        return await plan.run(Context("call-1", self.late.append))

    def commanded(self) -> list[tuple[str, str, dict[str, Scalar]]]:
        """(device name, command, arguments) of everything that was carried out."""
        names = {d.id: d.name for d in self.directory}
        return [(names[o.device_id], o.command, dict(o.args)) for o in self.carrier.orders]


@pytest.fixture
def home() -> Home:
    return Home()
