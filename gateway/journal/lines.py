"""A call of the journal as lines for people: local time, what was asked, what came of it.

Pure text on clean lines; whatever a device said cannot steer a terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from devices.contract.text import clean
from gateway.journal.records import Action, Sent

_LONGEST = 300


def lines(action: Action, zone: tzinfo | None = None) -> Iterator[str]:
    """The call, its commands, what was said, and what became known later.

    `zone` None is the machine's own.
    """
    asked = clean(f"{action.tool} {_pairs(action.arguments)}", _LONGEST)
    yield f"{_day(action.at, zone)}  {asked}  {_answer(action)}"
    for command in action.commands:
        yield f"    {_command(command)}"
    if action.message:
        yield f"    “{clean(action.message, _LONGEST)}”"
    if action.later:
        told = f"{action.later.status}: {action.later.message}"
        yield f"    later, {_day(action.later.at, zone)}  {clean(told, _LONGEST)}"


def _answer(action: Action) -> str:
    if not action.status:
        return "not answered"
    took = "" if action.elapsed_ms is None else f" in {action.elapsed_ms:.1f} ms"
    return f"{action.status}{took}"


def _command(sent: Sent) -> str:
    asked = clean(f"{sent.device} {sent.command} {_pairs(sent.args)}", _LONGEST)
    took = "" if sent.ended_at is None else f" in {(sent.ended_at - sent.at) * 1000:.1f} ms"
    again = f" ({sent.attempts} attempts)" if sent.attempts > 1 else ""
    return f"{asked}  {sent.state}{took}{again}"


def _day(at: float, zone: tzinfo | None) -> str:
    return datetime.fromtimestamp(at).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _pairs(values: Mapping[str, Any]) -> str:
    return " ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in values.items())
