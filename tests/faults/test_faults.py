"""A short run of `make faults`: everything breaks once or twice, and every promise is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.driver import Plan
from tests.faults.report import as_table
from tests.faults.schedule import Rates
from tests.faults.trial import run

pytestmark = [pytest.mark.flow, pytest.mark.timeout(90)]

PLAN = Plan(Rates(calls=320, broker_each=150, session_each=75, kill_each=160), settle_s=3.0)


def test_whatever_breaks_every_call_is_answered_and_done_once(tmp_path: Path) -> None:
    verdict, happened = run(PLAN, tmp_path)
    assert not verdict.violations, as_table(verdict, happened)
    assert verdict.calls >= PLAN.rates.calls
    assert verdict.statuses["confirmed"] > PLAN.rates.calls / 2
    assert happened.exit_code == 0
    assert {name.partition(" ")[0] for name in happened.incidents} == {
        "broker",
        "session",
        "gateway",
    }
