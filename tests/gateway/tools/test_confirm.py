from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Capability, Kind, Risk
from gateway.outcome import Outcome, Status
from gateway.tools.base import Context, Plan

pytestmark = pytest.mark.unit


def held(home: Any) -> str:
    home.add("Front door", "Hall", Capability(Kind.LOCK, risk=Risk.GUARDED))
    token: str = home.holds.hold(home.plan("unlock", target="front door"))
    return token


async def test_a_yes_does_exactly_what_was_asked(home: Any) -> None:
    token = held(home)
    plan = home.plan("confirm", confirmation=f" {token.upper()} ")
    assert isinstance(plan, Plan)
    assert plan.confirmed
    assert plan.devices == ("device-0",)
    outcome = await plan.run(Context("call-2", home.late.append))
    assert outcome.message == "Front door is unlocked."
    assert home.carrier.orders[0].call_id == "call-2"


def test_a_confirmation_works_once(home: Any) -> None:
    token = held(home)
    home.plan("confirm", confirmation=token)
    again = home.plan("confirm", confirmation=token)
    assert isinstance(again, Outcome)
    assert again.status is Status.INVALID
    assert "only once" in again.message


def test_a_confirmation_gets_too_old(home: Any) -> None:
    token = held(home)
    home.clock.advance(60)
    assert home.plan("confirm", confirmation=token).status is Status.EXPIRED


def test_an_invented_confirmation_gives_nothing(home: Any) -> None:
    held(home)
    assert home.plan("confirm", confirmation="yes").status is Status.INVALID
    assert home.carrier.orders == []
