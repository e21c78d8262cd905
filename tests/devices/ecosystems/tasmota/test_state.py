from __future__ import annotations

from typing import Any

import pytest

from devices.contract.command import Evidence
from devices.ecosystems.tasmota.box import Box, PartKind
from devices.ecosystems.tasmota.state import evidence, plain_power, readings, states
from tests.devices.ecosystems.tasmota.test_box import box

pytestmark = pytest.mark.unit


def told(made: Box, **body: Any) -> dict[str, Any]:
    """What one message says of all parts together."""
    return {key: value for _, state in states(made, body) for key, value in state.items()}


def test_one_relay_is_called_power_or_power1() -> None:
    made = box(rl=[1])
    assert told(made, POWER="ON") == told(made, POWER1="ON") == {"on": True}


def test_words_that_are_no_state_say_nothing() -> None:
    assert told(box(rl=[1]), POWER="TOGGLE") == {}


def test_channels_are_levels_of_their_own() -> None:
    made = box(rl=[2, 2], so={"68": 1})
    found = [state["brightness"] for _, state in states(made, {"Channel": [30, 70]})]
    assert found == [30, 70]


def test_a_plain_message_is_that_of_its_relay() -> None:
    made = box(rl=[1, 1])
    ((part, state),) = plain_power(made, "POWER2", "ON")
    assert (part.number, state) == (2, {"on": True})
    assert list(plain_power(made, "UPTIME", "ON")) == []


def test_an_echo_and_a_report() -> None:
    (plug, _, blind) = box().parts
    assert plug.kind is PartKind.SWITCH
    assert evidence("RESULT", plug) is Evidence.ECHOED
    assert evidence("STATUS11", plug) is Evidence.REPORTED
    assert evidence("RESULT", blind) is Evidence.REPORTED


def test_sensors_that_share_a_word() -> None:
    body = {"AM2301": {"Temperature": 20}, "DS18B20": {"Temperature": 70}, "TempUnit": "F"}
    assert readings(body) == {
        "temperature": (20, "°F"),
        "ds18b20 temperature": (70, "°F"),
    }
