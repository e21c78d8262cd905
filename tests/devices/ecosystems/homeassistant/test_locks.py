from __future__ import annotations

from typing import Any

import pytest

from devices.contract.capability import Risk
from devices.contract.errors import CommandRefusedError
from tests.devices.ecosystems.homeassistant.building import (
    PUBLISHED,
    SETTLED,
    ordered,
    part,
    told,
)

pytestmark = pytest.mark.unit

BASE: dict[str, Any] = {"cmd_t": "k/set", "stat_t": "k"}


def test_a_lock_is_done_when_its_bolt_rests() -> None:
    made = part("lock", **BASE)
    assert made.capabilities[0].risk is Risk.GUARDED
    assert ordered(made, "lock") == ([("k/set", "LOCK")], {"locked": True}, SETTLED)
    assert ordered(made, "unlock") == ([("k/set", "UNLOCK")], {"locked": False}, SETTLED)
    words = ("LOCKED", "UNLOCKED", "OPEN", "LOCKING", "UNLOCKING", "OPENING", "None", "?")
    assert [told(made, "k", word) for word in words] == [
        {"locked": True, "moving": False},
        {"locked": False, "moving": False},
        {"locked": False, "moving": False},
        {"moving": True},
        {"moving": True},
        {"moving": True},
        {"locked": None},
        {},
    ]


def test_jammed_is_a_failure_and_nothing_is_known_of_the_bolt() -> None:
    made = part("lock", **BASE, stat_jam="STUCK")
    (source,) = made.sources
    trip = source.trip("STUCK")
    assert trip is not None
    assert (trip.code, trip.keys) == ("jammed", {"locked"})
    assert source.trip("LOCKED") is None
    assert told(made, "k", "STUCK") == {"locked": None, "moving": False}


def test_a_lock_that_wants_a_code_cannot_be_told() -> None:
    made = part("lock", **BASE, cmd_tpl='{"do": "{{ value }}", "pin": "{{ code }}"}')
    with pytest.raises(CommandRefusedError, match="code"):
        ordered(made, "unlock")


def test_an_optimistic_lock_is_never_sure() -> None:
    assert ordered(part("lock", cmd_t="k/set"), "lock")[2] is PUBLISHED


def test_an_alarm_panel() -> None:
    made = part("alarm_control_panel", **BASE)
    assert "arm_away" in made.capabilities[0].options
    assert "trigger" not in made.capabilities[0].options
    assert ordered(made, "alarm", action="arm_away") == (
        [("k/set", "ARM_AWAY")],
        {"mode": "armed_away"},
        SETTLED,
    )
    words = ("armed_away", "arming", "pending", "triggered", "?")
    assert [told(made, "k", word) for word in words] == [
        {"mode": "armed_away", "moving": False},
        {"mode": "arming", "moving": True},
        {"mode": "pending", "moving": True},
        {"mode": "triggered", "moving": False},
        {},
    ]


def test_only_what_the_panel_can_do() -> None:
    made = part("alarm_control_panel", **BASE, sup_feat=["arm_home", "trigger"])
    assert made.capabilities[0].options == ("arm_home", "disarm", "trigger")
    for wrong in ("arm_away", "explode", None):
        with pytest.raises(CommandRefusedError):
            ordered(made, "alarm", action=wrong)


def test_a_code_of_the_panel_is_compared_before_anything_is_sent() -> None:
    made = part("alarm_control_panel", **BASE, code="1234", cod_arm_req=False)
    assert ordered(made, "alarm", action="disarm", code="1234")[0] == [("k/set", "DISARM")]
    assert ordered(made, "alarm", action="arm_home")[0] == [("k/set", "ARM_HOME")]
    for wrong in ("4321", None):
        with pytest.raises(CommandRefusedError, match="wrong or missing") as refused:
            ordered(made, "alarm", action="disarm", code=wrong)
        assert "1234" not in str(refused.value)


def test_a_remote_code_is_handed_on() -> None:
    template = '{"action": "{{ action }}", "code": "{{ code }}"}'
    made = part("alarm_control_panel", **BASE, code="REMOTE_CODE", cmd_tpl=template)
    messages, _, _ = ordered(made, "alarm", action="disarm", code="77")
    assert messages == [("k/set", '{"action": "DISARM", "code": "77"}')]
    with pytest.raises(CommandRefusedError):
        ordered(made, "alarm", action="disarm")
