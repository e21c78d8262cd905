from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from tests.faults.inventory import PLACES, Kind
from tests.faults.schedule import Incident, Rates, asks, incidents

pytestmark = pytest.mark.unit


def test_a_seed_decides_everything() -> None:
    assert list(asks(200, 1)) == list(asks(200, 1))
    assert list(asks(200, 1)) != list(asks(200, 2))
    assert incidents(Rates(), 1) == incidents(Rates(), 1)


def test_things_break_as_often_as_they_should() -> None:
    found = incidents(Rates(20_000, 500, 300, 2_000), 3)
    assert all(1 <= number < 20_000 for number in found)
    counts = Counter(incident for several in found.values() for incident in several)
    assert counts[Incident.GATEWAY_KILLED] == 10
    assert sum(n for i, n in counts.items() if i.name.startswith("SESSION")) == 66
    assert sum(n for i, n in counts.items() if i.name.startswith("BROKER")) == 40
    assert set(counts) == set(Incident)


def test_nothing_breaks_where_nothing_should() -> None:
    assert incidents(Rates(1000, 0, 0, 0), 1) == {}


def test_an_actuation_of_a_light_or_a_brewer_tells_for_which_call_it_was() -> None:
    told = [
        (ask.tool, tuple(ask.args.items()))
        for ask in asks(5000, 1)
        if ask.place.kind in {Kind.LAMP, Kind.BREWER} and ask.args
    ]
    assert len(told) == len(set(told)) > 2000


def test_two_calls_in_a_row_for_one_device_are_never_alike() -> None:
    """A note names the tool and the device: the next call must not be taken for it."""
    last: defaultdict[str, tuple[object, ...]] = defaultdict(tuple)
    for ask in asks(5000, 1):
        now = (ask.tool, *ask.args.values())
        assert now != last[ask.place.device_id]
        last[ask.place.device_id] = now
    assert len(last) == len(PLACES)
