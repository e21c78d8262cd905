from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.errors import CommandRefusedError
from devices.ecosystems.homie.values import fitted, from_percent, read, to_percent, write
from tests.devices.ecosystems.homie.test_model import made

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("datatype", "form", "data", "value"),
    [
        ("integer", None, b"15.0", 15),
        ("float", None, b"nan", None),
        ("boolean", None, b"true", True),
        ("boolean", None, b"True", None),
        ("enum", "a,b", b"b", "b"),
        ("enum", "a,b", b"c", None),
        ("string", None, b"\0", ""),
        ("string", None, b"a\x1b[1mb", "a [1mb"),
        ("datetime", None, b"2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"),
        ("color", "rgb,hsv", b"rgb,255,0,128", "#ff0080"),
        ("color", "rgb", b"hsv,120,100,50", "#00ff00"),
        ("color", "rgb", b"xyz,0.64,0.33", "#ff0000"),
        ("color", "rgb", b"rgb,1,2", None),
        ("color", "xyz", b"xyz,0.3,1e-300", None),
        ("integer", None, b"", None),
        ("integer", None, b"\xff", None),
    ],
)
def test_what_a_message_says(datatype: str, form: str, data: bytes, value: object) -> None:
    assert read(made(datatype, form), data) == value


@pytest.mark.parametrize(
    ("datatype", "form", "value", "data"),
    [
        ("integer", "0:100:5", 33, b"35"),
        ("float", "0:1:0.1", 0.33, b"0.3"),
        ("float", None, 21.5, b"21.5"),
        ("boolean", None, False, b"false"),
        ("string", None, "", b"\0"),
        ("string", None, "hej", b"hej"),
        ("color", "rgb", "#ff0080", b"rgb,255,0,128"),
        ("color", "hsv,rgb", "#00ff00", b"hsv,120,100,100"),
        ("color", "xyz", "#ff0000", b"xyz,0.6401,0.33"),
    ],
)
def test_what_a_device_is_told(datatype: str, form: str, value: object, data: bytes) -> None:
    assert write(made(datatype, form), value) == data


@pytest.mark.parametrize(
    ("datatype", "form", "value"),
    [("enum", "a,b", "c"), ("integer", None, "x"), ("float", None, 1e300), ("color", "rgb", "red")],
)
def test_what_no_device_can_be_told(datatype: str, form: str, value: object) -> None:
    with pytest.raises(CommandRefusedError):
        write(made(datatype, form), value)


@given(
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)).filter(lambda ends: ends[0] < ends[1]),
    st.floats(1e-3, 1e5),
    st.floats(-1e7, 1e7),
)
def test_a_number_never_leaves_its_range(
    ends: tuple[float, float], step: float, number: float
) -> None:
    prop = made("float", f"{ends[0]!r}:{ends[1]!r}:{step!r}")
    assert prop.low is not None
    assert prop.high is not None
    found = fitted(prop, number)
    # Six digits are sent.
    assert prop.low - 1e-6 <= found <= prop.high + 1e-6


@given(st.integers(1, 1000), st.integers(1, 100))
def test_percent_there_and_back(top: int, percent: int) -> None:
    prop = made("integer", f"0:{top}")
    steps = from_percent(prop, percent)
    assert 0 < steps <= top
    assert abs(to_percent(prop, steps) - percent) <= math.ceil(50 / top) + (100 // top) + 1


def test_the_ends_of_a_range() -> None:
    prop = made("integer", "10:255")
    assert (from_percent(prop, 0), from_percent(prop, 100)) == (10, 255)
    assert (to_percent(prop, 10), to_percent(prop, 11), to_percent(prop, 999)) == (0, 1, 100)


@given(st.binary(max_size=64), st.sampled_from(["rgb", "hsv", "xyz"]))
def test_any_bytes_as_a_colour(data: bytes, encoding: str) -> None:
    value = read(made("color", encoding), encoding.encode() + b"," + data)
    assert value is None or len(str(value)) == 7


@given(st.lists(st.floats(), min_size=2, max_size=3), st.sampled_from(["rgb", "hsv", "xyz"]))
def test_any_numbers_as_a_colour(parts: list[float], encoding: str) -> None:
    text = ",".join([encoding, *map(str, parts)])
    value = read(made("color", encoding), text.encode())
    assert value is None or len(str(value)) == 7
