"""One device that is announced in two or three ways: which announcement counts.

Pure bookkeeping over ids and the texts that identify a thing. It removes nothing: when the
better announcement goes, the other one counts again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from devices.contract.command import Evidence


@dataclass(frozen=True, slots=True)
class _Claim:
    ecosystem: str
    identity: frozenset[str]
    richness: Evidence


class Twins:
    """Announcements of different ecosystems that share an identity are twins.

    Of twins the one with the richest evidence counts; among equals one is chosen for good.
    Two announcements of one ecosystem are never twins: it knows its own devices apart.
    """

    def __init__(self) -> None:
        self._claims: dict[str, _Claim] = {}
        self._holders: dict[str, dict[str, None]] = {}

    def claim(
        self, device_id: str, ecosystem: str, identity: frozenset[str], richness: Evidence
    ) -> bool:
        """`device_id` is announced. True when it changes who is a twin of whom."""
        claim = _Claim(ecosystem, identity, richness)
        if self._claims.get(device_id) == claim:
            return False
        self.release(device_id)
        self._claims[device_id] = claim
        for text in identity:
            self._holders.setdefault(text, {})[device_id] = None
        return bool(identity)

    def release(self, device_id: str) -> None:
        """`device_id` is gone."""
        claim = self._claims.pop(device_id, None)
        for text in claim.identity if claim else ():
            holders = self._holders[text]
            del holders[device_id]
            if not holders:
                del self._holders[text]

    def of(self, device_id: str) -> Iterator[str]:
        """The other announcements of the same thing."""
        claim = self._claims.get(device_id)
        if claim is None:
            return
        others = {other: None for text in claim.identity for other in self._holders[text]}
        for other in others:
            if self._claims[other].ecosystem != claim.ecosystem:
                yield other

    def preferred(self, device_id: str) -> bool:
        """Whether this announcement is the one that counts."""
        claim = self._claims.get(device_id)
        return claim is None or not any(
            self._better(self._claims[other], other, claim, device_id)
            for other in self.of(device_id)
        )

    def _better(self, one: _Claim, one_id: str, other: _Claim, other_id: str) -> bool:
        if one.richness != other.richness:
            return one.richness > other.richness
        # Ids do not change when a device announces itself again: the choice stays.
        return (one.ecosystem, one_id) > (other.ecosystem, other_id)
