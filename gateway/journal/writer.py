"""Writes rows in transactions, on the loop: microseconds, since no disk is waited for.

It does not know what a row means and keeps none that could not be written.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from importlib import metadata
from pathlib import Path

from gateway.errors import JournalError
from gateway.journal import process
from gateway.journal.file import open_file
from gateway.journal.rows import Row

log = logging.getLogger(__name__)

_GONE = "the journal %s was removed or replaced while in use: a new one begins"


class BusyError(JournalError):
    """Another program is writing; it will be done in milliseconds."""


class Writer:
    """The journal's one writing connection. `run` is this process's row, 0 until it has one."""

    def __init__(self, path: Path, client_id: str) -> None:
        self._path = path
        self._client_id = client_id
        self._db: sqlite3.Connection | None = None
        self._file: os.stat_result | None = None
        self.run = 0

    @property
    def is_open(self) -> bool:
        """Whether rows can be written, to the file that is at the path now.

        One that was removed or replaced still takes rows, and nobody ever finds them.
        """
        if self._db is None or self._file is None:
            return False
        try:
            return os.path.samestat(self._file, os.stat(self._path))  # noqa: PTH116 -- twice as fast
        except OSError:
            return False

    def open(self, now: datetime) -> None:
        """Open the file and note that this process runs. May be done in another thread.

        Raises JournalError.
        """
        if self._db is not None:
            log.error(_GONE, self._path)
            self._db.close()
            self._db = None
        db = open_file(self._path, now)
        try:
            self.run = self._begin(db, now)
            self._file = self._path.stat()
        except (sqlite3.Error, OSError) as error:
            db.close()
            raise JournalError(str(error)) from None
        self._db = db

    def write(self, rows: Sequence[Row]) -> None:
        """All of `rows`, or none. Raises JournalError, or BusyError when it will work soon."""
        db = self._db
        if db is None:
            raise JournalError("it is not open")
        try:
            if len(rows) == 1:
                # A statement alone is its own transaction, in half the time.
                db.execute(*rows[0])
            else:
                _together(db, rows)
        except sqlite3.Error as error:
            raise self._gave_up(db, error) from None

    def close(self, now: datetime | None) -> None:
        """Let go of the file; with `now`, note that this process ended well."""
        db, self._db = self._db, None
        if db is None:
            return
        try:
            if now is not None:
                end = (now.timestamp(), self.run)
                db.execute("PRAGMA busy_timeout = 500")
                db.execute("UPDATE runs SET ended_at = ? WHERE id = ?", end)
        except sqlite3.Error as error:
            raise JournalError(str(error)) from None
        finally:
            db.close()

    def _begin(self, db: sqlite3.Connection, now: datetime) -> int:
        values = (self.run or None, process.own_mark(), self._client_id)
        # After an outage this process may have its row already.
        db.execute(
            "INSERT OR IGNORE INTO runs (id, process, client_id, version, started_at)"
            " VALUES (?, ?, ?, ?, ?)",
            (*values, _version(), now.timestamp()),
        )
        return self.run or int(db.execute("SELECT last_insert_rowid()").fetchone()[0])

    def _gave_up(self, db: sqlite3.Connection, error: sqlite3.Error) -> JournalError:
        """Take back what was begun. What cannot be trusted any more is opened anew later."""
        with suppress(sqlite3.Error):
            if db.in_transaction:
                db.execute("ROLLBACK")
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
            return BusyError(str(error))
        if not isinstance(error, sqlite3.OperationalError):
            db.close()
            self._db = None
        return JournalError(str(error))


def _together(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement, values in rows:
        db.execute(statement, values)
    db.execute("COMMIT")


def _version() -> str:
    """Ours; "" where the source runs without being installed."""
    try:
        return metadata.version("honest-gateway")
    except metadata.PackageNotFoundError:
        return ""
