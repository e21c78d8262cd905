"""How devices stand, as they said live: what is so already may not be said again.

Much software publishes a value only when it changes. Of a command that sets several things
told on topics of their own, those that change have to prove it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from devices.contract.command import Scalar
from devices.contract.verbs import contradicts

MAX_KEYS = 128


class _Told(NamedTuple):
    topic: str
    value: Scalar


class Standing:
    """The last live word of each device on each of its keys."""

    def __init__(self) -> None:
        self._told: dict[str, dict[str, _Told]] = {}

    def note(self, device_id: str, topic: str, state: Mapping[str, Scalar]) -> None:
        """A device said live how it stands."""
        told = self._told.setdefault(device_id, {})
        for key, value in state.items():
            if key in told or len(told) < MAX_KEYS:
                told[key] = _Told(topic, value)

    def forget(self, device_id: str) -> None:
        """It is gone, or back: nothing is sure any more."""
        self._told.pop(device_id, None)

    def changes(self, device_id: str, wanted: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """What of `wanted` has to be told: all, or without what stands so on another topic.

        A topic on which anything changes is told as a whole.
        """
        told = self._told.get(device_id, {})
        stands = {key for key, value in wanted.items() if _agrees(told.get(key), key, value)}
        topics = {told[key].topic for key in wanted if key in told and key not in stands}
        silent = {key for key in stands if told[key].topic not in topics}
        left = {key: value for key, value in wanted.items() if key not in silent}
        return left or dict(wanted)


def _agrees(told: _Told | None, key: str, wanted: Scalar) -> bool:
    if told is None or told.value is None:
        return False
    return contradicts({key: told.value}, {key: wanted}) is None
