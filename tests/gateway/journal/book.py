"""A real journal with entries of any age, for who reads or tidies it."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ulid import ULID

from gateway.journal.file import open_file

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()


class Book:
    """The file at `path`, written as the gateway writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = open_file(path, datetime.now(UTC))
        self.run()

    def close(self) -> None:
        self.db.close()

    def run(self, ended_at: float | None = None) -> int:
        values = ("boot:1:1", "gateway", "0", NOON, ended_at)
        return self._add("runs (process, client_id, version, started_at, ended_at)", values)

    def call(
        self,
        tool: str,
        at: float = NOON,
        *,
        device: str = "",
        status: str = "confirmed",
        target: str = "",
        results: list[dict[str, Any]] | None = None,
        later: str = "",
        state: str = "succeeded",
        run: int = 1,
        **arguments: Any,
    ) -> int:
        """A call, and with `device` the command that it made. An empty status: no answer."""
        call_id = str(ULID())
        known = {"target": target, "results": results}
        outcome = json.dumps({"status": status} | {k: v for k, v in known.items() if v})
        answer = (at + 0.002, 2.0, status, f"It is {status}.", outcome) if status else (None,) * 5
        came = (at + 30, later, f"Now {later}.") if later else (None,) * 3
        number = self._add(
            "calls (run, epoch, call_id, tool, arguments, at, answered_at, elapsed_ms, status,"
            " message, outcome, later_at, later_status, later_message)",
            (run, 1, call_id, tool, json.dumps(arguments), at, *answer, *came),
        )
        if device:
            self._command((run, 1, call_id), tool, at + 0.001, device, state)
        return number

    def answer(self, number: int, status: str) -> None:
        values = (NOON, 9.0, status, f"It is {status}.", number)
        self.db.execute(
            "UPDATE calls SET answered_at = ?, elapsed_ms = ?, status = ?, message = ?"
            " WHERE id = ?",
            values,
        )

    def later(self, number: int, status: str) -> None:
        self.db.execute(
            "UPDATE calls SET later_at = ?, later_status = ?, later_message = '' WHERE id = ?",
            (NOON + 60, status, number),
        )

    def event(self, at: float, kind: str = "broker") -> None:
        self._add("events (run, at, kind, state, reason)", (1, at, kind, "down", "gone"))

    def count(self, table: str) -> int:
        return int(self.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def _command(
        self, call: tuple[int, int, str], name: str, at: float, device: str, state: str
    ) -> None:
        command = str(ULID.from_timestamp(at))
        self._add(
            "commands (id, run, epoch, call_id, device, ecosystem, command, args, at, attempts,"
            " state, ended_at)",
            (command, *call, device, "native", name, "{}", at, 2, state, at + 0.001),
        )
        self._add(
            "evidence (command, device, at, status, state)",
            (command, device, at + 0.001, state, '{"on": true}'),
        )

    def _add(self, what: str, values: tuple[Any, ...]) -> int:
        marks = ", ".join("?" * len(values))
        cursor = self.db.execute(f"INSERT INTO {what} VALUES ({marks})", values)
        return int(cursor.lastrowid or 0)


def other_database(path: Path) -> Path:
    """An SQLite file of somebody else."""
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE songs (title TEXT)")
    db.close()
    return path
