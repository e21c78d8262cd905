"""The gateway's journal as an auditor reads it: with sqlite3 alone, and never a write."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FINAL = frozenset(
    {"succeeded", "failed", "rejected", "expired", "superseded", "timed_out", "unknown"}
)


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call; `status` is None while unanswered, `later_status` while nothing more is known.

    `messages` are the sentences that go with the two, and since when each was known.
    """

    run: int
    epoch: int
    call_id: str
    tool: str
    status: str | None
    later_status: str | None
    messages: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command, written before it was sent."""

    id: str
    run: int
    call_id: str
    device: str
    command: str
    args: Mapping[str, Any]
    state: str


@dataclass(frozen=True, slots=True)
class JournalRows:
    """All calls and commands on record; `last_run` is the number of the newest start."""

    calls: Sequence[CallRow]
    commands: Sequence[CommandRow]
    last_run: int = 0


def read_journal(path: Path) -> JournalRows:
    """Everything. Raises sqlite3.Error when it cannot be read."""
    if not path.exists():
        return JournalRows([], [])
    with _opened(path) as database:
        calls = database.execute(
            "SELECT run, epoch, call_id, tool, status, later_status,"
            " message, answered_at, later_message, later_at FROM calls"
        )
        commands = database.execute(
            "SELECT id, run, call_id, device, command, args, state FROM commands"
        )
        return JournalRows(
            [CallRow(*row[:6], [told for told in (row[6:8], row[8:]) if told[0]]) for row in calls],
            [CommandRow(*row[:5], json.loads(row[5]), row[6]) for row in commands],
            newest_run(path),
        )


def newest_run(path: Path) -> int:
    """The number of the newest start, 0 when there is none yet."""
    with _opened(path) as database:
        (number,) = database.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()
        return int(number)


def unresolved(path: Path, last_run: int) -> int:
    """How many commands of starts up to `last_run` nobody has resolved yet.

    `timed_out` counts as open here: recovery asks the device about it too.
    """
    with _opened(path) as database:
        (number,) = database.execute(
            "SELECT count(*) FROM commands WHERE run <= ?"
            " AND state IN ('sent', 'accepted', 'in_progress', 'timed_out')",
            (last_run,),
        ).fetchone()
        return int(number)


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as database:
        yield database
