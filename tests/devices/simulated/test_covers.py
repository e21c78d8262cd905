from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from devices.contract.capability import Kind, Risk
from devices.contract.command import AckStatus, Evidence
from devices.sdk import Device
from devices.simulated.covers import BedroomBlind, GarageDoor

pytestmark = pytest.mark.unit

Wired = Callable[[Device], Any]


async def test_a_blind_moves_step_by_step_and_ends_at_rest(wired: Wired, pace: Any) -> None:
    blind = BedroomBlind(sleep=pace.sleep)
    wire = wired(blind)
    assert [a.status.value for a in await wire.command("set_cover", position=12)] == ["accepted"]
    await pace.step(3)
    acks = wire.acks_of("c1")
    assert [a.status.value for a in acks] == ["accepted", "in_progress", "in_progress", "succeeded"]
    assert [a.percent for a in acks] == [None, 42, 83, None]
    assert [a.state.get("position") for a in acks] == [None, 5, 10, 12]
    assert [a.state.get("moving") for a in acks[1:]] == [True, True, False]
    assert acks[-1].evidence is Evidence.SETTLED


async def test_a_full_travel_takes_its_seconds(wired: Wired, pace: Any) -> None:
    wire = wired(GarageDoor(speed=2.0, sleep=pace.sleep))
    await wire.command("set_cover", position=100)
    await pace.step(20)
    assert wire.acks_of("c1")[-1].status is AckStatus.SUCCEEDED
    assert sum(pace.asked_s) == pytest.approx(7.5)


async def test_a_cover_closes_too(wired: Wired, pace: Any) -> None:
    blind = BedroomBlind(sleep=pace.sleep)
    wire = wired(blind)
    await wire.command("set_cover", position=5)
    await pace.step()
    await wire.command("set_cover", position=0)
    await pace.step()
    assert blind.state == {"position": 0, "moving": False}


async def test_a_cover_that_is_there_already_succeeds_at_once(wired: Wired, pace: Any) -> None:
    wire = wired(BedroomBlind(sleep=pace.sleep))
    acks = await wire.command("set_cover", position=0)
    assert [a.status.value for a in acks] == ["accepted", "succeeded"]
    assert pace.asked_s == []


async def test_stop_ends_the_movement_where_it_is_and_says_so(wired: Wired, pace: Any) -> None:
    blind = BedroomBlind(sleep=pace.sleep)
    wire = wired(blind)
    await wire.command("set_cover", position=100)
    await pace.step(2)
    (stopped,) = await wire.command("stop")
    assert stopped.status is AckStatus.SUCCEEDED
    assert stopped.state == {"position": 10, "moving": False}
    await pace.step()
    moved = wire.acks_of("c1")[-1]
    assert moved.status is AckStatus.FAILED
    assert moved.error is not None
    assert (moved.error.code, moved.error.message) == (
        "stopped",
        "Bedroom blind was stopped at 10 %.",
    )
    assert moved.state == {"position": 10, "moving": False}
    assert wire.states[-1] == {"position": 10, "moving": False}


async def test_a_newer_target_takes_over(wired: Wired, pace: Any) -> None:
    blind = BedroomBlind(sleep=pace.sleep)
    wire = wired(blind)
    await wire.command("set_cover", position=100)
    await pace.step(2)
    await wire.command("set_cover", position=0)
    await pace.step(2)
    assert wire.acks_of("c1")[-1].status is AckStatus.FAILED
    assert wire.acks_of("c2")[-1].status is AckStatus.SUCCEEDED
    assert blind.state == {"position": 0, "moving": False}


def test_a_garage_door_is_guarded_and_a_blind_is_not() -> None:
    (door,) = GarageDoor().description.of_kind(Kind.COVER)
    (blind,) = BedroomBlind().description.of_kind(Kind.COVER)
    assert (door.risk, blind.risk) == (Risk.GUARDED, Risk.NORMAL)
