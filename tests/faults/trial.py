"""One trial: a run of the driver, and the audit of what it left behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.faults.audit import Evidence, Verdict, audit
from tests.faults.driver import Driver, Happened, Plan
from tests.faults.journal import read_journal
from tests.faults.records import read_actuations, write_told


def run(plan: Plan, folder: Path) -> tuple[Verdict, Happened]:
    """Run `plan` with its files in `folder`, and judge it."""
    driver = Driver(plan, folder)
    happened = asyncio.run(driver.run())
    world = driver.world
    write_told(folder / "told.jsonl", world.service.asked, world.service.notes)
    evidence = Evidence(
        asked=world.service.asked,
        notes=world.service.notes,
        actuations=read_actuations(world.actuations),
        journal=read_journal(world.journal),
        strange=world.service.strange,
    )
    return audit(evidence), happened
