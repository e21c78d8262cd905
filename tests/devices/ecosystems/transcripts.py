"""Recorded messages: one JSON object a line with topic, retained, payload (text or JSON)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from devices.ecosystems.base import Ecosystem, Sighting
from devices.link.base import Message

FOLDER = Path(__file__).parents[2] / "transcripts"


def messages(name: str) -> list[Message]:
    """The messages of `<ecosystem>/<source-date-version>.jsonl`."""
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [_message(json.loads(line)) for line in lines if line]


def message(topic: str, payload: Any = b"", *, retained: bool = False) -> Message:
    """A message; what is neither bytes nor text is written as JSON."""
    return _message({"topic": topic, "retained": retained, "payload": payload})


def heard(ecosystem: Ecosystem, given: Iterable[Message]) -> list[Sighting]:
    """All that `ecosystem` makes of the messages."""
    return [sighting for each in given for sighting in ecosystem.decode(each)]


def _message(line: dict[str, Any]) -> Message:
    payload = line["payload"]
    if isinstance(payload, str):
        payload = payload.encode()
    elif not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    return Message(line["topic"], payload, line["retained"])
