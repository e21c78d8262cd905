"""What a gateway says of devices that lie: the right status, and never a false `confirmed`."""

from __future__ import annotations

import pytest

from devices.simulated.lies import Lie
from tests.flows.ecosystems.houses import (
    HOMIE,
    OLD_SHELLY,
    SHELLY,
    TASMOTA,
    ZIGBEE2MQTT,
    Species,
    found,
)
from tests.flows.world import eventually

pytestmark = pytest.mark.flow

SPECIES = [HOMIE, OLD_SHELLY, SHELLY, TASMOTA, ZIGBEE2MQTT]
SWITCHED = [
    (Lie.NONE, "confirmed"),
    (Lie.ECHO, "failed"),
    (Lie.REFUSE, "rejected|failed"),
    (Lie.SILENT, "timed_out"),
    (Lie.OFFLINE, "offline"),
]


@pytest.mark.parametrize("species", SPECIES, ids=lambda s: s.ecosystem)
async def test_a_light_that_lies(mosquitto_url: str, species: Species) -> None:
    async with found(mosquitto_url, species) as (gateway, thing):
        for lie, status in SWITCHED:
            # Each truth begins from off, so that an echo of "on" is none.
            thing.misbehave()
            await gateway.call("turn_off", {"target": species.light})
            thing.misbehave(lie)
            if lie is Lie.OFFLINE:
                await eventually(lambda: _is_offline(gateway, species.light))
            outcome = await gateway.call("turn_on", {"target": species.light})
            right = species.truths.get(lie, status)
            assert outcome.status in right.split("|"), f"{lie}: {outcome.message}"


@pytest.mark.parametrize("species", [s for s in SPECIES if s.cover], ids=lambda s: s.ecosystem)
async def test_a_cover_that_jams_half_way(mosquitto_url: str, species: Species) -> None:
    async with found(mosquitto_url, species) as (gateway, thing):
        thing.misbehave(Lie.JAM)
        outcome = await gateway.call("set_cover", {"target": species.cover, "position": 100})
        assert outcome.status == "failed", outcome.message
        thing.misbehave()
        outcome = await gateway.call("set_cover", {"target": species.cover, "position": 0})
        assert (outcome.status, outcome.state["position"]) == ("confirmed", 0)


def _is_offline(gateway, name: str) -> bool:  # noqa: ANN001 -- the gateway of the flow
    return any(device.name == name and device.online is False for device in gateway.directory)
