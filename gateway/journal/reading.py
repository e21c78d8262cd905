"""The journal's file opened to be read, and its rows as records.

It never makes or mends a file, and asks nothing by itself.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.errors import JournalError
from gateway.journal.migrations import VERSION, version_of
from gateway.journal.records import Action, Heard, Later, Sent

# How long a question waits while the file is locked as a whole, which it hardly ever is.
_BUSY_S = 2.0
_TABLES = frozenset({"runs", "calls", "commands", "evidence", "events"})

Key = tuple[int, int, str]
"""Which call: run, epoch, call id."""


def opened(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing. Raises JournalError, or what `explained` explains."""
    if not path.is_file():
        raise JournalError(f"there is no journal at {path} yet: `gateway run` begins it")
    try:
        return _connected(path, "mode=ro")
    except sqlite3.OperationalError:
        # Without leave to write beside a file that nobody has open, it is read as it lies.
        if path.with_name(f"{path.name}-wal").exists():
            raise
        return _connected(path, "mode=ro&immutable=1")


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=_BUSY_S,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA query_only = 1")
        _check(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises JournalError unless this is a journal, and one that this version can read."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if not tables >= _TABLES:
        raise JournalError(_foreign(path))
    if version_of(connection) > VERSION:
        raise JournalError(f"the journal at {path} is of a newer version: update the gateway")


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What SQLite says, as one sentence with a cure."""
    try:
        yield
    except (sqlite3.OperationalError, OSError) as error:
        raise JournalError(
            f"cannot read the journal at {path} ({error}): check who may read it and its folder"
        ) from None
    except sqlite3.DatabaseError:
        raise JournalError(_foreign(path)) from None


def _foreign(path: Path) -> str:
    return f"{path} is no journal of the gateway, or it is damaged: check journal.path"


# --- rows as records -------------------------------------------------------------------------


def key_of(row: sqlite3.Row) -> Key:
    """The call of a row of `calls` or `commands`."""
    return row["run"], row["epoch"], row["call_id"]


def action_of(row: sqlite3.Row, commands: Iterable[Sent]) -> Action:
    """A row of `calls`, with the `target` of its outcome."""
    later = row["later_at"]
    return Action(
        number=row["id"],
        run=row["run"],
        epoch=row["epoch"],
        call_id=row["call_id"],
        tool=row["tool"],
        arguments=object_in(row["arguments"]) or {},
        at=row["at"],
        status=row["status"] or "",
        message=row["message"] or "",
        target=row["target"] or "",
        elapsed_ms=row["elapsed_ms"],
        later=later and Later(later, row["later_status"] or "", row["later_message"] or ""),
        commands=tuple(commands),
    )


def sent_of(row: sqlite3.Row, evidence: Iterable[Heard]) -> Sent:
    """A row of `commands`. Arguments that nobody can read are as good as left out."""
    args = object_in(row["args"])
    return Sent(
        id=row["id"],
        device=row["device"],
        ecosystem=row["ecosystem"],
        command=row["command"],
        args=args or {},
        masked=bool(row["masked"]) or args is None,
        at=row["at"],
        attempts=row["attempts"],
        state=row["state"],
        ended_at=row["ended_at"],
        evidence=tuple(evidence),
    )


def heard_of(row: sqlite3.Row) -> Heard:
    """A row of `evidence`."""
    state = object_in(row["state"]) or {}
    return Heard(row["at"], row["status"], state, bool(row["late"]), bool(row["duplicate"]))


def object_in(text: str) -> dict[str, Any] | None:
    """A JSON object as it was written; None for anything else."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
