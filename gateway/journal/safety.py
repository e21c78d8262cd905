"""Makes what was committed survive a power cut, in a thread of its own.

Without it a commit is safe from the end of the process only. It writes no row of the journal.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from gateway.errors import JournalError
from gateway.journal.file import wal_of

log = logging.getLogger(__name__)

# As much as a power cut may lose, unless every command waits for the disk.
SYNC_EVERY_S = 0.1
# The log is copied into the file itself after about a thousand pages.
CHECKPOINT_AFTER_WRITES = 300
_BUSY_S = 0.05
# Writes the file's first page, and says what was said before: "GWJ1", which marks a journal.
_TOUCH = "PRAGMA application_id = 1196903985"


class Safety:
    """Brings the write-ahead log of the journal at `path` to the disk.

    `worker` has one thread. `wrote` is to be called after each commit, `safe` by who must
    not go on before that commit is on the disk.
    """

    def __init__(self, path: Path, worker: ThreadPoolExecutor) -> None:
        self._path = path
        self._worker = worker
        self._refused = False
        self._wal: int | None = None
        self._written = 0
        self._safe = 0
        self._copied = 0
        self._timer: asyncio.TimerHandle | None = None
        self._running: asyncio.Future[None] | None = None

    def wrote(self) -> None:
        """Something was committed: it is safe after SYNC_EVERY_S."""
        self._written += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_EVERY_S, self._due)

    async def safe(self) -> None:
        """Return when all that was committed before this call is on the disk.

        All who wait meanwhile share one write. Raises JournalError when the disk refuses.
        """
        wanted = self._written
        while self._safe < wanted:
            # Cancelling one who waits must not take the disk away from the others.
            await asyncio.shield(self._running or self._start())

    async def close(self) -> None:
        """Make all of it safe, as far as the disk takes it, and let go of the file."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self.safe()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Find the file anew the next time. Not to be called while the thread is at work."""
        if self._wal is not None:
            os.close(self._wal)
            self._wal = None

    def _due(self) -> None:
        self._timer = None
        if self._running is None:
            self._start()
        elif self._safe < self._written:
            self._timer = asyncio.get_running_loop().call_later(SYNC_EVERY_S, self._due)

    def _start(self) -> asyncio.Future[None]:
        upto = self._written
        copy = upto - self._copied >= CHECKPOINT_AFTER_WRITES
        if copy:
            self._copied = upto
        running = asyncio.get_running_loop().run_in_executor(self._worker, self._sync, copy)
        running.add_done_callback(lambda done: self._ended(done, upto))
        self._running = running
        return running

    def _ended(self, done: asyncio.Future[None], upto: int) -> None:
        self._running = None
        error = done.exception()
        if error is None:
            self._safe = upto
        elif not self._refused:
            log.warning("a power cut may lose the end of the journal: %s", error)
        self._refused = error is not None

    # --- in the thread -------------------------------------------------------------------

    def _sync(self, copy: bool) -> None:
        try:
            os.fdatasync(self._present_wal())
        except OSError as error:
            raise JournalError(error.strerror or str(error)) from None
        if copy:
            copy_log(self._path)

    def _present_wal(self) -> int:
        """The log that is written now: another one, when the file was begun anew."""
        wal = wal_of(self._path)
        if self._wal is not None and not os.path.samestat(os.fstat(self._wal), wal.stat()):
            os.close(self._wal)
            self._wal = None
        if self._wal is None:
            self._wal = os.open(wal, os.O_RDONLY)
            _sync_folder(self._path.parent)
        return self._wal


def _sync_folder(folder: Path) -> None:
    """A new file is safe only when its name is."""
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def copy_log(path: Path) -> None:
    """Copy the log into the file, and begin the log anew where nobody reads its end.

    Who first writes after a complete copy waits for the disk: better this thread than the
    loop, so it writes something that changes nothing.
    """
    try:
        with closing(sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)) as db:
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")
            db.execute(_TOUCH)
    except sqlite3.Error:
        # A disk that is full, or another program at work: the next time is soon enough.
        return
