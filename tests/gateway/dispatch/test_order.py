from __future__ import annotations

import pytest

from gateway.dispatch.lifecycle import State
from gateway.dispatch.order import Carrier, Order, Result
from gateway.testing import ScriptedCarrier
from tests.gateway.dispatch.bench import Bench

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("virtual_time")]


@pytest.mark.parametrize("scripted", [True, False])
async def test_the_double_and_the_dispatcher_keep_one_contract(
    house: Bench, scripted: bool
) -> None:
    carrier: Carrier = ScriptedCarrier() if scripted else house.dispatcher
    order = Order("lamp", "turn_on", {"brightness": 60}, "call-1")
    result = await carrier.carry_out(order, house.late.append)
    assert (result.state, result.attempts) == (State.SUCCEEDED, 1)
    assert result.device_state == {"on": True, "brightness": 60}
    assert house.late == []


def test_a_result_claims_nothing_by_itself() -> None:
    result = Result(State.TIMED_OUT)
    assert (result.evidence, result.device_state, result.error) == (None, {}, None)
    assert (result.already, result.offline, result.contradiction) == (False, False, "")
