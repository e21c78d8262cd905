from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.errors import PayloadError
from devices.ecosystems.homie.model import Property, Words, bounded, is_id, make_property

pytestmark = pytest.mark.unit


def made(datatype: str, form: object = None, **words: object) -> Property:
    """A settable property `n/p` of that type and format."""
    told = {"name": "P", "settable": True} | words
    return make_property("n", "p", Words(datatype=datatype, format=form, **told), tagged=True)


@pytest.mark.parametrize(
    ("form", "range_"),
    [
        ("0:100:5", (0, 100, 5)),
        ("-1.5:", (-1.5, None, None)),
        (":7", (None, 7, None)),
        ("::2", (None, None, 2)),
        (None, (None, None, None)),
    ],
)
def test_ranges_may_be_open(form: object, range_: object) -> None:
    prop = made("float", form)
    assert (prop.low, prop.high, prop.step) == range_


@pytest.mark.parametrize("form", ["9:1", "0:1:0", "a:b", "1:2:3:4", "0:nan", "-1e300:1e300"])
def test_a_range_that_is_none(form: str) -> None:
    with pytest.raises(PayloadError):
        made("integer", form)


@pytest.mark.parametrize(
    ("datatype", "form"), [("enum", ""), ("color", "cmyk"), ("blob", ""), (7, "")]
)
def test_a_property_must_say_what_it_can_be(datatype: str, form: str) -> None:
    with pytest.raises(PayloadError):
        made(datatype, form)


def test_words_of_a_switch() -> None:
    assert made("boolean", "closed,open").options == ("closed", "open")
    assert made("boolean", "x,x").options == ("off", "on")


def test_options_that_could_steer_a_reader_are_left_out() -> None:
    assert made("enum", "eco,bad\nword,heat").options == ("eco", "heat")


def test_percent_by_unit_or_by_ends() -> None:
    assert made("integer", "0:255").percent
    assert made("float", None, unit="%").percent
    assert not made("integer", "0:").percent


@given(st.text(), st.text(), st.sampled_from(["integer", "enum", "color", "boolean", "json"]))
def test_any_words(form: str, unit: str, datatype: str) -> None:
    try:
        prop = made(datatype, form, unit=unit)
    except PayloadError:
        return
    assert len(prop.unit) <= 16
    assert prop.step is None or prop.step > 0


def test_names_that_may_stand_in_a_topic() -> None:
    assert is_id("lamp-1")
    assert not any(map(is_id, ["", "a/b", "+", "$x", "a" * 65, 7]))
    assert list(bounded({"a": 1, "b/c": 2, "d": 3, "e": 4}, 2)) == ["a", "d"]
