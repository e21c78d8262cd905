from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import Evidence
from devices.ecosystems.zigbee2mqtt.exposes import parts
from devices.ecosystems.zigbee2mqtt.news import News
from tests.devices.ecosystems.zigbee2mqtt.definitions import STATE, generic, wrapper

pytestmark = pytest.mark.unit

POWER = generic("numeric", "power", 1, unit="W")
LEVEL = generic("numeric", "brightness", 7, value_min=0, value_max=100)
BOLT = generic("binary", "state", 7, value_on="LOCK", value_off="UNLOCK")
PLUG = [wrapper("switch", STATE), POWER]
DIMMER = [wrapper("light", STATE, LEVEL)]
LOCK = [wrapper("lock", BOLT), generic("numeric", "battery", 1)]

JSON = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.none())


def hear(news: News, exposes: list[dict[str, Any]], **body: Any) -> list[tuple[Any, Evidence]]:
    (part,) = parts(exposes, "Thing")
    return [(state, evidence) for _, state, evidence in news.hear("0x1", {"thing": part}, body)]


def test_a_plug_that_reports_its_power_says_nothing_of_its_relay() -> None:
    news = News()
    hear(news, PLUG, state="OFF", power=0)
    # The bridge has just sent ON, and assumes it.
    assert hear(news, PLUG, state="ON", power=0) == [({"on": True, "power": 0}, Evidence.ECHOED)]
    assert hear(news, PLUG, state="ON", power=1) == [({"power": 1}, Evidence.ECHOED)]
    # An answer to a question changes no sensor, nor what is so already.
    assert hear(news, PLUG, state="ON", power=1)[0][0] == {"on": True, "power": 1}


def test_of_what_was_set_together_each_message_tells_all() -> None:
    news = News()
    hear(news, DIMMER, state="ON", brightness=10)
    assert hear(news, DIMMER, state="ON", brightness=50)[0][0] == {"on": True, "brightness": 50}


def test_a_lock_is_believed_when_its_bolt_moves_and_not_when_its_battery_is_told() -> None:
    news = News()
    # What is heard first may be a memory of the bridge.
    assert hear(news, LOCK, state="LOCK", battery=80)[0][1] is Evidence.ECHOED
    assert hear(news, LOCK, state="LOCK", battery=80)[0][1] is Evidence.ECHOED
    assert hear(news, LOCK, state="LOCK", battery=79) == [({"battery": 79}, Evidence.ECHOED)]
    assert hear(news, LOCK, state="UNLOCK", battery=79)[0][1] is Evidence.REPORTED


def test_what_is_gone_is_forgotten() -> None:
    news = News()
    hear(news, LOCK, state="LOCK")
    news.forget("0x1")
    news.forget("0x1")
    assert hear(news, LOCK, state="UNLOCK")[0][1] is Evidence.ECHOED


@given(st.lists(st.dictionaries(st.sampled_from(["state", "power", "x"]), JSON), max_size=5))
def test_any_values_are_heard(bodies: list[dict[str, Any]]) -> None:
    news = News()
    for body in bodies:
        for state, _ in hear(news, PLUG, **body):
            assert state.keys() <= {"on", "power"}
            assert None not in state.values()
