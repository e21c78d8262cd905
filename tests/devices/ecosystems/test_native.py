from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract import codec
from devices.contract.capability import Description
from devices.contract.command import Ack, AckStatus, Command
from devices.contract.topics import Leaf
from devices.ecosystems.base import (
    Acknowledged,
    Announced,
    Availability,
    Malformed,
    Removed,
    Sighting,
    StateReport,
)
from devices.ecosystems.native import Native
from devices.link.base import Message

pytestmark = pytest.mark.unit

LAMP = Description("lamp", "Lamp")


@pytest.fixture
def sight() -> Callable[..., Sighting]:
    def decode(leaf: str, payload: bytes, *, retained: bool = False) -> Sighting:
        (sighting,) = Native("home").decode(Message(f"home/{leaf}", payload, retained))
        return sighting

    return decode


def test_acks_are_listened_to_first(native: Native) -> None:
    filters = native.filters()
    assert [f.filter for f in filters] == [
        "home/+/ack",
        "home/+/availability",
        "home/+/state",
        "home/+/description",
    ]
    assert all(f.qos == 0 for f in filters)


@pytest.fixture
def native() -> Native:
    return Native("home")


def test_a_device_comes_and_goes(sight: Callable[..., Sighting]) -> None:
    payload = codec.encode_description(LAMP)
    assert sight("lamp/description", payload, retained=True) == Announced(LAMP)
    assert sight("lamp/description", b"") == Removed("lamp")


def test_a_device_cannot_describe_another(sight: Callable[..., Sighting]) -> None:
    sighting = sight("other/description", codec.encode_description(LAMP))
    assert isinstance(sighting, Malformed)


def test_availability_and_its_removal(sight: Callable[..., Sighting]) -> None:
    assert sight("lamp/availability", b"online") == Availability("lamp", online=True)
    assert sight("lamp/availability", b"offline") == Availability("lamp", online=False)
    assert sight("lamp/availability", b"") == Availability("lamp", online=False)
    assert isinstance(sight("lamp/availability", b"maybe"), Malformed)


def test_a_retained_state_is_known_as_the_past(sight: Callable[..., Sighting]) -> None:
    live, past = sight("lamp/state", b'{"on":true}'), sight("lamp/state", b"{}", retained=True)
    assert live == StateReport("lamp", {"on": True}, live=True)
    assert past == StateReport("lamp", {}, live=False)
    assert sight("lamp/state", b"") == StateReport("lamp", {}, live=True)


def test_an_acknowledgement_counts_only_live(sight: Callable[..., Sighting]) -> None:
    ack = Ack("c1", AckStatus.SUCCEEDED, {"on": True})
    payload = codec.encode_ack(ack)
    assert sight("lamp/ack", payload) == Acknowledged("lamp", ack)
    assert isinstance(sight("lamp/ack", payload, retained=True), Malformed)


def test_commands_are_not_for_us(sight: Callable[..., Sighting]) -> None:
    assert isinstance(sight("lamp/command", b"{}"), Malformed)


def test_the_gateway_is_no_device(sight: Callable[..., Sighting]) -> None:
    assert isinstance(sight("gateway/state", b"{}"), Malformed)


@pytest.mark.parametrize(("ttl_ms", "expiry_s"), [(3000, 3), (2001, 3), (400, 1), (0, 1), (-5, 1)])
def test_a_command_is_one_message_that_the_broker_drops_in_time(ttl_ms: int, expiry_s: int) -> None:
    command = Command("c1", "turn_on", {"brightness": 60}, ttl_ms, attempt=2)
    (publish,) = Native("home").encode("lamp", command).messages
    assert publish.topic == "home/lamp/command"
    assert codec.decode_command(publish.payload) == command
    assert (publish.qos, publish.retain, publish.expiry_s) == (0, False, expiry_s)
    assert publish.correlation == b"c1"


def test_commands_go_at_qos_1_for_who_wants_it() -> None:
    (publish,) = Native(command_qos=1).encode("lamp", Command("c1", "turn_on", {}, 3000)).messages
    assert publish.qos == 1


@given(
    st.sampled_from([leaf.value for leaf in Leaf]) | st.text(max_size=10),
    st.binary(max_size=60)
    | st.dictionaries(st.text(), st.integers()).map(json.dumps).map(str.encode),
    st.booleans(),
)
def test_any_message_is_one_sighting(leaf: str, payload: bytes, retained: bool) -> None:
    assert len(list(Native().decode(Message(f"home/lamp/{leaf}", payload, retained)))) == 1
