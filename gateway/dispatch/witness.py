"""What the reports of a device prove of one command, where no acknowledgement names it.

Pure: reports go in, what follows comes out. It never sends, waits or decides what to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from devices.contract.command import Evidence, Scalar
from devices.contract.verbs import contradicts
from devices.ecosystems.base import Proof, StateReport


class Finding(Enum):
    """What a report means for the command."""

    NOTHING = auto()
    PROGRESS = auto()
    """the device has it and is at work"""
    ECHOED = auto()
    """what was asked for is reported, but not by who must know: read it back"""
    DONE = auto()
    STUCK = auto()
    """it was at work and has stopped elsewhere"""


class Witness:
    """Collects live reports after a command was sent, over one or several messages.

    `state` is what was heard of the keys in question, `evidence` how much that proves.
    """

    __slots__ = (
        "_answer",
        "_heard",
        "_levels",
        "_moved",
        "_moving",
        "_owed",
        "_proof",
        "_read_back",
        "_still",
        "_told",
    )

    def __init__(self, proof: Proof) -> None:
        self._proof = proof
        self._heard: dict[str, Scalar] = {}
        self._told: dict[str, Scalar] = {}
        self._levels: dict[str, Evidence] = {}
        self._moving: bool | None = None
        self._moved = False
        self._read_back = False
        self._answer = False
        self._still = False
        self._owed = 1

    @property
    def state(self) -> Mapping[str, Scalar]:
        """What was reported since the command was sent; an echo is less than the device's word."""
        return {**self._heard, **self._told}

    @property
    def evidence(self) -> Evidence:
        """The level of the weakest report among the keys that were asked for."""
        levels = [self._levels.get(key, Evidence.PUBLISHED) for key in self._proof.state]
        return min(levels, default=Evidence.PUBLISHED)

    @property
    def contradiction(self) -> str:
        """The key that the device itself reports otherwise than asked; "" when none."""
        return contradicts(self._told, self._proof.state) or ""

    @property
    def moving(self) -> bool:
        """Whether the device said that it moves, and has not said that it stopped."""
        return self._moving is True

    @property
    def moved(self) -> bool:
        """Whether something was seen to move or change since the command was sent."""
        return self._moved

    def asked(self) -> None:
        """The state is read back: what is reported from now on is no echo.

        Unless an attempt's echo is still owed: what is reported first may be that one.
        """
        self._read_back = self._answer = True

    def sent_again(self) -> None:
        """Another attempt went out: echoes come again."""
        self._read_back = self._answer = False
        self._owed += 1

    def hear(self, report: StateReport) -> Finding:
        """What `report` means. Retained ones are the past and mean nothing."""
        if not report.live or not report.state:
            return Finding.NOTHING
        self._note(report)
        if not self._shown():
            return self._on_the_way()
        if self._proof.needs >= Evidence.SETTLED and (
            self.moving or self.evidence < Evidence.REPORTED
        ):
            return Finding.PROGRESS if self.moving else Finding.ECHOED
        return Finding.DONE if self.evidence >= self._level_needed() else Finding.ECHOED

    def _note(self, report: StateReport) -> None:
        asked = {key: value for key, value in report.state.items() if key in self._proof.state}
        level = self._level(report.evidence, asked)
        moving = report.state.get("moving")
        if isinstance(moving, bool):
            self._moving = moving
            self._moved = self._moved or moving
        changed = any(self._heard.get(key, value) != value for key, value in asked.items())
        self._moved = self._moved or changed
        # The first report after a question is its answer: nothing has moved meanwhile.
        self._still = self._answer and bool(asked) and not changed
        self._answer = False
        self._levels.update(dict.fromkeys(asked, level))
        if level >= Evidence.REPORTED:
            # No later echo takes back what the device itself has said.
            self._told.update(asked)
        self._heard.update(report.state)

    def _level(self, evidence: Evidence, asked: Mapping[str, Scalar]) -> Evidence:
        """What a report of the keys `asked` proves: more than it says, when it is an answer."""
        echoes = bool(asked) and contradicts(asked, self._proof.state) is None
        owed = self._owed
        if echoes:
            self._owed = max(0, owed - 1)
        if not self._read_back or self._proof.answers_apart or (echoes and owed):
            return evidence
        return max(evidence, Evidence.REPORTED)

    def _on_the_way(self) -> Finding:
        """What was asked for is not there yet."""
        settles = self._proof.needs >= Evidence.SETTLED
        stopped = self._moving is False or self._still
        if stopped and self._moved and settles and self.contradiction:
            return Finding.STUCK
        return Finding.PROGRESS if settles and self._moved else Finding.NOTHING

    def _shown(self) -> bool:
        """Whether every key was reported with the value that was asked for."""
        wanted = self._proof.state
        known = all(self._heard.get(key) is not None for key in wanted)
        return bool(wanted) and known and contradicts(self._heard, wanted) is None

    def _level_needed(self) -> Evidence:
        """What reports can reach at all: that nothing moves is not in the report's level."""
        return min(self._proof.needs, Evidence.REPORTED)
