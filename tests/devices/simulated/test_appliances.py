from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from devices.contract import codec
from devices.contract.command import AckStatus, Scalar
from devices.sdk import Device
from devices.simulated.appliances import (
    CoffeeMachine,
    FrontDoorLock,
    OutdoorTemperature,
    Thermostat,
)

pytestmark = pytest.mark.unit

Wired = Callable[[Device], Any]

# As section 5 of the design shows it.
COFFEE_MACHINE = """
{"contract": 1, "id": "coffee-machine", "name": "Coffee machine", "area": "Kitchen",
 "aliases": [], "capabilities": [{"kind": "power"}],
 "commands": [{"name": "brew_coffee", "description": "Brew cups of coffee.",
   "idempotent": false, "risk": "normal", "answer_within_ms": 4000,
   "parameters": {"type": "object",
     "properties": {"cups": {"type": "integer", "minimum": 1, "maximum": 4}},
     "required": ["cups"]}}]}
"""


async def test_the_bolt_takes_its_time(wired: Wired, pace: Any) -> None:
    lock = FrontDoorLock(sleep=pace.sleep)
    wire = wired(lock)
    assert [a.status.value for a in await wire.command("unlock")] == ["accepted"]
    assert lock.state == {"locked": True}
    await pace.step()
    assert wire.acks_of("c1")[-1].state == {"locked": False}


async def test_the_bolt_turns_one_way_after_the_other(wired: Wired, pace: Any) -> None:
    lock = FrontDoorLock(sleep=pace.sleep)
    wire = wired(lock)
    await wire.command("unlock")
    await wire.command("lock")
    assert [a.command for a in lock.actuations] == ["unlock"]
    await pace.step(2)
    assert [a.command for a in lock.actuations] == ["unlock", "lock"]
    assert lock.state == {"locked": True}


@pytest.mark.parametrize(
    ("args", "state"),
    [
        ({"temperature": 22}, {"target_temperature": 22.0}),
        ({"mode": "off"}, {"mode": "off"}),
        ({"temperature": 5, "mode": "heat"}, {"target_temperature": 5.0, "mode": "heat"}),
    ],
)
async def test_the_thermostat_is_set(
    wired: Wired, pace: Any, args: dict[str, Scalar], state: dict[str, Scalar]
) -> None:
    (ack,) = await wired(Thermostat(sleep=pace.sleep)).command("set_climate", **args)
    assert ack.status is AckStatus.SUCCEEDED
    assert state.items() <= ack.state.items()


@pytest.mark.parametrize("args", [{}, {"temperature": 31}, {"temperature": 4}, {"mode": "boil"}])
async def test_the_thermostat_rejects_what_it_cannot_do(
    wired: Wired, pace: Any, args: dict[str, Scalar]
) -> None:
    thermostat = Thermostat(sleep=pace.sleep)
    (ack,) = await wired(thermostat).command("set_climate", **args)
    assert ack.status is AckStatus.REJECTED
    assert thermostat.actuations == []


@pytest.mark.parametrize(
    ("mode", "target", "here", "then"),
    [
        ("auto", 21.0, 20.5, 20.6),
        ("auto", 20.0, 20.5, 20.4),
        ("heat", 21.0, 20.95, 21.0),
        ("heat", 20.0, 20.5, 20.5),
        ("cool", 20.0, 20.5, 20.4),
        ("cool", 21.0, 20.5, 20.5),
        ("off", 30.0, 20.5, 20.5),
    ],
)
async def test_the_room_follows_the_thermostat(
    mode: str, target: float, here: float, then: float
) -> None:
    thermostat = Thermostat()
    thermostat.state.update(mode=mode, target_temperature=target, temperature=here)
    thermostat.drift()
    assert thermostat.state["temperature"] == pytest.approx(then)


async def test_the_room_is_reported_by_itself(
    wired: Wired, pace: Any, settle: Callable[[], Awaitable[None]]
) -> None:
    wire = wired(Thermostat(sleep=pace.sleep))
    await settle()
    await pace.step(2)
    assert [s["temperature"] for s in wire.states] == [20.6, 20.7]


async def test_the_sensor_reports_by_itself_and_takes_no_command(
    wired: Wired, pace: Any, settle: Callable[[], Awaitable[None]]
) -> None:
    wire = wired(OutdoorTemperature(sleep=pace.sleep))
    await settle()
    await pace.step(2)
    assert [s["temperature"] for s in wire.states] == [11.6, 11.8]
    (ack,) = await wire.command("turn_on")
    assert ack.error is not None
    assert ack.error.code == "unknown_command"


def test_the_coffee_machine_announces_itself_as_the_design_shows() -> None:
    announced = codec.encode_description(CoffeeMachine().description)
    assert json.loads(announced) == json.loads(COFFEE_MACHINE)


async def test_coffee_takes_a_while_for_each_cup(wired: Wired, pace: Any) -> None:
    machine = CoffeeMachine(sleep=pace.sleep)
    wire = wired(machine)
    await wire.command("brew_coffee", cups=2)
    await pace.step(2)
    acks = wire.acks_of("c1")
    assert [a.status.value for a in acks] == ["accepted", "in_progress", "in_progress", "succeeded"]
    assert [a.percent for a in acks[1:3]] == [0, 50]
    assert machine.state == {"on": True}
    assert [a.args for a in machine.actuations] == [{"cups": 2}]


async def test_a_machine_that_brews_takes_no_second_order(wired: Wired, pace: Any) -> None:
    machine = CoffeeMachine(sleep=pace.sleep)
    wire = wired(machine)
    await wire.command("brew_coffee", cups=1)
    refusal = (await wire.command("brew_coffee", cups=1))[-1]
    assert refusal.status is AckStatus.REJECTED
    assert refusal.error is not None
    assert refusal.error.code == "busy"
    await pace.step()
    assert len(machine.actuations) == 1
    await wire.command("brew_coffee", cups=1)
    assert len(machine.actuations) == 2


@pytest.mark.parametrize("cups", [0, 5, 1.5, "two", True, None])
async def test_cups_are_one_to_four(wired: Wired, pace: Any, cups: Scalar) -> None:
    machine = CoffeeMachine(sleep=pace.sleep)
    (ack,) = await wired(machine).command("brew_coffee", cups=cups)
    assert ack.status is AckStatus.REJECTED
    assert machine.actuations == []


async def test_switching_off_ends_the_brewing_honestly(wired: Wired, pace: Any) -> None:
    wire = wired(CoffeeMachine(sleep=pace.sleep))
    await wire.command("brew_coffee", cups=3)
    await pace.step()
    await wire.command("turn_off")
    await pace.step()
    last = wire.acks_of("c1")[-1]
    assert last.status is AckStatus.FAILED
    assert last.error is not None
    assert last.error.message == "Coffee machine was switched off after 1 of 3 cups."
