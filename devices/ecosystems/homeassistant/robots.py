"""What drives about by itself: vacuum cleaners and lawn mowers.

Going home is on the way until it is docked; cleaning is done as soon as it cleans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.contract.capability import Kind
from devices.contract.command import Evidence
from devices.ecosystems.homeassistant.entity import Entity, Sender, json_object
from devices.ecosystems.homeassistant.part import (
    Args,
    Obey,
    Order,
    Part,
    State,
    Trip,
    merged,
    refused,
)

_KEYS = frozenset({"vacuum:", "moving"})
_ERROR = Trip("error", "The robot reports an error.", _KEYS)
# Whether it moves while it works is not said: its place in the house never settles.
_STATES: Mapping[str, State] = {
    "cleaning": {"mode": "cleaning", "moving": None},
    "mowing": {"mode": "mowing", "moving": None},
    "returning": {"mode": "returning", "moving": True},
    "docked": {"mode": "docked", "moving": False},
    "idle": {"mode": "idle", "moving": False},
    "paused": {"mode": "paused", "moving": False},
    "error": {"mode": "error", "moving": False},
}
_SETTLES: Mapping[str, tuple[State, Evidence]] = {
    "start": ({"mode": "cleaning"}, Evidence.REPORTED),
    "mow": ({"mode": "mowing"}, Evidence.REPORTED),
    "clean_spot": ({"mode": "cleaning"}, Evidence.REPORTED),
    "pause": ({"mode": "paused"}, Evidence.SETTLED),
    "stop": ({"moving": False}, Evidence.SETTLED),
    "return_to_base": ({"mode": "docked"}, Evidence.SETTLED),
    "locate": ({}, Evidence.PUBLISHED),
}
_FEATURES = {"return_to_base": "return_home"}
_DEFAULT_FEATURES = ("start", "stop", "return_home", "clean_spot")
_ACTIONS = ("start", "pause", "stop", "return_to_base", "clean_spot", "locate")


def vacuum(entity: Entity) -> Part:
    """A robot vacuum cleaner, and how hard it sucks."""
    sender = entity.sender("command_topic")
    if sender is None:
        return Part()
    fields = entity.fields
    features = fields.words("supported_features", _DEFAULT_FEATURES)
    words = {
        action: (sender, fields.text(f"payload_{action}", action))
        for action in _ACTIONS
        if _FEATURES.get(action, action) in features
    }
    return merged(_robot(entity, words, "state_topic", ""), _suction(entity))


def lawn_mower(entity: Entity) -> Part:
    """A robot lawn mower; each action has a topic of its own."""
    topics = {"start": "start_mowing", "pause": "pause", "return_to_base": "dock"}
    words = {}
    for action, name in topics.items():
        sender = entity.sender(f"{name}_command_topic", f"{name}_command_template")
        if sender is not None:
            words[action] = (sender, name)
    return _robot(entity, words, "activity_state_topic", "activity_value_template")


def _robot(
    entity: Entity,
    words: Mapping[str, tuple[Sender, str]],
    state_topic_key: str,
    template_key: str,
) -> Part:
    if not words:
        return Part()
    robot = _Robot(words, entity.needs(state_topic_key, Evidence.SETTLED), entity.component)
    verbs: dict[str, Obey] = {"vacuum": robot.act}
    if words.keys() & {"stop", "pause"}:
        verbs["stop"] = robot.stop
    return Part(
        (entity.capability(Kind.VACUUM, options=tuple(words)),),
        entity.sources(
            state_topic_key,
            template_key,
            lambda text: _STATES.get(_state(text), {}),
            evidence=Evidence.REPORTED,
            trip=lambda text: _ERROR if _state(text) == "error" else None,
        ),
        verbs,
    )


@dataclass(frozen=True, slots=True)
class _Robot:
    """The verbs of a robot."""

    words: Mapping[str, tuple[Sender, str]]
    needs: Evidence
    component: str

    def act(self, args: Args) -> Order:
        """One of its actions."""
        action = str(args.get("action", ""))
        if action not in self.words:
            raise refused("It has no such action.", "invalid")
        mows = action == "start" and self.component == "lawn_mower"
        return self._order(action, "mow" if mows else action)

    def stop(self, _: Args) -> Order:
        """Stop where it can, else pause; either way nothing moves then."""
        action = "stop" if "stop" in self.words else "pause"
        if action not in self.words:
            raise refused("It cannot be stopped.")
        return self._order(action, "stop")

    def _order(self, action: str, effect: str) -> Order:
        sender, word = self.words[action]
        state, level = _SETTLES[effect]
        return Order((sender.message(word),), state, min(level, self.needs))


def _suction(entity: Entity) -> Part:
    """How hard it sucks: a topic that is called otherwise than all others."""
    fields = entity.fields
    topic = fields.topic("set_fan_speed_topic")
    options = fields.words("fan_speed_list")
    if not topic or not options:
        return Part()
    told = {wire: shown for shown, wire in options.items()}
    needs = entity.needs("state_topic")
    name = "fan speed"

    def change(value: object) -> Order:
        if value not in options:
            raise refused(f"{name} must be one of the announced options.", "invalid")
        return Order(((topic, options[str(value)]),), {name: str(value)}, needs)

    def read(text: str) -> State:
        speed = json_object(text).get("fan_speed")
        return {name: told[speed]} if isinstance(speed, str) and speed in told else {}

    return Part(
        (entity.capability(Kind.SELECT, name, options=tuple(options)),),
        entity.sources("state_topic", "", read),
        values={name: change},
    )


def _state(text: str) -> str:
    """The state in a JSON object, or the text itself."""
    found = json_object(text).get("state", text)
    return found if isinstance(found, str) else ""
