"""Old entries go: by age, and the oldest first when the file is too large.

In a thread, on a connection of its own, in transactions so short that the writer hardly
waits. It never locks the file as a whole and never begins one.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from gateway.clock import Clock
from gateway.config import JournalConfig
from gateway.errors import JournalError
from gateway.journal.safety import copy_log

log = logging.getLogger(__name__)

DAY_S = 86_400.0
# What is left of `max_mb` after the oldest went, so that this is not done every day anew.
KEPT_SHARE = 0.8
# About one millisecond of the file's lock, then leave for the writer.
BATCH_ROWS = 100
FREED_PAGES = 64
PAUSE_S = 0.02
# The write-ahead file is folded in after so many steps, so that it stays small.
STEPS_TO_COPY = 20
_BUSY_S = 5.0
_MB_BYTES = 1_000_000

# Each is in the order of time when it is in the order of its ids.
_TABLES = ("calls", "commands", "evidence", "events")
_ENDS = [
    f"SELECT max(at) FROM (SELECT at FROM {table} ORDER BY id LIMIT {BATCH_ROWS})"  # noqa: S608 -- as below
    for table in _TABLES
]
_DELETIONS = [
    f"DELETE FROM {table} WHERE at <= ? AND id IN "  # noqa: S608 -- no word comes from outside
    f"(SELECT id FROM {table} ORDER BY id LIMIT {BATCH_ROWS})"
    for table in _TABLES
]
_FORGET_RUNS = """
    DELETE FROM runs WHERE ended_at IS NOT NULL
    AND id NOT IN (SELECT run FROM calls)
    AND id NOT IN (SELECT run FROM commands)
    AND id NOT IN (SELECT run FROM events)
"""


@dataclass(frozen=True, slots=True)
class Tidied:
    """What went: rows of all tables, and bytes that the file became shorter by."""

    rows: int
    bytes: int


async def keep_tidy(
    path: Path, settings: JournalConfig, clock: Clock, opened: Callable[[], Awaitable[None]]
) -> None:
    """Tidy now and once a day, for ever. Cancelling ends it within one short transaction.

    `opened` returns when the file is there to be tidied, or raises JournalError, of which
    somebody else speaks.
    """
    stop = Event()
    try:
        while True:
            with suppress(JournalError):
                await opened()
                await asyncio.to_thread(_tidy_or_say, path, settings, clock, stop)
            await asyncio.sleep(DAY_S)
    finally:
        stop.set()


def _tidy_or_say(path: Path, settings: JournalConfig, clock: Clock, stop: Event) -> None:
    try:
        tidied = tidy(path, settings, clock.wall().timestamp(), stop)
    except JournalError as error:
        log.warning("%s", error)
    else:
        if tidied.rows:
            log.info("%d old entries of the journal went", tidied.rows)


def tidy(path: Path, settings: JournalConfig, now: float, stop: Event | None = None) -> Tidied:
    """Delete what is older than `keep_days` at `now`, then what `max_mb` has no room for.

    Blocks for as long as it takes; `stop` ends it early, and the next time goes on. Raises
    JournalError when the file is not there or cannot be written.
    """
    with _open(path) as db:
        return _Tidying(path, db, stop or Event()).run(settings, now)


class _Tidying:
    """One pass over an open journal."""

    def __init__(self, path: Path, db: sqlite3.Connection, stop: Event) -> None:
        self._path = path
        self._db = db
        self._stop = stop
        self._steps = 0

    def run(self, settings: JournalConfig, now: float) -> Tidied:
        before = self._pages()
        rows = self._by_age(now - settings.keep_days * DAY_S)
        rows += self._by_size(settings.max_mb * _MB_BYTES)
        if rows:
            self._forget_runs()
            self._shrink()
            copy_log(self._path)
        return Tidied(rows, (before - self._pages()) * self._number("page_size"))

    def _by_age(self, oldest: float) -> int:
        rows = 0
        while not self._stop.is_set():
            until = self._batch_end()
            gone = 0 if until is None else self._delete(min(until, oldest))
            if not gone:
                break
            rows += gone
        return rows

    def _by_size(self, most_bytes: int) -> int:
        rows = 0
        if self._used_bytes() <= most_bytes:
            return rows
        while not self._stop.is_set() and self._used_bytes() > most_bytes * KEPT_SHARE:
            until = self._batch_end()
            if until is None:
                break
            rows += self._delete(until)
        return rows

    def _batch_end(self) -> float | None:
        """The time up to which no table loses more than a batch; None when all are empty."""
        ends = (self._db.execute(query).fetchone()[0] for query in _ENDS)
        return min((end for end in ends if end is not None), default=None)

    def _delete(self, until: float) -> int:
        """Delete the oldest rows up to a time, at most a batch of each table."""
        rows = 0
        with self._step():
            for deletion in _DELETIONS:
                rows += self._db.execute(deletion, (until,)).rowcount
        return rows

    def _forget_runs(self) -> None:
        """Forget ended runs of which nothing is left."""
        with self._step():
            self._db.execute(_FORGET_RUNS)

    def _shrink(self) -> None:
        """Give free pages back to the disk."""
        while self._number("freelist_count") and not self._stop.is_set():
            before = self._pages()
            # `execute` would free a single page: it stops where a statement could give a row.
            self._db.executescript(f"PRAGMA incremental_vacuum({FREED_PAGES})")
            self._rest()
            if self._pages() == before:
                break

    @contextmanager
    def _step(self) -> Iterator[None]:
        """One short transaction."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        self._rest()

    def _rest(self) -> None:
        """Leave the file to the writer for a moment."""
        self._steps += 1
        if self._steps % STEPS_TO_COPY == 0:
            copy_log(self._path)
        self._stop.wait(PAUSE_S)

    def _used_bytes(self) -> int:
        """What the rows take; free pages are used again before the file grows."""
        return (self._pages() - self._number("freelist_count")) * self._number("page_size")

    def _pages(self) -> int:
        return self._number("page_count")

    def _number(self, pragma: str) -> int:
        return int(self._db.execute(f"PRAGMA {pragma}").fetchone()[0])


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_S, isolation_level=None)
        with closing(connection) as db:
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA wal_autocheckpoint = 0")
            yield db
    except sqlite3.Error as error:
        raise JournalError(f"old entries of the journal at {path} stay: {error}") from None
