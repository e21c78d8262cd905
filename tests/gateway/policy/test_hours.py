from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.hours import DAYS, Hours, parse

pytestmark = pytest.mark.unit

# A Thursday.
MIDNIGHT = datetime(2026, 1, 1)  # noqa: DTZ001 -- local time, wherever that is

minutes = st.integers(0, 24 * 60 - 1)
moments = st.integers(0, 14 * 24 * 60 - 1).map(lambda m: MIDNIGHT + timedelta(minutes=m))


def at(hour: int, minute: int = 0, *, day: int = 0) -> datetime:
    return MIDNIGHT + timedelta(days=day, hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("span", "within", "without"),
    [
        ("08:00-12:30", [at(8), at(12, 29)], [at(7, 59), at(12, 30), at(0)]),
        ("22:00-07:00", [at(22), at(23, 59), at(0), at(6, 59)], [at(7), at(21, 59), at(12)]),
        ("18:00-24:00", [at(18), at(23, 59)], [at(0), at(17, 59)]),
        ("00:00-24:00", [at(0), at(23, 59)], []),
    ],
)
def test_the_end_is_not_within(span: str, within: list[datetime], without: list[datetime]) -> None:
    hours = parse(span)
    assert hours is not None
    assert all(map(hours.hold, within))
    assert not any(map(hours.hold, without))


def test_a_night_belongs_to_the_day_on_which_it_begins() -> None:
    saturday_night = parse("22:00-07:00", ["sat"])
    assert saturday_night is not None
    assert saturday_night.hold(at(23, day=2))
    assert saturday_night.hold(at(6, day=3))
    assert not saturday_night.hold(at(6, day=2))
    assert not saturday_night.hold(at(23, day=3))


def test_days_alone_are_whole_days() -> None:
    weekend = parse("", ["sat", "sun"])
    assert weekend is not None
    assert [weekend.hold(at(12, day=day)) for day in range(7)] == [
        *(False, False, True, True, False, False, False)
    ]
    assert parse("") is None


@given(minutes, minutes.filter(bool), moments)
def test_what_is_turned_round_is_the_rest_of_the_day(
    start: int, length: int, now: datetime
) -> None:
    end = (start + length) % (24 * 60)
    assert Hours(start, end).hold(now) is not Hours(end, start).hold(now)


@given(minutes, minutes, moments)
def test_each_hour_belongs_to_exactly_one_day(start: int, end: int, now: datetime) -> None:
    whole = Hours(start, end)
    single = [Hours(start, end, frozenset({day})).hold(now) for day in range(7)]
    assert sum(single) == whole.hold(now)


@given(minutes, minutes, st.sets(st.sampled_from(DAYS)))
def test_what_is_written_is_read(start: int, end: int, days: set[str]) -> None:
    span = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
    assert parse(span, days) == Hours(start, end, frozenset(map(DAYS.index, days)))


@pytest.mark.parametrize("span", ["noon", "22-7-3", "a:b-c:d"])
def test_nonsense_is_refused(span: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        parse(span)
