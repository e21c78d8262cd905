"""What is written down during a run, for the audit: plain facts, times in seconds since 1970."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.schedule import Ask


@dataclass(frozen=True, slots=True)
class Answer:
    """A result that came in the session of its call."""

    at: float
    outcome: Mapping[str, Any]

    @property
    def status(self) -> str:
        """The outcome's status."""
        return str(self.outcome["status"])


@dataclass(slots=True)
class Asked:
    """A call that was sent, and what came back for it in its own session.

    `repeats`: the call id of an earlier call that it makes again, "" for a call of its own.
    """

    ask: Ask
    call_id: str
    session: int
    at: float
    answers: list[Answer] = field(default_factory=list)
    repeats: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A fact that the model was told."""

    at: float
    session: int
    text: str


@dataclass(frozen=True, slots=True)
class Actuation:
    """Something that a device really did."""

    device: str
    id: str
    command: str
    args: Mapping[str, Any]
    at: float


def write_told(path: Path, asked: Sequence[Asked], notes: Sequence[Note]) -> None:
    """Keep what was asked and told as JSON, a line each, for whoever looks into a violation."""
    lines = [json.dumps(dataclasses.asdict(record)) for record in (*asked, *notes)]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")


def read_actuations(path: Path) -> list[Actuation]:
    """The house's log, oldest first; [] when nothing was ever done."""
    if not path.exists():
        return []
    return [Actuation(**json.loads(line)) for line in path.read_bytes().splitlines()]
