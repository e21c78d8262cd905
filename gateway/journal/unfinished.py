"""What earlier runs left open: read once, at the start, for who can find out.

It only reads; whoever settles something tells the journal.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import JournalError
from gateway.journal import process
from gateway.journal.records import Heard, Sent

# More is only left by a journal that nobody ever settled; the newest come first.
MAX_CALLS = 2_000
_BUSY_S = 5.0
_Key = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Left:
    """A call of an earlier `run` that has commands nobody knows the end of, or no answer.

    `status` is the answer's, "" when there was none; `is_told`: more was told after the
    answer. `same_boot`: the machine has run without a break since. `commands` are all of the
    call's, each with its last word as the one evidence.
    """

    run: int
    epoch: int
    call_id: str
    tool: str
    target: str
    at: float
    status: str
    is_told: bool
    same_boot: bool
    commands: tuple[Sent, ...]


def left_by_others(path: Path, run: int) -> list[Left]:
    """What runs other than `run` left open, newest first; what still runs left nothing.

    Blocks while it reads. Raises JournalError.
    """
    try:
        with closing(_opened(path)) as db:
            return _read(db, run)
    except sqlite3.Error as error:
        raise JournalError(f"the journal {path} cannot be read: {error}") from None


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY_S)
    db.row_factory = sqlite3.Row
    return db


def _read(db: sqlite3.Connection, run: int) -> list[Left]:
    marks = {
        int(row["id"]): str(row["process"])
        for row in db.execute("SELECT id, process, ended_at FROM runs WHERE id != ?", (run,))
        if row["ended_at"] is not None or not process.lives(row["process"])
    }
    keys = [key for key in _open_keys(db) if key[0] in marks][:MAX_CALLS]
    commands = _commands(db, keys)
    same = {number: process.same_boot(mark) for number, mark in marks.items()}
    return [_left(db, key, commands[key], same_boot=same[key[0]]) for key in keys]


def _open_keys(db: sqlite3.Connection) -> Iterable[_Key]:
    found = db.execute(
        "SELECT run, epoch, call_id, at FROM calls WHERE answered_at IS NULL AND later_at IS NULL"
        " UNION ALL SELECT run, epoch, call_id, at FROM commands"
        " WHERE state IN ('sent', 'accepted', 'in_progress', 'timed_out') ORDER BY at DESC"
    )
    return list(dict.fromkeys((row["run"], row["epoch"], row["call_id"]) for row in found))


def _commands(db: sqlite3.Connection, keys: Iterable[_Key]) -> dict[_Key, list[Sent]]:
    """All commands of these calls, in one walk: the journal has no index for this question."""
    db.execute("CREATE TEMP TABLE wanted (run, epoch, call_id, PRIMARY KEY (run, epoch, call_id))")
    db.executemany("INSERT OR IGNORE INTO wanted VALUES (?, ?, ?)", keys)
    found: dict[_Key, list[Sent]] = defaultdict(list)
    for row in db.execute(
        "SELECT commands.* FROM commands JOIN wanted USING (run, epoch, call_id)"
    ):
        found[row["run"], row["epoch"], row["call_id"]].append(_sent(db, row))
    return found


def _sent(db: sqlite3.Connection, row: sqlite3.Row) -> Sent:
    args = _object(row["args"])
    said = db.execute(
        "SELECT at, status, state, late FROM evidence WHERE command = ? AND duplicate = 0"
        " ORDER BY id DESC LIMIT 1",
        (row["id"],),
    ).fetchall()
    return Sent(
        id=row["id"],
        device=row["device"],
        ecosystem=row["ecosystem"],
        command=row["command"],
        args=args or {},
        # Arguments that nobody can read are as good as left out.
        masked=bool(row["masked"]) or args is None,
        at=row["at"],
        attempts=row["attempts"],
        state=row["state"],
        ended_at=row["ended_at"],
        evidence=tuple(
            Heard(s["at"], s["status"], _object(s["state"]) or {}, bool(s["late"]), duplicate=False)
            for s in said
        ),
    )


def _left(db: sqlite3.Connection, key: _Key, commands: list[Sent], *, same_boot: bool) -> Left:
    row = db.execute(
        "SELECT tool, arguments, at, status, later_at FROM calls"
        " WHERE run = ? AND epoch = ? AND call_id = ?",
        key,
    ).fetchone()
    if row is None:
        # A command is written a moment before its call.
        first = commands[0]
        return Left(*key, first.command, "", first.at, "", False, same_boot, tuple(commands))
    arguments = _object(row["arguments"]) or {}
    return Left(
        *key,
        tool=row["tool"],
        target=str(arguments.get("target", "")),
        at=row["at"],
        status=row["status"] or "",
        is_told=row["later_at"] is not None,
        same_boot=same_boot,
        commands=tuple(commands),
    )


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
