"""A verdict as a table for people, or as one JSON object for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from tests.faults.audit import Verdict
from tests.faults.driver import Happened
from tests.faults.recoveries import percentile

MAX_SHOWN = 20


def as_table(verdict: Verdict, happened: Happened) -> str:
    """A Markdown table, and the first violations below it."""
    lines = ["| what | figure |", "|---|---|"]
    lines += [f"| {what} | {figure} |" for what, figure in _rows(verdict, happened)]
    shown = verdict.violations[:MAX_SHOWN]
    lines += ["", *shown] if shown else []
    more = len(verdict.violations) - len(shown)
    return "\n".join([*lines, f"and {more} more"] if more else lines)


def as_json(verdict: Verdict, happened: Happened) -> dict[str, Any]:
    """Everything, times in seconds."""
    took = happened.recoveries.took_s
    return {
        **dataclasses.asdict(verdict),
        "incidents": {str(name): count for name, count in happened.incidents.items()},
        "recoveries_s": {
            name: {"p50": percentile(took[name], 50), "p99": percentile(took[name], 99)}
            for name in took
        },
        "took_s": happened.took_s,
    }


def _rows(verdict: Verdict, happened: Happened) -> Iterator[tuple[str, str]]:
    yield "calls", f"{verdict.calls:,} in {happened.took_s:.0f} s"
    yield "answers lost", str(verdict.lost)
    yield "double actuations", str(verdict.doubles)
    yield "false confirmations", str(verdict.false_confirmed)
    yield "told “not done”, and done", str(verdict.false_refusals)
    yield "unknown at the end", str(verdict.unknown)
    yield "commands of killed processes without an end", str(verdict.unresolved)
    yield "answered by a note in a later session", str(verdict.told_by_note)
    yield "never read: on their way when a session or the gateway died", str(verdict.never_read)
    yield "last words", ", ".join(f"{n} {count:,}" for n, count in verdict.statuses.items())
    broken = ", ".join(f"{name} {count}" for name, count in sorted(happened.incidents.items()))
    yield "incidents", broken or "none"
    for name, took_s in happened.recoveries.took_s.items():
        figures = f"{percentile(took_s, 50):.2f} s / {percentile(took_s, 99):.2f} s"
        yield f"{name} (p50 / p99 of {len(took_s)})", figures
