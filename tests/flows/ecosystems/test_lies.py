"""What a gateway says of devices that lie: the right status, and never a false `confirmed`."""

from __future__ import annotations

import pytest

from devices.simulated.lies import Lie
from gateway.app import Gateway
from tests.flows.ecosystems.houses import SPECIES, TRUTHS, Species, found
from tests.flows.world import eventually
from tests.test_documents import README, section, tables

SWITCHED = [lie for lie in TRUTHS if lie is not Lie.JAM]


@pytest.mark.flow
@pytest.mark.parametrize("species", SPECIES, ids=lambda s: s.name)
async def test_a_light_that_lies(mosquitto_url: str, species: Species) -> None:
    async with found(mosquitto_url, species) as (gateway, thing):
        assert (await gateway.call(*species.on)).status == "confirmed"
        for lie in [*SWITCHED, *([Lie.JAM] if species.own else [])]:
            # Each truth begins from off, so that an echo of "on" is none.
            thing.misbehave()
            await eventually(lambda: _is_online(gateway, species.light))
            await _announced(gateway, species, Lie.NONE)
            assert (await gateway.call(*species.off)).status in {"confirmed", "already"}
            thing.misbehave(lie)
            await _announced(gateway, species, lie)
            if lie is Lie.OFFLINE:
                await eventually(lambda: not _is_online(gateway, species.light))
            outcome = await gateway.call(*species.on)
            assert outcome.status == species.truth(lie), f"{lie}: {outcome.message}"


@pytest.mark.flow
@pytest.mark.parametrize("species", [s for s in SPECIES if s.cover], ids=lambda s: s.name)
async def test_a_cover_that_jams_half_way(mosquitto_url: str, species: Species) -> None:
    async with found(mosquitto_url, species, answer_within_s=4.0) as (gateway, thing):
        thing.misbehave(Lie.JAM)
        outcome = await gateway.call("set_cover", {"target": species.cover, "position": 100})
        assert outcome.status == species.truth(Lie.JAM), outcome.message
        thing.misbehave()
        outcome = await gateway.call("set_cover", {"target": species.cover, "position": 0})
        assert (outcome.status, outcome.state["position"]) == ("confirmed", 0)


@pytest.mark.unit
def test_the_readme_tells_what_is_said_of_them() -> None:
    (rows,) = tables(section(README, "Devices that lie"))
    shown = {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[1:]}
    words = {Lie.ECHO: "echoes, does nothing", Lie.REFUSE: "refuses", Lie.SILENT: "is silent"}
    words |= {Lie.OFFLINE: "is offline", Lie.JAM: "jams half-way"}
    assert shown == {s.name: {words[lie]: s.truth(lie) for lie in TRUTHS} for s in SPECIES}


def _is_online(gateway: Gateway, name: str) -> bool:
    return any(device.name == name and device.online is not False for device in gateway.directory)


async def _announced(gateway: Gateway, species: Species, lie: Lie) -> None:
    """Return when the gateway knows what the thing says of itself while it lies so."""

    def known() -> bool:
        light = next(device for device in gateway.directory if device.name == species.light)
        return gateway.known_by(light) == species.known_while.get(lie, species.known_by)

    if species.known_while:
        await eventually(known)
