from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Capability, Description, Kind, OwnCommand
from devices.contract.command import Scalar
from devices.contract.verbs import (
    VERBS,
    contradicts,
    expected_state,
    replaced_attributes,
    supports,
    written_attributes,
)

pytestmark = pytest.mark.unit

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(-1e300, 1e300) | st.text()


@pytest.mark.parametrize(
    ("verb", "args", "state"),
    [
        ("turn_on", {}, {"on": True}),
        ("turn_on", {"brightness": 60}, {"on": True, "brightness": 60}),
        ("turn_off", {}, {"on": False}),
        ("set_cover", {"position": 40}, {"position": 40}),
        ("stop", {}, {"moving": False}),
        ("lock", {}, {"locked": True}),
        ("unlock", {}, {"locked": False}),
        ("set_climate", {"temperature": 21.5}, {"target_temperature": 21.5}),
        ("set_fan", {"percent": 30, "mode": "auto"}, {"fan_percent": 30, "mode": "auto"}),
        ("set_value", {"name": "volume", "value": 7}, {"volume": 7}),
        ("set_value", {"name": "volume"}, {}),
        ("press", {"name": "bell"}, {}),
        ("brew_coffee", {"cups": 2}, {}),
    ],
)
def test_the_state_that_proves_a_verb(
    verb: str, args: dict[str, Scalar], state: dict[str, Scalar]
) -> None:
    assert expected_state(verb, args) == state


def test_only_pressing_cannot_be_repeated() -> None:
    assert [v.name for v in VERBS.values() if not v.idempotent] == ["press"]


def test_stopping_and_locking_are_never_held_back() -> None:
    assert {v.name for v in VERBS.values() if v.makes_safe} == {"stop", "lock"}


def test_commands_that_write_the_same_thing_share_an_attribute() -> None:
    assert written_attributes("turn_on", {"brightness": 5}) & written_attributes("turn_off", {})
    assert written_attributes("lock", {}) == written_attributes("unlock", {})
    assert not written_attributes("turn_on", {}) & written_attributes("lock", {})


def test_presses_of_different_buttons_are_different_things() -> None:
    bell, gate = ({"name": "bell"}, {"name": "gate"})
    assert written_attributes("press", bell) != written_attributes("press", gate)


def test_switching_off_makes_a_waiting_colour_pointless() -> None:
    dimmed = written_attributes("turn_on", {"brightness": 40, "color": "#ff0000"})
    assert dimmed <= replaced_attributes("turn_off", {})
    assert not dimmed <= replaced_attributes("turn_on", {})


def test_a_device_supports_verbs_of_its_kinds_and_its_own_commands() -> None:
    machine = Description(
        "m", "M", capabilities=(Capability(Kind.POWER),), commands=(OwnCommand("brew", "Brew."),)
    )
    assert supports(machine, "turn_on")
    assert supports(machine, "brew")
    assert not supports(machine, "lock")
    assert not supports(machine, "dance")


@pytest.mark.parametrize(
    ("state", "expected", "key"),
    [
        ({"on": True}, {"on": True}, None),
        ({"on": False}, {"on": True}, "on"),
        ({}, {"on": True}, None),
        ({"on": 1}, {"on": True}, "on"),
        ({"brightness": 59}, {"brightness": 60}, None),
        ({"brightness": 58}, {"brightness": 60}, "brightness"),
        ({"color_temperature": 6452}, {"color_temperature": 6500}, None),
        ({"color": "#FF0000"}, {"color": "#ff0000"}, None),
        ({"mode": "heat"}, {"mode": "cool"}, "mode"),
        ({"mode": None}, {"mode": "cool"}, None),
    ],
)
def test_what_contradicts(
    state: dict[str, Scalar], expected: dict[str, Scalar], key: str | None
) -> None:
    assert contradicts(state, expected) == key


@given(st.dictionaries(st.text(max_size=5), SCALARS, max_size=5))
def test_no_state_contradicts_itself(state: dict[str, Scalar]) -> None:
    assert contradicts(state, state) is None


@given(st.sampled_from(sorted(VERBS)), st.dictionaries(st.text(max_size=9), SCALARS, max_size=4))
def test_every_command_writes_something(verb: str, args: dict[str, Scalar]) -> None:
    assert written_attributes(verb, args)
    assert written_attributes(verb, args) <= replaced_attributes(verb, args)


@pytest.mark.parametrize(
    ("heard", "agrees"),
    [("#FF0000", True), ("#f51007", True), ("#00ff00", False), ("red", False), ("#ff2900", False)],
)
def test_a_lamp_shows_the_nearest_colour_that_it_can(heard: str, agrees: bool) -> None:
    assert (contradicts({"color": heard}, {"color": "#ff0000"}) is None) is agrees


@pytest.mark.parametrize(
    ("heard", "agrees"), [(21.5, True), (21.6, True), (21, False), (22, False)]
)
def test_half_a_degree_is_another_temperature(heard: float, agrees: bool) -> None:
    key = "target_temperature"
    assert (contradicts({key: heard}, {key: 21.5}) is None) is agrees


@pytest.mark.parametrize(
    ("heard", "agrees"), [(1.9, True), (1.9000001, True), (1.0, False), (1.8, False), (2, False)]
)
def test_a_named_value_is_reached_or_not(heard: float, agrees: bool) -> None:
    assert (contradicts({"Dose": heard}, {"Dose": 1.9}) is None) is agrees
