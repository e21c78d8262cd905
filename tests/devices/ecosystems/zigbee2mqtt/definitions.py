"""Real device definitions as the bridge announces them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

# Printed by definitions.mjs with zigbee-herdsman-converters (MIT): one of every shape there is.
SAMPLE = Path(__file__).parents[3] / (
    "transcripts/zigbee2mqtt/converters-2026-11-24-26.112.0.jsonl.gz"
)


def sample() -> list[dict[str, Any]]:
    """A definition for every shape of expose."""
    with gzip.open(SAMPLE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def entries(definitions: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """An entry of `bridge/devices` for each definition."""
    for number, definition in enumerate(definitions, 1):
        yield entry(definition["exposes"], number, definition=definition)


def entry(exposes: Any, number: int = 1, **changes: Any) -> dict[str, Any]:
    """An entry for a device that exposes that."""
    definition = {"model": "X", "vendor": "Acme", "description": "", "exposes": exposes}
    return {
        "ieee_address": f"0x{number:016x}",
        "friendly_name": f"thing {number}",
        "type": "Router",
        "power_source": "Mains",
        "supported": True,
        "disabled": False,
        "interview_state": "SUCCESSFUL",
        "definition": definition,
    } | changes


def generic(kind: str, name: str, access: int, **more: Any) -> dict[str, Any]:
    """A generic expose."""
    return {"type": kind, "name": name, "property": name, "access": access} | more


def wrapper(kind: str, *features: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A light, switch, cover, ..."""
    return {"type": kind, "features": list(features)} | more


STATE = generic("binary", "state", 7, value_on="ON", value_off="OFF")
