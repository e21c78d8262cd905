from __future__ import annotations

import math

import pytest

from tests.faults.recoveries import Recoveries, percentile

pytestmark = pytest.mark.unit


def test_a_time_runs_from_the_break_to_the_first_sign_of_life() -> None:
    recoveries = Recoveries()
    recoveries.broke("broker", 10.0)
    recoveries.works("broker", 11.5)
    recoveries.works("broker", 13.0)
    recoveries.works("session", 13.0)
    assert recoveries.took_s == {"broker": [1.5]}
    assert recoveries.waiting == {}


def test_percentiles() -> None:
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 50) == 50
    assert percentile(values, 99) == 99
    assert percentile([3.0], 99) == 3.0
    assert math.isnan(percentile([], 50))
