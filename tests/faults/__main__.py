"""Thousands of calls while everything breaks, then the audit: `python -m tests.faults`.

Exit code 0 when every promise was kept, else 1.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults.driver import Plan
from tests.faults.report import as_json, as_table
from tests.faults.schedule import Rates
from tests.faults.trial import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as asked, print, and say whether all is well."""
    options = _parser().parse_args(arguments)
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    plan = _plan(options)
    try:
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
            verdict, happened = run(plan, options.keep.resolve())
        else:
            with tempfile.TemporaryDirectory(prefix="faults-") as folder:
                verdict, happened = run(plan, Path(folder))
    except pytest.skip.Exception as missing:
        raise SystemExit(str(missing)) from None
    if options.json:
        print(json.dumps(as_json(verdict, happened)))
    else:
        print(as_table(verdict, happened))
    return 1 if verdict.violations else 0


def _plan(options: argparse.Namespace) -> Plan:
    rates = Rates(options.calls, options.broker_each, options.session_each, options.kill_each)
    plan = Plan(rates, options.seed, options.at_once)
    acks = dataclasses.replace(
        plan.acks, drop=options.lost, duplicate=options.twice, garble=options.garbage
    )
    return dataclasses.replace(plan, acks=acks)


def _parser() -> argparse.ArgumentParser:
    plan = Plan()
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--calls", type=int, default=plan.rates.calls, help="how many")
    add("--seed", type=int, default=plan.seed, help="the same seed is the same schedule")
    add("--at-once", type=int, default=plan.at_once, help="calls in flight")
    add("--lost", type=float, default=plan.acks.drop, help="share of lost acknowledgements")
    add("--twice", type=float, default=plan.acks.duplicate, help="share that comes twice")
    add("--garbage", type=float, default=plan.acks.garble, help="share that comes as garbage")
    add("--broker-each", type=int, default=plan.rates.broker_each, help="calls, 0 for never")
    add("--session-each", type=int, default=plan.rates.session_each, help="calls, 0 for never")
    add("--kill-each", type=int, default=plan.rates.kill_each, help="calls, 0 for never")
    add("--keep", type=Path, help="keep logs, journal and device log in this folder")
    add("--json", action="store_true", help="one JSON object instead of a table")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
