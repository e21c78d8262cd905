"""The journal's tables, and the way from each released version to the present one.

All steps are one transaction: a power cut leaves the version before or the present one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib import resources

from gateway.errors import JournalError

VERSION = 1


def migrate(db: sqlite3.Connection) -> None:
    """Bring `db` to VERSION. Raises JournalError when a newer program wrote it.

    `db` begins and ends transactions only when it is told to (`isolation_level` None).
    """
    if version_of(db) == VERSION:
        return
    # Two programs may start at once: the second one waits here and finds it done.
    db.execute("BEGIN IMMEDIATE")
    try:
        _to_version(db)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise


def version_of(db: sqlite3.Connection) -> int:
    """The version of the tables in `db`; 0 when there are none."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _to_version(db: sqlite3.Connection) -> None:
    found = version_of(db)
    if found > VERSION:
        raise JournalError(
            f"the journal was written by a newer version (schema {found}, this one knows "
            f"{VERSION}): install that version again, or set journal.path to another file"
        )
    for version in range(found + 1, VERSION + 1):
        for statement in _statements(version):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {version}")


def _statements(version: int) -> Iterator[str]:
    path = resources.files("gateway.journal").joinpath(f"schema_v{version}.sql")
    statement = ""
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
