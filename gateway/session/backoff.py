"""How long to wait before the next connection, or whether to ask a person. It does not wait.

Attempts that reach nobody are cheap and are repeated every second, so that the session is
back as soon as the network is; a service that says no gets time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from gateway.errors import ExpiredError, NetworkError, TransientError

BASE_S = 1.0
CAP_S = 60.0
# To reach nobody: 0.5 to 1 s. Back within 2 s of the network leaves a second for the opening.
NETWORK_PAUSE_S = 0.5
NETWORK_JITTER_S = 0.5
# A connection that lived this long was a good one: the next attempt starts from the base.
GOOD_AFTER_S = 30.0
# Connections that open and die at once are no network trouble, and hurrying cannot cure them.
QUICK_WITHIN_S = 5.0
QUICK_LIMIT = 3


@dataclass(frozen=True, slots=True)
class Life:
    """How a connection that opened lived: how long, whether the model came, and was of use.

    `productive`: the user spoke, the model answered, or it called a function.
    """

    seconds: float
    ready: bool = True
    productive: bool = False

    @property
    def good(self) -> bool:
        """Whether the service and we get on with each other."""
        return self.productive or (self.ready and self.seconds > GOOD_AFTER_S)


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait `seconds`. `quick_failures`: connections keep opening and dying; ask a person."""

    seconds: float
    quick_failures: bool = False


class Backoff:
    """Exponential with full jitter, at most CAP_S; `random` gives numbers in [0, 1)."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._failures = 0
        self._quick = 0

    def after(self, error: TransientError, life: Life | None) -> Pause:
        """The pause after a connection ended with `error`; `life` is None when none opened."""
        if life is not None:
            self._count(error, life)
        seconds = max(self._seconds(error, life), error.retry_after_s or 0.0)
        return Pause(seconds, quick_failures=life is not None and self._quick >= QUICK_LIMIT)

    def _count(self, error: TransientError, life: Life) -> None:
        if life.good:
            self._failures = 0
        # A network that comes and goes ends what had come up well.
        flapping = isinstance(error, NetworkError) and life.ready
        if life.productive or life.seconds >= QUICK_WITHIN_S:
            self._quick = 0
        elif not flapping:
            self._quick += 1

    def _seconds(self, error: TransientError, life: Life | None) -> float:
        good = life is not None and life.good
        if isinstance(error, ExpiredError) and good:
            return 0.0
        if isinstance(error, NetworkError) and (good or life is None):
            return NETWORK_PAUSE_S + self._random() * NETWORK_JITTER_S
        ceiling = min(CAP_S, BASE_S * 2.0 ** min(self._failures, 10))
        self._failures += 1
        return self._random() * ceiling
