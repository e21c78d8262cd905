"""Every device that Zigbee2MQTT supports, as devices and as tools of the model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from devices.contract.capability import Capability, Description, Kind
from devices.contract.command import Command
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import Announced
from devices.ecosystems.zigbee2mqtt.adapter import Zigbee2Mqtt
from devices.link.base import Message
from gateway.bus import Bus
from gateway.directory import Directory
from gateway.errors import ToolError
from gateway.policy.confirm import Holds
from gateway.testing import ManualClock, ScriptedCarrier
from gateway.tools.fit import Request, fit
from gateway.tools.registry import ToolRegistry
from tests.devices.ecosystems.zigbee2mqtt.definitions import entries, sample

pytestmark = pytest.mark.flow

SCRIPT = Path(__file__).parents[2] / "devices/ecosystems/zigbee2mqtt/definitions.mjs"
# Where `make zigbee` has installed the npm package; without it, one definition of every shape.
INSTALLED = os.environ.get("ZIGBEE_DEFINITIONS", "")


def definitions() -> list[dict[str, Any]]:
    if not INSTALLED:
        return sample()
    printed = subprocess.run(
        ["node", str(SCRIPT)],
        cwd=Path(INSTALLED).resolve(),
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in printed.stdout.splitlines()]


def test_every_definition_becomes_devices_and_tools(capsys: pytest.CaptureFixture[str]) -> None:
    known = definitions()
    adapter = Zigbee2Mqtt()
    found: Counter[str] = Counter()
    refused = 0
    for entry in entries(known):
        payload = json.dumps([entry]).encode()
        message = Message("zigbee2mqtt/bridge/devices", payload, retained=True)
        announced = [s for s in adapter.decode(message) if isinstance(s, Announced)]
        _offer(announced)
        for each in announced:
            found.update(c.kind.value for c in each.description.capabilities)
            refused += _refuse_what_is_out_of_range(adapter, each.description)
    assert len(known) >= 4516 if INSTALLED else len(known) > 200
    lines = [f"{len(known)} definitions, {refused} values out of range, all refused"]
    lines += [f"  {kind:<18} {number:>6}" for kind, number in found.most_common()]
    with capsys.disabled():
        sys.stdout.write("\n".join(["", *lines, ""]) if INSTALLED else "")


def _offer(announced: list[Announced]) -> None:
    """The tools of a house that has only this device."""
    clock = ManualClock()
    directory = Directory(clock, Bus())
    for sighting in announced:
        assert directory.announced(sighting, Zigbee2Mqtt.name, Zigbee2Mqtt.traits)
    offered = ToolRegistry(directory, ScriptedCarrier(), Holds(clock)).current()
    json.dumps(list(offered.definitions), allow_nan=False)
    assert bool(offered.names) is bool(announced)


def _refuse_what_is_out_of_range(adapter: Zigbee2Mqtt, device: Description) -> int:
    """Every wrong value is refused by the tool, and by the adapter too. How many there were."""
    count = 0
    for verb, asked in _wrong(device):
        with pytest.raises(ToolError):
            fit(verb, Request(device, asked))
        if verb == "set_value":
            with pytest.raises(CommandRefusedError):
                adapter.encode(device.id, Command("c", verb, asked, 3000))
        count += 1
    return count


def _wrong(device: Description) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for capability in device.capabilities:
        yield from _wrong_values(capability)
    if device.of_kind(Kind.BRIGHTNESS):
        yield "turn_on", {"brightness": 101}
    if device.of_kind(Kind.COVER):
        yield "set_cover", {"position": 101}
        yield "set_cover", {"position": -1}


def _wrong_values(capability: Capability) -> Iterator[tuple[str, Mapping[str, Any]]]:
    name = capability.name
    if capability.kind is Kind.NUMBER:
        if capability.minimum is not None:
            yield "set_value", {"name": name, "value": capability.minimum - 1}
        if capability.maximum is not None:
            yield "set_value", {"name": name, "value": capability.maximum + 1}
    elif capability.kind is Kind.SELECT:
        yield "set_value", {"name": name, "value": "no such option, surely"}
    elif capability.kind is Kind.COLOR_TEMPERATURE:
        assert capability.minimum is not None
        assert capability.maximum is not None
        yield "turn_on", {"color_temperature": capability.maximum + 1}
        yield "turn_on", {"color_temperature": capability.minimum - 1}
    elif capability.kind is Kind.CLIMATE and capability.maximum is not None:
        yield "set_climate", {"temperature": capability.maximum + 1}
