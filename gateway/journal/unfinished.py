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

from gateway.journal import process
from gateway.journal.reading import Key, explained, heard_of, key_of, object_in, opened, sent_of
from gateway.journal.records import Sent

# More is only left by a journal that nobody ever settled; the newest come first.
MAX_CALLS = 2_000
_COMMANDS_OF = """
    WITH wanted AS (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]')
        FROM json_each(?)
    )
    SELECT * FROM commands WHERE (run, epoch, call_id) IN wanted
"""
_LAST_WORD = """
    SELECT * FROM evidence WHERE command = ? AND duplicate = 0 ORDER BY id DESC LIMIT 1
"""


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
    with explained(path), closing(opened(path)) as db:
        return _read(db, run)


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


def _open_keys(db: sqlite3.Connection) -> Iterable[Key]:
    found = db.execute(
        "SELECT run, epoch, call_id, at FROM calls WHERE answered_at IS NULL AND later_at IS NULL"
        " UNION ALL SELECT run, epoch, call_id, at FROM commands"
        " WHERE state IN ('sent', 'accepted', 'in_progress', 'timed_out') ORDER BY at DESC"
    )
    return dict.fromkeys(key_of(row) for row in found)


def _commands(db: sqlite3.Connection, keys: Iterable[Key]) -> dict[Key, list[Sent]]:
    """All commands of these calls, in one walk: the journal has no index for this question."""
    found: dict[Key, list[Sent]] = defaultdict(list)
    for row in db.execute(_COMMANDS_OF, (json.dumps(list(keys)),)):
        last = db.execute(_LAST_WORD, (row["id"],)).fetchall()
        found[key_of(row)].append(sent_of(row, map(heard_of, last)))
    return found


def _left(db: sqlite3.Connection, key: Key, commands: list[Sent], *, same_boot: bool) -> Left:
    row = db.execute(
        "SELECT tool, arguments, at, status, later_at FROM calls"
        " WHERE run = ? AND epoch = ? AND call_id = ?",
        key,
    ).fetchone()
    if row is None:
        # A command is written a moment before its call.
        first = commands[0]
        return Left(*key, first.command, "", first.at, "", False, same_boot, tuple(commands))
    arguments = object_in(row["arguments"]) or {}
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
