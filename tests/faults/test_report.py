from __future__ import annotations

import json

import pytest

from tests.faults.audit import Evidence, audit
from tests.faults.driver import Happened
from tests.faults.journal import JournalRows
from tests.faults.recoveries import Recoveries
from tests.faults.report import as_json, as_table
from tests.faults.test_audit import GOOD, UNANSWERED

pytestmark = pytest.mark.unit

HAPPENED = Happened(Recoveries({"session back": [0.5, 1.5]}), {"session cut": 2}, 12.0, 0)


def test_the_table_says_what_was_promised_and_how_long_it_took() -> None:
    table = as_table(audit(GOOD), HAPPENED)
    assert "| answers lost | 0 |" in table
    assert "| session back (p50 / p99 of 2) | 0.50 s / 1.50 s |" in table
    assert "| incidents | session cut 2 |" in table
    assert all(line.startswith("|") for line in table.splitlines())


def test_what_was_broken_stands_below_the_table() -> None:
    assert as_table(audit(UNANSWERED), HAPPENED).splitlines()[-1].startswith("lost: call_1")


def test_more_than_can_be_read_is_counted() -> None:
    strange = [f"result {number}" for number in range(50)]
    verdict = audit(Evidence([], [], [], JournalRows([], []), strange))
    assert as_table(verdict, HAPPENED).endswith("and 30 more")


def test_json_holds_the_same_figures() -> None:
    told = json.loads(json.dumps(as_json(audit(UNANSWERED), HAPPENED)))
    assert (told["lost"], told["incidents"]) == (1, {"session cut": 2})
    assert told["recoveries_s"]["session back"] == {"p50": 0.5, "p99": 1.5}
