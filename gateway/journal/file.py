"""Opens the journal's file: made where it is missing, checked, brought to the present schema.

A damaged file is moved aside and a fresh one begun; nothing is ever deleted here.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from datetime import datetime
from pathlib import Path

from gateway.errors import JournalError
from gateway.journal.migrations import migrate

log = logging.getLogger(__name__)

# Opening happens in a thread of its own and may wait for another program that is opening.
_OPEN_WITHIN_S = 5.0
_PRAGMAS = (
    # A commit is in the hands of the system at once; `safety` brings it to the disk.
    "PRAGMA synchronous = NORMAL",
    "PRAGMA wal_autocheckpoint = 0",
    "PRAGMA journal_size_limit = 8000000",
    "PRAGMA cache_size = -512",
    "PRAGMA temp_store = MEMORY",
)


def open_file(path: Path, now: datetime) -> sqlite3.Connection:
    """A connection to the journal at `path`; may be used in another thread than this one.

    It never waits for another program's transaction: sqlite3.OperationalError says that it
    is busy. Raises JournalError with the reason when the file cannot be opened or written.
    """
    try:
        return _opened(path)
    except sqlite3.DatabaseError as error:
        if not _is_damage(error):
            raise JournalError(str(error)) from None
    except OSError as error:
        raise JournalError(error.strerror or str(error)) from None
    try:
        _move_aside(path, now)
        return _opened(path)
    except (sqlite3.Error, OSError) as error:
        raise JournalError(f"it is damaged, and a new one cannot be begun: {error}") from None


def wal_of(path: Path) -> Path:
    """Where SQLite keeps what was committed and is not in the file itself yet."""
    return path.with_name(f"{path.name}-wal")


def _opened(path: Path) -> sqlite3.Connection:
    _make(path)
    db = sqlite3.connect(
        path, timeout=_OPEN_WITHIN_S, isolation_level=None, check_same_thread=False
    )
    try:
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _make(path: Path) -> None:
    """An empty file that only we may read: it tells when somebody is at home."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))


def _prepare(db: sqlite3.Connection) -> None:
    # Only a file that holds nothing yet can be told: `retention` gives its free pages back, and
    # rows are so small that larger pages treble what is written for each.
    db.execute("PRAGMA auto_vacuum = INCREMENTAL")
    db.execute("PRAGMA page_size = 1024")
    (mode,) = db.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise JournalError("its file system cannot hold a write-ahead log")
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError("database disk image is malformed")
    for pragma in _PRAGMAS:
        db.execute(pragma)
    migrate(db)
    db.execute("PRAGMA busy_timeout = 0")


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the content is broken; a disk that is full or read-only is another matter."""
    return type(error) is sqlite3.DatabaseError


def _move_aside(path: Path, now: datetime) -> None:
    """Rename the file and its companions, so that somebody can still look into them."""
    mark = f"damaged-{now:%Y%m%dT%H%M%SZ}"
    log.error("the journal %s is damaged: it is kept as %s.%s, a new one begins", path, path, mark)
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(path.with_name(f"{path.name}.{mark}{suffix}"))
