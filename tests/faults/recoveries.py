"""How long it took until things worked again, by what had broken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Recoveries:
    """Times in seconds, by name. `waiting` holds what is broken, and since when."""

    took_s: dict[str, list[float]] = field(default_factory=dict)
    waiting: dict[str, float] = field(default_factory=dict)

    def broke(self, name: str, at: float) -> None:
        """`name` counts from `at`."""
        self.waiting[name] = at

    def works(self, name: str, at: float) -> None:
        """`name` works again; nothing happens when it was not broken."""
        since = self.waiting.pop(name, None)
        if since is not None:
            self.took_s.setdefault(name, []).append(at - since)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` % do not exceed. NaN of nothing."""
    if not values:
        return math.nan
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]
