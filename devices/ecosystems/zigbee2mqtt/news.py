"""What a message of the bridge is news of, beside all that it only remembers. Pure.

The bridge merges its cache into every message: a plug that reports its power repeats the state
that the bridge assumes, and a lock that reports its battery the last known place of its bolt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from devices.contract.command import Evidence, Scalar
from devices.ecosystems.zigbee2mqtt.exposes import Field, Part

State = dict[str, Scalar]
_Name = tuple[str, str]


class News:
    """The last value of each field of each thing. What no device exposes is not kept."""

    def __init__(self) -> None:
        self._last: dict[str, dict[_Name, Scalar]] = {}

    def hear(
        self, ieee: str, parts: Mapping[str, Part], body: Mapping[str, Any]
    ) -> Iterator[tuple[str, State, Evidence]]:
        """What `body` tells of each of `parts` of a thing, by device id, and what that proves.

        Where a sensor has news, what could be commanded and did not change is left out.
        """
        last = self._last.setdefault(ieee, {})
        fields = {_name(f): f for part in parts.values() for f in part.fields if f.wire in body}
        values = {name: field.codec.read(body[field.wire]) for name, field in fields.items()}
        told = {name: value for name, value in values.items() if value is not None}
        fresh = {name for name, value in told.items() if last.get(name) != value}
        moved = fresh & last.keys()
        last.update(told)
        if any(not fields[name].settable for name in moved):
            told = {n: v for n, v in told.items() if n in fresh or not fields[n].settable}
        for device_id, part in parts.items():
            own = [_name(field) for field in part.fields if _name(field) in told]
            if own:
                state: State = {key: told[wire, key] for wire, key in own}
                yield device_id, state, _proves(part, moved.intersection(own))

    def forget(self, ieee: str) -> None:
        """The thing is gone, or another one now."""
        self._last.pop(ieee, None)


def _name(field: Field) -> _Name:
    return field.wire, field.key


def _proves(part: Part, moved: set[_Name]) -> Evidence:
    """The bridge assumes nothing of a bolt; everything else may be what it has just sent."""
    bolt = part.kind == "lock" and any(key == "locked" for _, key in moved)
    return Evidence.REPORTED if bolt else Evidence.ECHOED
