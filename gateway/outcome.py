"""What really happened to a call: the outcome vocabulary of the model, in one place."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from devices.contract.command import Evidence, Scalar
from devices.contract.text import clean

# Realtime providers stay quick and cheap with short results; the design allows 2 KB.
MAX_OUTCOME_BYTES = 2000

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)


class Status(StrEnum):
    """How a call ended, in the words that the model reads."""

    CONFIRMED = "confirmed"
    ALREADY = "already"
    ANSWER = "answer"
    UNCONFIRMED = "unconfirmed"
    PENDING = "pending"
    PARTIAL = "partial"
    FAILED = "failed"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    SUPERSEDED = "superseded"
    OFFLINE = "offline"
    EXPIRED = "expired"
    NEEDS_CONFIRMATION = "needs_confirmation"
    DENIED = "denied"
    INVALID = "invalid"
    UNKNOWN_TOOL = "unknown_tool"
    UNKNOWN_TARGET = "unknown_target"
    ERROR = "error"

    @property
    def ok(self) -> bool | None:
        """True only with evidence, None when nobody can know (yet), False otherwise."""
        if self in _TRUE:
            return True
        return None if self in _UNKNOWN else False


_TRUE = frozenset({Status.CONFIRMED, Status.ALREADY, Status.ANSWER})
_UNKNOWN = frozenset({Status.UNCONFIRMED, Status.PENDING, Status.TIMED_OUT})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened, and a sentence that may be spoken.

    `target` is the device's (or group's) name; `state` what the device reports now; `data`
    what a read or backend tool returned; `results` one outcome a device of a group;
    `confirmation` the token that `confirm` takes; `evidence` how much is known (for the
    journal, not for the model), None where no command was sent.
    """

    status: Status
    message: str
    target: str = ""
    state: Mapping[str, Scalar] = field(default_factory=dict)
    data: Any = None
    results: Sequence[Outcome] = ()
    confirmation: str = ""
    evidence: Evidence | None = None

    @property
    def ok(self) -> bool | None:
        """As the status says."""
        return self.status.ok

    def body(self) -> dict[str, Any]:
        """The JSON object that the model gets; keys without a value are left out."""
        body: dict[str, Any] = {"ok": self.ok, "status": self.status.value}
        if self.target:
            body["target"] = self.target
        if self.state:
            body["state"] = dict(self.state)
        if self.data is not None:
            body["data"] = self.data
        if self.results:
            body["results"] = [r.body() for r in self.results]
        if self.confirmation:
            body["confirmation"] = self.confirmation
        body["message"] = self.message
        return body

    def text(self) -> str:
        """The body as JSON, at most MAX_OUTCOME_BYTES: what is too long is cut and said so."""
        body = self.body()
        text = _dump(body)
        return text if _fits(text) else _dump(_shortened(body))


def _shortened(body: dict[str, Any]) -> dict[str, Any]:
    """Details go first, then the length of the sentence; the status always stays."""
    short = {k: v for k, v in body.items() if k not in {"state", "data", "results"}}
    # A character is at most four bytes: both fit, and leave room for the rest.
    short["message"] = clean(str(short["message"]), 350)
    short["target"] = clean(str(short.get("target", "")), 60)
    short["truncated"] = True
    for key, items in (("results", body.get("results")), ("data", body.get("data"))):
        if isinstance(items, list):
            _fill(short, key, items)
    return short


def _fill(short: dict[str, Any], key: str, items: list[Any]) -> None:
    """As many of `items` as fit."""
    kept: list[Any] = []
    short[key] = kept
    for item in items:
        kept.append(
            {k: v for k, v in item.items() if k != "state"} if isinstance(item, dict) else item
        )
        if not _fits(_dump(short)):
            kept.pop()
            break


def _fits(text: str) -> bool:
    return len(text.encode()) <= MAX_OUTCOME_BYTES


def _dump(body: object) -> str:
    """Compact JSON, and valid UTF-8 even where a tool returned half a character."""
    text = _ENCODER.encode(body)
    return text if text.isascii() else text.encode(errors="replace").decode()
