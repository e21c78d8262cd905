from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import Parameter, ParameterType
from gateway.tools.arguments import ArgumentError, OpenParameter, ValueParameter, check

pytestmark = pytest.mark.unit

PARAMETERS = (
    OpenParameter("target", ParameterType.STRING, choices=("Kitchen light",)),
    Parameter("brightness", ParameterType.INTEGER, required=False, minimum=0, maximum=100),
    Parameter("speed", ParameterType.NUMBER, required=False),
    Parameter("mode", ParameterType.STRING, required=False, choices=("Heat", "Cool")),
    Parameter("fast", ParameterType.BOOLEAN, required=False),
    ValueParameter("value", ParameterType.STRING, required=False),
)


def test_good_arguments_pass_as_they_are() -> None:
    given_ = {"target": "Hall", "brightness": 60, "speed": 1.5, "mode": "Heat", "fast": False}
    assert check(PARAMETERS, given_) == given_


def test_what_is_meant_is_taken() -> None:
    checked = check(PARAMETERS, {"target": "x", "brightness": 60.0, "mode": " heat", "fast": None})
    assert checked == {"target": "x", "brightness": 60, "mode": "Heat"}
    assert isinstance(checked["brightness"], int)


def test_a_value_may_be_text_or_number() -> None:
    assert check(PARAMETERS, {"target": "x", "value": 7})["value"] == 7
    assert check(PARAMETERS, {"target": "x", "value": "eco"})["value"] == "eco"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "target is missing"),
        ({"target": None}, "target is missing"),
        ({"target": 3}, "target must be a text"),
        ({"target": "x", "brightness": "60"}, "whole number"),
        ({"target": "x", "brightness": True}, "whole number"),
        ({"target": "x", "brightness": 60.5}, "whole number"),
        ({"target": "x", "brightness": float("nan")}, "whole number"),
        ({"target": "x", "speed": float("inf")}, "a number"),
        ({"target": "x", "speed": "fast"}, "a number"),
        ({"target": "x", "brightness": 101}, "from 0 to 100"),
        ({"target": "x", "brightness": -1}, "from 0 to 100"),
        ({"target": "x", "mode": "warm"}, "Heat or Cool"),
        ({"target": "x", "fast": 1}, "true or false"),
        ({"target": "x", "value": True}, "a text or a number"),
        ({"target": "x", "value": ["a"]}, "a text or a number"),
        ({"target": "\ud800"}, "no valid text"),
        ({"target": "x" * 1001}, "longer than 1000"),
        ({"target": "x", "brightnes": 3}, "Did you mean brightness?"),
        ({"targt": "x"}, "Did you mean target?"),
        ({"target": "x", "zzzzq": 3}, "this takes target"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        check(PARAMETERS, arguments)
    assert words in str(caught.value)
    assert str(caught.value).endswith((".", "?"))


def test_a_tool_without_parameters_takes_none() -> None:
    assert check((), {}) == {}
    with pytest.raises(ArgumentError, match="takes none"):
        check((), {"x": 1})


def test_a_range_with_one_end_names_it() -> None:
    low = (Parameter("n", ParameterType.NUMBER, minimum=2),)
    high = (Parameter("n", ParameterType.NUMBER, maximum=9.5),)
    with pytest.raises(ArgumentError, match="at least 2"):
        check(low, {"n": 1})
    with pytest.raises(ArgumentError, match=r"at most 9\.5"):
        check(high, {"n": 10})


def test_hostile_names_and_values_are_shown_clean_and_short() -> None:
    with pytest.raises(ArgumentError) as caught:
        check(PARAMETERS, {"target": "x", "\x1b[31m" + "a" * 500: 1})
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 200


_SCALAR = st.none() | st.booleans() | st.integers(-5, 200) | st.floats() | st.text(max_size=8)
_JSON = _SCALAR | st.lists(_SCALAR, max_size=2)
_NAMES = st.sampled_from([*(p.name for p in PARAMETERS), "brightnes", "x"])


@given(st.dictionaries(_NAMES, _JSON, max_size=6))
def test_whatever_comes_is_checked_or_refused(arguments: dict[str, Any]) -> None:
    try:
        checked = check(PARAMETERS, arguments)
    except ArgumentError:
        return
    assert isinstance(checked["target"], str)
    assert checked.keys() <= {p.name for p in PARAMETERS}
    assert all(arguments[name] is not None for name in checked)
    if "brightness" in checked:
        assert type(checked["brightness"]) is int
        assert 0 <= checked["brightness"] <= 100
    assert checked.get("mode") in {None, "Heat", "Cool"}
    assert checked.get("fast") in {None, True, False}
