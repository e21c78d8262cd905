"""What the journal knows, as it is read back: a call, its commands, what devices said.

Plain data. Times are seconds since 1970; a None or "" says that nothing is on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from gateway.outcome import Status


@dataclass(frozen=True, slots=True)
class Heard:
    """One acknowledgement of a device."""

    at: float
    status: str
    state: Mapping[str, Any]
    late: bool
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A command for a device, and where it stands."""

    id: str
    device: str
    ecosystem: str
    command: str
    args: Mapping[str, Any]
    masked: bool
    at: float
    attempts: int
    state: str
    ended_at: float | None
    evidence: tuple[Heard, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """What became known of a call after it was answered, or after the process had died."""

    at: float
    status: str
    message: str


@dataclass(frozen=True, slots=True)
class Action:
    """A call: what was asked, what happened, how long it took.

    `number` grows with every call. `status` is "" while it is not answered, and for ever when
    the process died before. `target` is the name of what was meant.
    """

    number: int
    run: int
    epoch: int
    call_id: str
    tool: str
    arguments: Mapping[str, Any]
    at: float
    status: str
    message: str
    target: str
    elapsed_ms: float | None
    later: Later | None
    commands: tuple[Sent, ...] = ()

    @property
    def known(self) -> str:
        """The last word on it: what came later counts more than the first answer."""
        return self.later.status if self.later else self.status

    @property
    def ok(self) -> bool | None:
        """As in an outcome: true only with evidence, None when nobody knows."""
        return Status(self.known).ok if self.known in _STATUSES else None

    def body(self) -> dict[str, Any]:
        """The JSON object for scripts; its times are ISO 8601 in UTC."""
        return {
            "at": _iso(self.at),
            "run": self.run,
            "epoch": self.epoch,
            "call_id": self.call_id,
            "tool": self.tool,
            "arguments": dict(self.arguments),
            "ok": self.ok,
            "status": self.status or None,
            "target": self.target,
            "message": self.message,
            "elapsed_ms": self.elapsed_ms,
            "later": _with_iso(asdict(self.later)) if self.later else None,
            "commands": [_sent(command) for command in self.commands],
        }


_STATUSES = frozenset(status.value for status in Status)


def _sent(command: Sent) -> dict[str, Any]:
    body = _with_iso(asdict(command))
    body["evidence"] = [_with_iso(heard) for heard in body["evidence"]]
    return body


def _with_iso(body: dict[str, Any]) -> dict[str, Any]:
    """`body` with its times as text."""
    times = {key: _iso(body[key]) for key in ("at", "ended_at") if key in body}
    return body | times


def _iso(at: float | None) -> str | None:
    if at is None:
        return None
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
