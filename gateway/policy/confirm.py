"""Calls that wait for a yes: each is kept under a token that works once and not for long.

What is kept is opaque here. Nothing runs by itself: who takes a payload decides.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from enum import StrEnum
from typing import Generic, TypeVar

from gateway.clock import Clock

_T = TypeVar("_T")

LIFETIME_S = 60.0
MAX_HELD = 16
# Without letters and digits that sound or look alike; 28 bits are plenty for one minute.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_TOKEN_LENGTH = 6


class Refusal(StrEnum):
    """Why a token gives nothing."""

    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"


class Holds(Generic[_T]):
    """Keeps payloads for `lifetime_s` seconds, the newest MAX_HELD of them."""

    def __init__(self, clock: Clock, *, lifetime_s: float = LIFETIME_S) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._held: OrderedDict[str, tuple[float, _T]] = OrderedDict()
        self._used: deque[str] = deque(maxlen=MAX_HELD)
        self._lapsed: deque[str] = deque(maxlen=MAX_HELD)

    def __len__(self) -> int:
        """How many payloads can still be taken."""
        self._drop_old()
        return len(self._held)

    def hold(self, payload: _T) -> str:
        """Keep `payload`; the token that gives it back. The oldest goes when there are too many."""
        self._drop_old()
        if len(self._held) == MAX_HELD:
            self._lapse()
        token = "".join(secrets.choice(_ALPHABET) for _ in range(_TOKEN_LENGTH))
        self._held[token] = (self._clock.monotonic() + self._lifetime_s, payload)
        return token

    def take(self, token: str) -> _T | Refusal:
        """The payload, once; afterwards, or too late, why not. Case does not matter."""
        self._drop_old()
        token = token.strip().lower()
        held = self._held.pop(token, None)
        if held is not None:
            self._used.append(token)
            return held[1]
        if token in self._used:
            return Refusal.USED
        return Refusal.EXPIRED if token in self._lapsed else Refusal.UNKNOWN

    def _drop_old(self) -> None:
        now = self._clock.monotonic()
        while self._held and next(iter(self._held.values()))[0] <= now:
            self._lapse()

    def _lapse(self) -> None:
        token, _ = self._held.popitem(last=False)
        self._lapsed.append(token)
