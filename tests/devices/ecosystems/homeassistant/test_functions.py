from __future__ import annotations

from datetime import UTC, datetime

import pytest
from jinja2 import Undefined

from devices.ecosystems.homeassistant import functions
from devices.ecosystems.homeassistant.functions import FILTERS, BoundError

pytestmark = pytest.mark.unit


def test_numbers_fail_or_take_the_default() -> None:
    assert functions.as_float("1.5") == 1.5
    assert functions.as_float("x", 0) == 0
    assert functions.as_int("7.9") == 7
    with pytest.raises(ValueError, match="could not convert"):
        functions.as_float("x")


def test_rounding_as_home_assistant_does_it() -> None:
    assert functions.rounded("2.345", 1) == 2.3
    assert functions.rounded(2.1, 0, "ceil") == 3
    assert functions.rounded(2.9, 0, "floor") == 2
    assert functions.rounded(2.3, 0, "half") == 2.5


def test_truth_in_words() -> None:
    assert functions.as_bool("on") is True
    assert functions.as_bool("disable") is False
    assert functions.as_bool("perhaps", None) is None
    assert [functions.iif(v, "y", "n", "?") for v in (1, 0, None)] == ["y", "n", "?"]


def test_what_is_not_there() -> None:
    with pytest.raises(BoundError):
        functions.is_defined(Undefined())
    assert FILTERS["default"](Undefined(), "d") == "d"
    assert FILTERS["default"]("", "d", True) == "d"


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a|b)*c", "a" * 100, r"(a)\1", "(?=a)", "a*b*c*d", "(x){99}"]
)
def test_patterns_that_could_take_for_ever(pattern: str) -> None:
    with pytest.raises(BoundError):
        functions.regex_search("a" * 100, pattern)


def test_ordinary_patterns() -> None:
    assert functions.regex_match("Speed 3", r"speed (\d)", True)
    assert functions.regex_search("level=40%", r"\d+")
    assert functions.regex_replace("a-b", "-", "_") == "a_b"
    assert functions.regex_findall_index("a1b2", r"\d", 1) == "2"


def test_what_would_grow_is_refused() -> None:
    for grow in (
        lambda: functions.joined(["a"] * 100, "b" * 16_000),
        lambda: functions.replaced("a" * 10_000, "a", "bbbb"),
        lambda: functions.replaced("a", "", "b"),
        lambda: functions.formatted("%99999d", 1),
        lambda: functions.formatted("%*d", (99999, 1)),
        lambda: functions.strftime(datetime(2026, 1, 1, tzinfo=UTC), "%99999d"),
        lambda: functions.limited_range(10**9),
        lambda: functions.bounded(2**70),
        lambda: functions.regex_search("a" * 2000, "a"),
        lambda: functions.regex_replace("a", "a", "b" * 100),
    ):
        with pytest.raises(BoundError):
            grow()


def test_how_much_a_value_holds_counts_each_time_it_occurs() -> None:
    inner = ["x"] * 10
    assert functions.weight([inner, inner]) == 1 + 2 * (1 + 10 * 2)
    for _ in range(20):
        inner = [inner, inner]
    with pytest.raises(BoundError):
        functions.weight(inner)


def test_json_both_ways() -> None:
    assert functions.from_json('{"a": [1]}') == {"a": [1]}
    assert functions.from_json("no", "d") == "d"
    assert functions.to_json({"ä": 1}) == '{"ä": 1}'
    with pytest.raises(BoundError):
        functions.from_json("[" * 200 + "]" * 200)


def test_texts() -> None:
    assert functions.truncated("one two three", 9) == "one..."
    assert functions.truncated("short") == "short"
    assert FILTERS["slugify"]("Living Room!") == "living_room"
    assert FILTERS["format"]("%.1f W", 2.345) == "2.3 W"
    assert FILTERS["sum"]([1, "2"]) == 3
    assert functions.is_number("1e3")
    assert not functions.is_number("nan")
