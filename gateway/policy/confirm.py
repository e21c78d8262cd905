"""Calls that wait for a yes: each is kept under a token that works once and not for long.

What is kept is opaque here. Nothing runs by itself: who takes a payload decides.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from gateway.clock import Clock
from gateway.policy.pin import Pin

_T = TypeVar("_T")

LIFETIME_S = 60.0
MAX_HELD = 16
MAX_WRONG_PINS = 3
# Without letters and digits that sound or look alike; 28 bits are plenty for one minute.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_TOKEN_LENGTH = 6


class Refusal(StrEnum):
    """Why a token gives nothing."""

    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    PIN_MISSING = "pin_missing"
    """the token stays good for another try"""
    PIN_WRONG = "pin_wrong"
    """as above"""
    PIN_SPENT = "pin_spent"
    """wrong so often that the token is gone"""
    PIN_LOCKED = "pin_locked"
    """no PIN is tried now, whatever the token"""


@dataclass(slots=True)
class _Held(Generic[_T]):
    payload: _T
    until: float
    with_pin: bool
    wrong_pins: int = 0


class Holds(Generic[_T]):
    """Keeps payloads for `lifetime_s` seconds, the newest MAX_HELD of them.

    `pin` is None in a house without one.
    """

    def __init__(
        self, clock: Clock, *, pin: Pin | None = None, lifetime_s: float = LIFETIME_S
    ) -> None:
        self._clock = clock
        self._pin = pin
        self._lifetime_s = lifetime_s
        self._held: OrderedDict[str, _Held[_T]] = OrderedDict()
        self._gone: deque[tuple[str, Refusal]] = deque(maxlen=2 * MAX_HELD)

    def __len__(self) -> int:
        """How many payloads can still be taken."""
        self._drop_old()
        return len(self._held)

    @property
    def has_pin(self) -> bool:
        """Whether this house has a PIN."""
        return self._pin is not None

    def locked_s(self) -> float:
        """Seconds for which the PIN is not tried, because it was wrong too often; else 0."""
        return 0.0 if self._pin is None else self._pin.locked_s()

    def hold(self, payload: _T, *, with_pin: bool = False) -> str:
        """Keep `payload`; the token that gives it back. The oldest goes when there are too many."""
        self._drop_old()
        if len(self._held) == MAX_HELD:
            self._drop(next(iter(self._held)), Refusal.EXPIRED)
        token = "".join(secrets.choice(_ALPHABET) for _ in range(_TOKEN_LENGTH))
        self._held[token] = _Held(payload, self._clock.monotonic() + self._lifetime_s, with_pin)
        return token

    def look(self, token: str) -> _T | Refusal:
        """The payload, which stays; or why there is none. Case does not matter."""
        self._drop_old()
        token = _plain(token)
        held = self._held.get(token)
        return self._why_gone(token) if held is None else held.payload

    def take(self, token: str, pin: str = "") -> _T | Refusal:
        """The payload, once; otherwise why not. `pin` is "" when none was said."""
        self._drop_old()
        token = _plain(token)
        held = self._held.get(token)
        if held is None:
            return self._why_gone(token)
        refusal = self._pin_refusal(token, held, pin) if held.with_pin else None
        if refusal is not None:
            return refusal
        self._drop(token, Refusal.USED)
        return held.payload

    def _pin_refusal(self, token: str, held: _Held[_T], pin: str) -> Refusal | None:
        if self._pin is None or self._pin.locked_s():
            return Refusal.PIN_LOCKED
        if not pin:
            return Refusal.PIN_MISSING
        if self._pin.fits(pin):
            return None
        held.wrong_pins += 1
        if held.wrong_pins < MAX_WRONG_PINS:
            return Refusal.PIN_WRONG
        self._drop(token, Refusal.PIN_SPENT)
        return Refusal.PIN_SPENT

    def _why_gone(self, token: str) -> Refusal:
        return next((why for gone, why in self._gone if gone == token), Refusal.UNKNOWN)

    def _drop_old(self) -> None:
        now = self._clock.monotonic()
        while self._held and next(iter(self._held.values())).until <= now:
            self._drop(next(iter(self._held)), Refusal.EXPIRED)

    def _drop(self, token: str, why: Refusal) -> None:
        del self._held[token]
        self._gone.append((token, why))


def _plain(token: str) -> str:
    return token.strip().lower()
