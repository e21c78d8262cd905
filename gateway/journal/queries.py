"""Questions to the journal: what was asked, what happened, how long it took.

Read-only, on connections of its own; each question is short, so that no writer waits for it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Self

from ulid import ULID

from gateway.errors import JournalError
from gateway.journal.reading import Key, action_of, explained, heard_of, key_of, opened, sent_of
from gateway.journal.records import Action, Heard, Sent
from gateway.outcome import Status

PAGE = 200
# What just ended is written within milliseconds: who asks what was done lately hears of it too.
SETTLED_S = 0.03
# Between a call and its commands the clock may have been set a little; and how long after a
# call that was never answered its commands are looked for.
_CLOCK_SLACK_S = 5.0
_UNANSWERED_S = 60.0
# Greater than the end of any id.
_END = "Z" * 16
_OK = tuple(status.value for status in Status if status.ok)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls; every field that is given must hold.

    `since` is in seconds since 1970. `about` are ids or names: one of them is the device of a
    command, or what the outcome names. `failed`: only what is not known to be done. With
    `unanswered`, calls without an answer pass whatever the other fields say.
    """

    since: float = 0.0
    about: tuple[str, ...] = ()
    tool: str = ""
    but_tools: tuple[str, ...] = ()
    but_statuses: tuple[str, ...] = ()
    failed: bool = False
    unanswered: bool = False


class Reader:
    """The journal at `path`, open for reading in the `with` block. One thread at a time.

    Every method raises JournalError, with a sentence that says what to do.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Self:
        """Open the file. JournalError: it is not there, not readable, or no journal."""
        with explained(self._path):
            self._connection = opened(self._path)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        if self._connection is not None:
            self._connection.close()

    def after(self, number: int, wanted: Wanted) -> list[Action]:
        """At most PAGE calls with a greater number, the oldest first."""
        where, values = _where(wanted)
        rows = self._ask(
            f"{_CALLS} WHERE id > ? AND {where} ORDER BY id LIMIT ?", [number, *values, PAGE]
        )
        return self._actions(rows)

    def every(self, wanted: Wanted) -> Iterator[Action]:
        """All calls, the oldest first, read page by page."""
        page = self.after(0, wanted)
        while page:
            yield from page
            page = self.after(page[-1].number, wanted)

    def recent(self, wanted: Wanted, limit: int) -> list[Action]:
        """At most `limit` calls, the newest first."""
        where, values = _where(wanted)
        rows = self._ask(f"{_CALLS} WHERE {where} ORDER BY id DESC LIMIT ?", [*values, limit])
        return self._actions(rows)

    def these(self, numbers: Sequence[int], wanted: Wanted) -> list[Action]:
        """Those of `numbers` that are `wanted`, the oldest first."""
        where, values = _where(wanted)
        among = _marks(numbers)
        rows = self._ask(
            f"{_CALLS} WHERE id IN {among} AND {where} ORDER BY id", [*numbers, *values]
        )
        return self._actions(rows)

    def _actions(self, rows: list[sqlite3.Row]) -> list[Action]:
        """The calls of `rows`, each with its commands."""
        commands: defaultdict[Key, list[Sent]] = defaultdict(list)
        for first, last in _spans(rows):
            self._add_commands(commands, _first_id(first), _first_id(last) + _END)
        return [action_of(row, commands[key_of(row)]) for row in rows]

    def _add_commands(self, found: defaultdict[Key, list[Sent]], *ids: str) -> None:
        """Add the commands with an id between two, by the call that they belong to."""
        heard: defaultdict[str, list[Heard]] = defaultdict(list)
        evidence = "SELECT * FROM evidence WHERE command BETWEEN ? AND ? ORDER BY id"
        for row in self._ask(evidence, ids):
            heard[row["command"]].append(heard_of(row))
        for row in self._ask("SELECT * FROM commands WHERE id BETWEEN ? AND ? ORDER BY id", ids):
            found[key_of(row)].append(sent_of(row, heard[row["id"]]))

    def _ask(self, query: str, values: Iterable[object]) -> list[sqlite3.Row]:
        if self._connection is None:
            raise JournalError("the journal is not open")
        with explained(self._path):
            return self._connection.execute(query, tuple(values)).fetchall()


class Past:
    """The journal at `path` for who is on the event loop: each question opens it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def recent(self, wanted: Wanted, limit: int) -> list[Action]:
        """At most `limit` calls, the newest first. Raises JournalError."""
        await asyncio.sleep(SETTLED_S)
        return await asyncio.to_thread(self._recent, wanted, limit)

    def _recent(self, wanted: Wanted, limit: int) -> list[Action]:
        with Reader(self._path) as reader:
            return reader.recent(wanted, limit)


# --- questions as SQL ------------------------------------------------------------------------

_CALLS = "SELECT *, json_extract(outcome, '$.target') AS target FROM calls"

_KNOWN = "coalesce(later_status, status, '')"
_ABOUT = """(
    json_extract(outcome, '$.target') COLLATE NOCASE IN {names}
    OR EXISTS (
        SELECT 1 FROM json_each(outcome, '$.results')
        WHERE json_extract(value, '$.target') COLLATE NOCASE IN {names})
    OR EXISTS (
        SELECT 1 FROM commands AS sent
        WHERE sent.device IN {names} AND sent.at BETWEEN calls.at - ? AND
            calls.at + coalesce(calls.elapsed_ms / 1000, ?) + ?
        AND (sent.run, sent.epoch, sent.call_id) = (calls.run, calls.epoch, calls.call_id)))"""

_Condition = tuple[str, list[object]]


def _where(wanted: Wanted) -> _Condition:
    """The condition and its values."""
    parts = [part for part in _parts(wanted) if part[1]]
    condition = " AND ".join(text for text, _ in parts) or "1"
    values = [value for _, some in parts for value in some]
    if wanted.unanswered:
        condition = f"({condition} OR answered_at IS NULL)"
    return f"at >= ? AND {condition}", [wanted.since, *values]


def _parts(wanted: Wanted) -> Iterator[_Condition]:
    """Each field as a condition; without values where it was not given."""
    about = _ABOUT.format(names=_marks(wanted.about))
    times = (_CLOCK_SLACK_S, _UNANSWERED_S, _CLOCK_SLACK_S)
    yield about, [*wanted.about * 3, *times] if wanted.about else []
    yield "tool = ?", [wanted.tool] if wanted.tool else []
    yield f"tool NOT IN {_marks(wanted.but_tools)}", [*wanted.but_tools]
    yield f"{_KNOWN} NOT IN {_marks(wanted.but_statuses)}", [*wanted.but_statuses]
    yield f"{_KNOWN} NOT IN {_marks(_OK)}", [*_OK] if wanted.failed else []


def _marks(values: Sequence[object]) -> str:
    return f"({', '.join('?' * len(values))})"


def _spans(rows: Iterable[sqlite3.Row]) -> list[tuple[float, float]]:
    """The stretches of time in which the commands of these calls were made."""
    spans: list[tuple[float, float]] = []
    for row in sorted(rows, key=itemgetter("at")):
        took_s = _UNANSWERED_S if row["elapsed_ms"] is None else row["elapsed_ms"] / 1000
        first, last = row["at"] - _CLOCK_SLACK_S, row["at"] + took_s + _CLOCK_SLACK_S
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    return spans


def _first_id(at: float) -> str:
    """What the ids of commands made at that time begin with."""
    return str(ULID.from_timestamp(max(at, 0.0)))[:10]
