"""How often calls and commands are carried out, so that a model in a loop wears out no relay."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable

from gateway.clock import Clock

# Of more devices, those that were commanded last. The others' buckets are full again anyway,
# unless all of them are commanded within the same minute.
MAX_DEVICES = 4096
_MINUTE_S = 60.0
# What is missing by rounding only is not waited for.
_ROUNDING = 1e-9


class Bucket:
    """Holds `per_minute` tokens, full at first; what was taken comes back at that rate."""

    __slots__ = ("_at", "_rate", "_size", "_tokens")

    def __init__(self, per_minute: int, now: float) -> None:
        self._size = self._tokens = float(per_minute)
        self._rate = per_minute / _MINUTE_S
        self._at = now

    def wait_s(self, now: float) -> float:
        """Seconds until there is a token, 0 when there is one."""
        self._tokens = min(self._size, self._tokens + (now - self._at) * self._rate)
        self._at = now
        missing = 1.0 - self._tokens
        return missing / self._rate if missing > _ROUNDING else 0.0

    def take(self) -> None:
        """One token less; only after `wait_s` was 0."""
        self._tokens -= 1.0


class Limits:
    """One bucket for all calls, one for each device's commands.

    Every call counts, reads and confirmations too: a loop of reads is a loop. What is refused
    does not count.
    """

    def __init__(self, calls_per_minute: int, device_calls_per_minute: int, clock: Clock) -> None:
        self._clock = clock
        self._per_device = device_calls_per_minute
        self._calls = Bucket(calls_per_minute, clock.monotonic())
        self._devices: OrderedDict[str, Bucket] = OrderedDict()

    def call(self) -> float:
        """Count one call; seconds to wait when it is one too many, else 0."""
        wait_s = self._calls.wait_s(self._clock.monotonic())
        if not wait_s:
            self._calls.take()
        return wait_s

    def commands(self, device_ids: Iterable[str]) -> tuple[str, float] | None:
        """Count a command for each device, None; or the one that must wait, and for how long.

        All or none: when one must wait, nothing is counted.
        """
        now = self._clock.monotonic()
        buckets = {device_id: self._bucket(device_id, now) for device_id in device_ids}
        for device_id, bucket in buckets.items():
            if wait_s := bucket.wait_s(now):
                return device_id, wait_s
        for bucket in buckets.values():
            bucket.take()
        return None

    def _bucket(self, device_id: str, now: float) -> Bucket:
        bucket = self._devices.get(device_id) or Bucket(self._per_device, now)
        self._devices[device_id] = bucket
        self._devices.move_to_end(device_id)
        if len(self._devices) > MAX_DEVICES:
            self._devices.popitem(last=False)
        return bucket


def in_words(wait_s: float) -> str:
    """When to try again, to speak: "in 3 seconds", "in 5 minutes"."""
    count, unit = math.ceil(wait_s), "second"
    if count > _MINUTE_S:
        count, unit = math.ceil(wait_s / _MINUTE_S), "minute"
    return f"in {count} {unit}{'' if count == 1 else 's'}"
