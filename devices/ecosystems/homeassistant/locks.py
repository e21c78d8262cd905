"""What keeps others out: locks and alarm panels. Both are guarded, both may want a code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from devices.contract.capability import Kind
from devices.contract.command import Evidence
from devices.ecosystems.homeassistant.entity import UNKNOWN, Entity, Sender
from devices.ecosystems.homeassistant.part import Args, Order, Part, State, Trip, refused

_CODE = re.compile(r"\bcode\b")
_JAMMED = Trip("jammed", "The lock is jammed.", frozenset({"locked"}))


def lock(entity: Entity) -> Part:
    """A lock: locking and unlocking are on the way, jammed is a failure."""
    sender = entity.sender("command_topic", "command_template")
    if sender is None:
        return Part()
    fields = entity.fields
    words = {
        True: fields.text("payload_lock", "LOCK"),
        False: fields.text("payload_unlock", "UNLOCK"),
    }
    meanings = {
        fields.text(f"state_{word}", word.upper()): state for word, state in _LOCK_STATES.items()
    }
    jammed = fields.text("state_jammed", "JAMMED")
    meanings[jammed] = {"locked": None, "moving": False}
    needs = entity.needs("state_topic", Evidence.SETTLED)

    def turn(locked: bool) -> Order:
        if _CODE.search(sender.template):
            raise refused("It wants a code, which I have not got.", "needs_code")
        return Order((sender.message(words[locked]),), {"locked": locked}, needs)

    return Part(
        (entity.capability(Kind.LOCK),),
        entity.sources(
            "state_topic",
            "value_template",
            lambda text: {"locked": None} if text == UNKNOWN else meanings.get(text, {}),
            evidence=Evidence.REPORTED,
            trip=lambda text: _JAMMED if text == jammed else None,
        ),
        {"lock": lambda _: turn(True), "unlock": lambda _: turn(False)},
    )


_LOCK_STATES: Mapping[str, State] = {
    "locked": {"locked": True, "moving": False},
    "unlocked": {"locked": False, "moving": False},
    "open": {"locked": False, "moving": False},
    "locking": {"moving": True},
    "unlocking": {"moving": True},
    "opening": {"moving": True},
}


def alarm(entity: Entity) -> Part:
    """An alarm panel. A code of its own is compared here, as its announcement asks."""
    sender = entity.sender("command_topic", "command_template")
    if sender is None:
        return Part()
    features = entity.fields.words("supported_features", _DEFAULT_FEATURES)
    actions = tuple(action for action in _ALARM_ACTIONS if action == "disarm" or action in features)
    panel = _Alarm(entity, sender, {action: _alarm_word(entity, action) for action in actions})
    entity.fields.text("code")
    return Part(
        (entity.capability(Kind.ALARM, options=actions),),
        entity.sources("state_topic", "value_template", _alarm_state, evidence=Evidence.REPORTED),
        {"alarm": panel.act},
    )


# "trigger" only where it was asked for: it wakes the street.
_DEFAULT_FEATURES = ("arm_home", "arm_away", "arm_night", "arm_vacation", "arm_custom_bypass")
_ALARM_ACTIONS: Mapping[str, str] = {
    "arm_home": "armed_home",
    "arm_away": "armed_away",
    "arm_night": "armed_night",
    "arm_vacation": "armed_vacation",
    "arm_custom_bypass": "armed_custom_bypass",
    "disarm": "disarmed",
    "trigger": "triggered",
}
_STILL = frozenset(_ALARM_ACTIONS.values())
_ON_THE_WAY = frozenset({"arming", "disarming", "pending"})
_REMOTE_CODES = ("REMOTE_CODE", "REMOTE_CODE_TEXT")


@dataclass(frozen=True, slots=True)
class _Alarm:
    """The one verb of an alarm panel."""

    entity: Entity
    sender: Sender
    words: Mapping[str, str]

    def act(self, args: Args) -> Order:
        """Arm, disarm or trigger."""
        action = str(args.get("action", ""))
        if action not in self.words:
            raise refused("The alarm has no such action.", "invalid")
        code = "" if args.get("code") is None else str(args["code"])
        self._check(action, code)
        wire = self.words[action]
        if self.sender.template:
            message = self.sender.message(wire, action=wire, code=code or None)
        else:
            message = (self.sender.topic, wire)
        needs = self.entity.needs("state_topic", Evidence.SETTLED)
        return Order((message,), {"mode": _ALARM_ACTIONS[action]}, needs)

    def _check(self, action: str, code: str) -> None:
        """A panel with a remote code compares it itself, and needs one to compare."""
        wanted = self.entity.fields.text("code")
        purpose = {"disarm": "disarm", "trigger": "trigger"}.get(action, "arm")
        if not wanted or not self.entity.fields.flag(f"code_{purpose}_required", default=True):
            return
        if not (code if wanted in _REMOTE_CODES else code == wanted):
            raise refused("The code is wrong or missing.", "wrong_code")


def _alarm_word(entity: Entity, action: str) -> str:
    return entity.fields.text(f"payload_{action}", action.upper())


def _alarm_state(text: str) -> State:
    if text in _STILL:
        return {"mode": text, "moving": False}
    return {"mode": text, "moving": True} if text in _ON_THE_WAY else {}
