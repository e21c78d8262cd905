from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.ecosystems.zigbee2mqtt.bridge import read_failure, read_groups, read_thing, usable
from tests.devices.ecosystems.zigbee2mqtt.definitions import STATE, entry, wrapper

pytestmark = pytest.mark.unit

LAMP = [wrapper("light", STATE)]


def test_a_device_that_is_ready() -> None:
    thing = read_thing(entry(LAMP, friendly_name="Hall/lamp"), {})
    assert thing is not None
    assert (thing.name, thing.sleepy, len(thing.parts)) == ("Hall/lamp", False, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"supported": False},
        {"disabled": True},
        {"interview_state": "IN_PROGRESS"},
        {"definition": None},
        {"ieee_address": "lamp"},
        {"friendly_name": "a/+/b"},
        {"friendly_name": ""},
        {"friendly_name": 7},
    ],
    ids=str,
)
def test_one_that_is_not(change: dict[str, Any]) -> None:
    assert read_thing(entry(LAMP, **change), {}) is None


def test_older_bridges_say_nothing_of_the_interview() -> None:
    raw = entry(LAMP)
    del raw["interview_state"]
    assert read_thing(raw, {}) is not None


def test_what_did_not_change_is_not_read_again() -> None:
    first = read_thing(entry(LAMP), {})
    assert first is not None
    known = {first.ieee: first}
    assert read_thing(entry(LAMP), known) is first
    assert read_thing(entry(LAMP, friendly_name="other"), known) is not first


def test_a_battery_sleeps() -> None:
    thing = read_thing(entry(LAMP, type="EndDevice", power_source="Battery"), {})
    assert thing is not None
    assert thing.sleepy


def test_groups_and_their_members() -> None:
    raw = [{"friendly_name": "Hall", "members": [{"ieee_address": "0x1"}, {"ieee_address": "0x2"}]}]
    assert list(read_groups(raw)) == [("0x1", "Hall"), ("0x2", "Hall")]


def test_a_command_that_failed() -> None:
    line = "z2m: Publish 'set' 'state' to 'Hall/lamp' failed: 'Error: ZCL command timed out'"
    failure = read_failure({"level": "error", "message": line})
    assert failure is not None
    assert (failure.name, failure.key, failure.rejected) == ("Hall/lamp", "state", False)


def test_a_command_that_nobody_understood() -> None:
    line = "z2m: No converter available for 'colour' on 'Hall/lamp': ..."
    failure = read_failure({"level": "error", "message": line})
    assert failure is not None
    assert failure.rejected


@pytest.mark.parametrize(
    "raw",
    [
        {"level": "info", "message": "Publish 'set' 'state' to 'x' failed: y"},
        {"level": "error", "message": "z2m: Publish 'get' 'state' to 'x' failed: y"},
        {"level": "error", "message": 7},
        {},
    ],
    ids=str,
)
def test_other_lines(raw: dict[str, Any]) -> None:
    assert read_failure(raw) is None


@given(st.text(max_size=300))
def test_any_line(message: str) -> None:
    read_failure({"level": "error", "message": f"Publish 'set' '{message}' to '{message}"})


@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(["friendly_name", "members", "ieee_address", "definition"]), x
            )
        ),
        max_leaves=6,
    )
)
def test_any_json(raw: Any) -> None:
    list(read_groups(raw))
    read_thing(raw, {})
    usable(raw)
