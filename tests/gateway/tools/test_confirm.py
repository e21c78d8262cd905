from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Capability, Kind, Risk
from gateway.outcome import Outcome, Status
from gateway.policy.confirm import Holds
from gateway.policy.pin import Pin
from gateway.tools.base import Context, Plan

pytestmark = pytest.mark.unit


def held(home: Any, *, with_pin: bool = False) -> str:
    home.add("Front door", "Hall", Capability(Kind.LOCK, risk=Risk.GUARDED))
    plan = home.plan("unlock", target="front door")
    token: str = home.holds.hold(plan, with_pin=with_pin)
    return token


async def test_a_yes_does_exactly_what_was_asked(home: Any) -> None:
    token = held(home)
    plan = home.plan("confirm", confirmation=f" {token.upper()} ")
    assert isinstance(plan, Plan)
    assert plan.agreed
    assert [act.device_id for act in plan.acts] == ["device-0"]
    outcome = await plan.run(Context("call-2", home.late.append))
    assert outcome.message == "Front door is unlocked."
    assert home.carrier.orders[0].call_id == "call-2"


async def test_a_confirmation_works_once(home: Any) -> None:
    token = held(home)
    assert (await home.call("confirm", confirmation=token)).ok
    again = await home.call("confirm", confirmation=token)
    assert again.status is Status.INVALID
    assert "only once" in again.message
    assert len(home.carrier.orders) == 1


async def test_two_plans_of_one_confirmation_do_it_once(home: Any) -> None:
    token = held(home)
    plans = [home.plan("confirm", confirmation=token) for _ in range(2)]
    outcomes = [await plan.run(Context("c", home.late.append)) for plan in plans]
    assert [outcome.status for outcome in outcomes] == [Status.CONFIRMED, Status.INVALID]
    assert len(home.carrier.orders) == 1


async def test_planning_uses_nothing_up(home: Any) -> None:
    token = held(home)
    home.plan("confirm", confirmation=token)
    assert (await home.call("confirm", confirmation=token)).ok


async def test_a_confirmation_gets_too_old(home: Any) -> None:
    token = held(home)
    planned = home.plan("confirm", confirmation=token)
    home.clock.advance(60)
    assert home.plan("confirm", confirmation=token).status is Status.EXPIRED
    assert (await planned.run(Context("c", home.late.append))).status is Status.EXPIRED
    assert home.carrier.orders == []


def test_an_invented_confirmation_gives_nothing(home: Any) -> None:
    held(home)
    assert home.plan("confirm", confirmation="yes").status is Status.INVALID
    assert home.carrier.orders == []


# --- with a PIN ---------------------------------------------------------------------------------


@pytest.fixture
def locked(home: Any) -> Any:
    """A house with a PIN."""
    home.holds = Holds(home.clock, pin=Pin("2468", home.clock))
    return home


def test_a_pin_is_a_parameter_only_where_there_is_one(home: Any) -> None:
    held(home)
    assert "no argument 'pin'" in home.plan("confirm", confirmation="x", pin="1").message


async def test_the_right_pin_opens(locked: Any) -> None:
    token = held(locked, with_pin=True)
    assert (await locked.call("confirm", confirmation=token, pin="2 4 6 8")).ok
    assert len(locked.carrier.orders) == 1


async def test_without_the_pin_it_stays_held(locked: Any) -> None:
    token = held(locked, with_pin=True)
    for said in ({}, {"pin": ""}, {"pin": "1111"}):
        outcome = await locked.call("confirm", confirmation=token, **said)
        assert (outcome.status, outcome.confirmation) == (Status.NEEDS_CONFIRMATION, token)
        assert "PIN" in outcome.message
    assert locked.carrier.orders == []
    assert (await locked.call("confirm", confirmation=token, pin="2468")).ok


async def test_the_third_wrong_pin_ends_it(locked: Any) -> None:
    token = held(locked, with_pin=True)
    outcomes: list[Outcome] = [
        await locked.call("confirm", confirmation=token, pin="1111") for _ in range(3)
    ]
    assert (outcomes[-1].status, outcomes[-1].confirmation) == (Status.DENIED, "")
    right = await locked.call("confirm", confirmation=token, pin="2468")
    assert right.status is Status.DENIED
    assert locked.carrier.orders == []


async def test_after_many_wrong_pins_none_is_tried(locked: Any) -> None:
    held(locked)
    plan = locked.plan("unlock", target="front door")
    for _ in range(2):
        token = locked.holds.hold(plan, with_pin=True)
        for _ in range(3):
            outcome = await locked.call("confirm", confirmation=token, pin="1111")
    assert (outcome.status, "Try again in 5 minutes" in outcome.message) == (Status.DENIED, True)
    assert "1111" not in outcome.text()
