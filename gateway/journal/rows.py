"""What is written for each thing that happens: statements with their values, nothing else.

Whatever came from outside is bounded and made safe here, so that no row can be refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from devices.contract.command import Scalar
from devices.contract.text import clean
from gateway.events import (
    BrokerChanged,
    BusEvent,
    CallAnswered,
    CallReceived,
    CommandEnded,
    CommandSent,
    DeviceSeen,
    EvidenceReceived,
    LateOutcome,
    MessageDropped,
    SessionChanged,
)
from gateway.journal.masking import MASK, masked
from gateway.outcome import Outcome

Row = tuple[str, tuple[Any, ...]]
"""One statement and its values."""

# Longer arguments and states than any tool needs are not worth a disk.
MAX_JSON_CHARS = 8192
MAX_TEXT_CHARS = 500
MAX_ID_CHARS = 200
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str)
_SHORTENED = '{"shortened":'

# A device comes with the rest of the house at each start: only its comings and goings count.
_CHANGES = frozenset({"online", "offline", "removed"})
_OPEN = "('sent', 'accepted', 'in_progress', 'timed_out', 'unknown')"

_CALL = (
    "INSERT OR IGNORE INTO calls (run, epoch, call_id, tool, arguments, at)"
    " VALUES (?, ?, ?, ?, ?, ?)"
)
_ANSWER = (
    "UPDATE calls SET answered_at = ?, elapsed_ms = ?, status = ?, message = ?, outcome = ?"
    " WHERE run = ? AND epoch = ? AND call_id = ?"
)
_LATER = (
    "UPDATE calls SET later_at = ?, later_status = ?, later_message = ?"
    " WHERE run = ? AND epoch = ? AND call_id = ?"
)
_COMMAND = (
    "INSERT OR IGNORE INTO commands"
    " (id, run, epoch, call_id, device, ecosystem, command, args, masked, at)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_ATTEMPT = "UPDATE commands SET attempts = max(attempts, ?) WHERE id = ?"
_ACCEPTED = f"UPDATE commands SET state = ? WHERE id = ? AND state IN {_OPEN}"  # noqa: S608
_ENDED = f"UPDATE commands SET state = ?, ended_at = ? WHERE id = ? AND state IN {_OPEN}"  # noqa: S608
_RESOLVED = "UPDATE commands SET state = ?, ended_at = ? WHERE id = ?"
_ITS_CALL = (
    "INSERT OR IGNORE INTO calls (run, epoch, call_id, tool, arguments, at)"
    " SELECT run, epoch, call_id, command,"
    " CASE WHEN json_valid(args) THEN json_set(args, '$.target', device) ELSE '{}' END, at"
    " FROM commands WHERE id = ?"
)
_EVIDENCE = (
    "INSERT INTO evidence (command, device, at, status, state, late, duplicate)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_EVENT = "INSERT INTO events (run, at, kind, state, reason) VALUES (?, ?, ?, ?, ?)"


class Order(Protocol):
    """What is asked of a device, as the journal needs it."""

    @property
    def device_id(self) -> str:
        """The device."""

    @property
    def command(self) -> str:
        """Its command."""

    @property
    def args(self) -> Mapping[str, Scalar]:
        """The command's arguments."""

    @property
    def call_id(self) -> str:
        """The call that wants it."""

    @property
    def epoch(self) -> int:
        """The generation of the session that the call came in; 0 without a session."""


class Command(Protocol):
    """A command before it is sent."""

    @property
    def id(self) -> str:
        """Its own id."""

    @property
    def order(self) -> Order:
        """What it asks."""

    @property
    def ecosystem(self) -> str:
        """The device's ecosystem."""


def command(run: int, at: float, written: Command) -> Row:
    """The row of a command that is about to be sent."""
    order = written.order
    args, has_secret = masked(order.args)
    text = _json(args)
    # Who asks a device about a command must ask with the very same arguments.
    incomplete = has_secret or text.startswith(_SHORTENED)
    values = (run, order.epoch, _id(order.call_id), order.device_id, written.ecosystem)
    return _COMMAND, (written.id, *values, order.command, text, incomplete, at)


def resolved(at: float, command_id: str, state: str) -> tuple[Row, ...]:
    """A command of an earlier run came to `state`, whatever was written of it before.

    A call that the crash took away, in the moment after its command, is made up from it:
    what nobody finds by its call would be missing wherever one looks.
    """
    return (_ITS_CALL, (command_id,)), (_RESOLVED, (state, at, command_id))


def later(run: int, at: float, call: tuple[int, str], outcome: Outcome) -> Row:
    """What became of the call (epoch, call id) after its answer, or without one."""
    epoch, call_id = call
    message = clean(outcome.message, MAX_TEXT_CHARS)
    return _LATER, (at, outcome.status.value, message, run, epoch, _id(call_id))


def gap(run: int, at: float, reason: str) -> Row:
    """Something is missing here; `reason` says what."""
    return _EVENT, (run, at, "gateway", "gap", reason)


def of(run: int, at: float, event: BusEvent) -> tuple[Row, ...]:
    """What to write for `event`; () for what is not kept (words that were spoken)."""
    make = _MAKERS.get(type(event))
    return make(run, at, event) if make else ()


def _received(run: int, at: float, event: CallReceived) -> tuple[Row, ...]:
    call = event.call
    arguments, _ = masked(call.arguments)
    name = clean(call.name, MAX_ID_CHARS)
    return ((_CALL, (run, call.epoch, _id(call.call_id), name, _json(arguments), at)),)


def _answered(run: int, at: float, event: CallAnswered) -> tuple[Row, ...]:
    call, outcome = event.call, event.outcome
    kept = replace(outcome, confirmation=MASK) if outcome.confirmation else outcome
    message = clean(outcome.message, MAX_TEXT_CHARS)
    what = (at, event.elapsed_s * 1000, outcome.status.value, message, kept.text())
    return ((_ANSWER, (*what, run, call.epoch, _id(call.call_id))),)


def _became(run: int, at: float, event: LateOutcome) -> tuple[Row, ...]:
    return (later(run, at, (event.epoch, event.call_id), event.outcome),)


def _sent(_run: int, _at: float, event: CommandSent) -> tuple[Row, ...]:
    return ((_ATTEMPT, (event.attempt, event.command_id)),)


def _heard(_run: int, at: float, event: EvidenceReceived) -> tuple[Row, ...]:
    command_id = _id(event.command_id)
    said = (event.status, _json(event.state), event.late, event.duplicate)
    row = (_EVIDENCE, (command_id, event.device_id, at, *said))
    if event.duplicate or event.status not in {"accepted", "in_progress"}:
        return (row,)
    return (row, (_ACCEPTED, (event.status, command_id)))


def _ended(_run: int, at: float, event: CommandEnded) -> tuple[Row, ...]:
    return ((_ENDED, (event.state, at, event.command_id)),)


def _session(run: int, at: float, event: SessionChanged) -> tuple[Row, ...]:
    return _event(run, at, ("session", event.state, event.reason))


def _broker(run: int, at: float, event: BrokerChanged) -> tuple[Row, ...]:
    return _event(run, at, ("broker", event.state, event.reason))


def _device(run: int, at: float, event: DeviceSeen) -> tuple[Row, ...]:
    if event.change not in _CHANGES:
        return ()
    return _event(run, at, ("device", event.change, event.device_id))


def _dropped(run: int, at: float, event: MessageDropped) -> tuple[Row, ...]:
    return _event(run, at, ("dropped", event.source, event.reason))


_MAKERS: Mapping[type, Callable[[int, float, Any], tuple[Row, ...]]] = {
    CallReceived: _received,
    CallAnswered: _answered,
    LateOutcome: _became,
    CommandSent: _sent,
    EvidenceReceived: _heard,
    CommandEnded: _ended,
    SessionChanged: _session,
    BrokerChanged: _broker,
    DeviceSeen: _device,
    MessageDropped: _dropped,
}


def _event(run: int, at: float, what: tuple[str, str, str]) -> tuple[Row, ...]:
    kind, state, reason = what
    return ((_EVENT, (run, at, kind, clean(state, MAX_ID_CHARS), clean(reason, MAX_TEXT_CHARS))),)


def _id(text: str) -> str:
    return clean(text, MAX_ID_CHARS)


def _json(value: Mapping[str, Any]) -> str:
    """Compact JSON, valid UTF-8, and never more than MAX_JSON_CHARS of it."""
    text = _ENCODER.encode(value)
    if len(text) > MAX_JSON_CHARS:
        text = f"{_SHORTENED}{json.dumps(text[: MAX_JSON_CHARS // 2], ensure_ascii=False)}}}"
    return text if text.isascii() else text.encode(errors="replace").decode()
