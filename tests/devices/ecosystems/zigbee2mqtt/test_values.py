from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import contradicts
from devices.ecosystems.zigbee2mqtt.values import Choice, Color, Mired, Number, Plain, Scale, Switch

pytestmark = pytest.mark.unit

CODECS = [
    Switch("ON", "OFF"),
    Switch(False, True),
    Scale(254),
    Mired(153, 500),
    Color(by_hue=True),
    Color(by_hue=False),
    Number(0, 10),
    Choice(("on", "off"), (1, 0)),
    Plain(),
]
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(CODECS), JSON)
def test_any_json_is_a_value_or_nothing(codec: Any, value: Any) -> None:
    assert codec.read(value) is None or isinstance(codec.read(value), bool | int | float | str)


@given(st.sampled_from(CODECS[5:]), JSON.filter(lambda v: not isinstance(v, list | dict)))
def test_what_does_not_fit_is_refused(codec: Any, value: Any) -> None:
    try:
        codec.write(value)
    except (CommandRefusedError, ValueError) as error:
        assert str(error)  # noqa: PT017 -- either outcome is right


def test_words_that_mean_the_opposite() -> None:
    contact = Switch(False, True)
    assert contact.read(False) is True
    assert contact.read(0) is None
    assert contact.read("false") is None


@pytest.mark.parametrize(
    ("key", "codec", "value"),
    [
        ("on", Switch("ON", "OFF"), True),
        ("brightness", Scale(254), 60),
        ("color_temperature", Mired(153, 500), 2700),
        ("color", Color(by_hue=True), "#ff8000"),
        ("color", Color(by_hue=False), "#ff8000"),
        ("level", Number(0, 10), 7.5),
        ("mode", Choice(("low", "high"), ("low", "high")), "High"),
    ],
)
def test_what_is_written_reads_the_same(key: str, codec: Any, value: Any) -> None:
    assert contradicts({key: codec.read(codec.write(value))}, {key: value}) is None


@pytest.mark.parametrize("value", [-1, 11, True, "5", None])
def test_a_number_out_of_bounds(value: Any) -> None:
    with pytest.raises(CommandRefusedError):
        Number(0, 10).write(value)


def test_a_warmth_beyond_the_lamp_is_the_nearest_that_it_has() -> None:
    assert Mired(153, 500).write(10_000) == 153
