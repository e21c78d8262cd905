"""Calls that came before: what is asked again at once is not done again.

A model that lost its connection, or its thread, asks for the same thing under a new id. It
knows no tools and carries out nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from gateway.clock import Clock
from gateway.outcome import Outcome, Status

WINDOW_S = 10.0
MAX_FIRSTS = 4096

# Nothing happened, for certain: asking again is right. An error leaves open what happened.
_WITHOUT_EFFECT = frozenset(
    {
        Status.ALREADY,
        Status.DENIED,
        Status.EXPIRED,
        Status.INVALID,
        Status.NEEDS_CONFIRMATION,
        Status.OFFLINE,
        Status.REJECTED,
        Status.SUPERSEDED,
        Status.UNKNOWN_TARGET,
        Status.UNKNOWN_TOOL,
    }
)


def key_of(name: str, arguments: Mapping[str, Any]) -> str:
    """The same text for the same request; `arguments` as `check` gives them.

    A target means the same whatever its case and the blanks in it.
    """
    target = arguments.get("target")
    if isinstance(target, str):
        arguments = {**arguments, "target": " ".join(target.casefold().split())}
    return json.dumps([name, arguments], sort_keys=True)


def may_have_acted(outcome: Outcome) -> bool:
    """Whether a call that ended so may have changed something."""
    return outcome.status not in _WITHOUT_EFFECT


class Repeats:
    """The first calls of the last WINDOW_S, counted from when they came; the newest MAX_FIRSTS."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._firsts: OrderedDict[str, tuple[float, asyncio.Future[Outcome]]] = OrderedDict()

    def __len__(self) -> int:
        """How many are remembered."""
        return len(self._firsts)

    def first(self, key: str) -> asyncio.Future[Outcome] | None:
        """What the first such call comes to, or has come to; None when this is the first.

        One that ended without any effect does not count.
        """
        self._drop_old()
        found = self._firsts.get(key)
        if found is None:
            return None
        _, answer = found
        return None if answer.done() and not may_have_acted(answer.result()) else answer

    def came(self, key: str, answer: asyncio.Future[Outcome], age_s: float = 0.0) -> None:
        """A call is the first of its kind, or was `age_s` ago; `answer` will hold its outcome.

        Older ones are to be given before younger ones.
        """
        self._drop_old()
        self._firsts.pop(key, None)
        self._firsts[key] = (self._clock.monotonic() - max(age_s, 0.0), answer)
        if len(self._firsts) > MAX_FIRSTS:
            self._firsts.popitem(last=False)

    def _drop_old(self) -> None:
        now = self._clock.monotonic()
        while self._firsts and now - next(iter(self._firsts.values()))[0] >= WINDOW_S:
            self._firsts.popitem(last=False)
