from __future__ import annotations

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.errors import PayloadError
from devices.contract.topics import check_device_id
from devices.ecosystems import payload

pytestmark = pytest.mark.unit


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for read in (payload.read_json, payload.read_object, payload.read_text):
        with suppress(PayloadError):
            read(data, 100)


def test_a_long_message_is_refused() -> None:
    with pytest.raises(PayloadError, match="more than 10 bytes"):
        payload.read_json(b"1" * 11, 10)


def test_a_deep_message_is_refused() -> None:
    deep = b"[" * 40 + b"]" * 40
    with pytest.raises(PayloadError, match="deep"):
        payload.read_json(deep, 1000)
    with pytest.raises(PayloadError):
        payload.read_json(b"[" * 100_000, 1_000_000)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        *[("15.0", 15), (15.5, 15.5), ("x", None), (True, None)],
        *[(math.nan, None), ("1e999", None), (1e300, None), (10**400, None)],
    ],
)
def test_numbers_also_from_texts(value: object, found: float | None) -> None:
    assert payload.number(value) == found


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=3))
def test_a_state_value_can_always_be_written_down(value: object) -> None:
    json.dumps(payload.scalar(value), allow_nan=False)


@given(st.text(min_size=1))
def test_any_key_gives_an_id(key: str) -> None:
    assert check_device_id(payload.device_id("homie", key))


def test_ids_are_readable() -> None:
    assert payload.device_id("shelly", "ShellyPlus1PM-A0B1") == "shelly-shellyplus1pm-a0b1"
    assert payload.device_id("tasmota", "A0B1C2D3E4F5/2") == "tasmota-a0b1c2d3e4f5-2"


def test_other_keys_have_other_ids() -> None:
    keys = ["灯", "門", "Küche", "Kuche", "lamp-", "lamp", "x" * 80, "x" * 81]
    assert len({payload.device_id("homie", key) for key in keys}) == len(keys)


@pytest.mark.parametrize("written", ["A0:B1:C2:D3:E4:F5", "a0b1c2d3e4f5", "A0-B1-C2-D3-E4-F5"])
def test_one_mac_however_it_is_written(written: str) -> None:
    assert payload.mac(written) == "a0b1c2d3e4f5"


def test_what_is_no_mac() -> None:
    assert payload.mac("a0b1") == ""
    # Letters that happen to be digits, in a name that is none.
    assert payload.mac("bedroom-ceiling-lamp-cafe") == ""


def test_a_name_is_cleaned_or_replaced() -> None:
    assert payload.name("Lamp\u202e\n1", "x") == "Lamp 1"
    assert payload.name(None, "Lamp") == "Lamp"
    assert payload.name("\n", "Lamp") == "Lamp"
