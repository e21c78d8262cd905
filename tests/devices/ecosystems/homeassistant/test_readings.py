from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Kind
from tests.devices.ecosystems.homeassistant.building import part, told

pytestmark = pytest.mark.unit


def test_a_sensor_tells_numbers_and_words() -> None:
    made = part("sensor", stat_t="s", unit_of_meas="W", val_tpl="{{ value_json.p }}")
    assert made.capabilities == (Capability(Kind.SENSOR, "Thing", unit="W"),)
    assert told(made, "s", '{"p": 4.5}') == {"Thing": 4.5}
    assert told(made, "s", '{"p": "high"}') == {"Thing": "high"}
    assert told(made, "s", '{"p": null}') == {"Thing": None}


def test_a_binary_sensor_tells_yes_and_no() -> None:
    made = part("binary_sensor", stat_t="s", pl_on=True, pl_off=False, val_tpl="{{ value_json.c }}")
    assert told(made, "s", '{"c": true}') == {"Thing": True}
    assert told(made, "s", '{"c": false}') == {"Thing": False}
    assert told(made, "s", '{"c": "maybe"}') == {}


def test_without_a_topic_there_is_nothing_to_read() -> None:
    assert part("sensor").capabilities == ()
    assert part("binary_sensor").capabilities == ()
