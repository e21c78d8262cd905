"""What the bridge says of its devices, groups and failures. Pure.

Shapes are those of `<base>/bridge/devices`, `groups` and `logging`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from devices.ecosystems import payload
from devices.ecosystems.zigbee2mqtt.exposes import Part, parts

_IEEE = re.compile(r"0x[0-9a-f]{16}")
_SET_FAILED = re.compile(
    r"Publish 'set' '(?P<key>[^']{0,64})' to '(?P<name>.{1,200}?)' failed: (?P<why>.*)", re.DOTALL
)
_NO_CONVERTER = re.compile(r"No converter available for '(?P<key>[^']{0,64})'.*?'(?P<name>[^']+)'")


@dataclass(frozen=True, slots=True)
class Thing:
    """One Zigbee device as the bridge knows it. `digest` tells whether anything changed."""

    ieee: str
    name: str
    sleepy: bool
    parts: tuple[Part, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A command that the bridge could not carry out; `rejected` when it did not try."""

    name: str
    key: str
    why: str
    rejected: bool


def read_thing(raw: object, before: Mapping[str, Thing]) -> Thing | None:
    """An entry of `bridge/devices`; None for the coordinator and for what is not ready.

    What did not change is taken from `before` (by IEEE address): reading exposes is the
    costly part, and the whole list comes at every change.
    """
    if not isinstance(raw, dict):
        return None
    ieee, name = raw.get("ieee_address"), raw.get("friendly_name")
    definition = raw.get("definition")
    ready = raw.get("supported") is True and not raw.get("disabled")
    interviewed = raw.get("interview_state", "SUCCESSFUL") == "SUCCESSFUL"
    if not (ready and interviewed and isinstance(definition, dict)):
        return None
    if not isinstance(ieee, str) or not _IEEE.fullmatch(ieee) or not usable(name):
        return None
    digest = _digest(raw)
    known = before.get(ieee)
    if known is not None and known.digest == digest:
        return known
    words = " ".join((str(name), payload.name(definition.get("description"), "")))
    sleepy = raw.get("type") == "EndDevice" and raw.get("power_source") == "Battery"
    found = tuple(parts(definition.get("exposes"), words))
    return Thing(ieee, str(name), sleepy, found, digest)


def read_groups(raw: object) -> Iterator[tuple[str, str]]:
    """The IEEE address of each member of each group, with the group's name."""
    for group in raw if isinstance(raw, list) else ():
        if not isinstance(group, dict) or not usable(group.get("friendly_name")):
            continue
        members = group.get("members")
        for member in members if isinstance(members, list) else ():
            ieee = member.get("ieee_address") if isinstance(member, dict) else None
            if isinstance(ieee, str):
                yield ieee, str(group["friendly_name"])


def read_failure(raw: Mapping[str, Any]) -> Failure | None:
    """A line of `bridge/logging` that tells of a command that failed; None for all others."""
    message = raw.get("message")
    if raw.get("level") != "error" or not isinstance(message, str):
        return None
    line = message[:2000]
    if (found := _SET_FAILED.search(line)) is not None:
        why = payload.name(found["why"], "The radio got no answer.")
        return Failure(found["name"], found["key"], why, rejected=False)
    if (found := _NO_CONVERTER.search(line)) is not None:
        return Failure(found["name"], found["key"], "It does not know that.", rejected=True)
    return None


def usable(name: object) -> bool:
    """Whether `name` can be part of a topic."""
    return isinstance(name, str) and 0 < len(name) <= 200 and not set(name) & set("+#\0")  # noqa: PLR2004 -- topics have room for more


def _digest(raw: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()
