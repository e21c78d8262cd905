"""What a device is and can do: the description of contract version 1, as data.

Ecosystems translate what they hear into these; tools and policy read nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

CONTRACT_VERSION = 1


class Kind(StrEnum):
    """What a capability lets one do with a device."""

    POWER = "power"
    BRIGHTNESS = "brightness"
    COLOR = "color"
    COLOR_TEMPERATURE = "color_temperature"
    COVER = "cover"
    LOCK = "lock"
    CLIMATE = "climate"
    FAN = "fan"
    NUMBER = "number"
    SELECT = "select"
    TEXT = "text"
    BUTTON = "button"
    SCENE = "scene"
    VACUUM = "vacuum"
    ALARM = "alarm"
    SENSOR = "sensor"


class Risk(StrEnum):
    """How dangerous an action is; policy says what each class means in this house."""

    NORMAL = "normal"
    GUARDED = "guarded"
    FORBIDDEN = "forbidden"


# Whoever builds a lock and says nothing of its risk did not mean "anyone may open it".
_GUARDED_KINDS = frozenset({Kind.LOCK, Kind.ALARM})


def default_risk(kind: Kind) -> Risk:
    """The risk of a capability whose description does not state one."""
    return Risk.GUARDED if kind in _GUARDED_KINDS else Risk.NORMAL


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing a device can do or report.

    `name` tells capabilities of one kind apart (and is then the state key); `minimum`,
    `maximum` and `step` are in `unit`; None means the device does not say.
    """

    kind: Kind
    name: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    unit: str | None = None
    options: tuple[str, ...] = ()
    risk: Risk = Risk.NORMAL


class ParameterType(StrEnum):
    """JSON types that every realtime provider accepts for a tool's parameter."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One named argument. `minimum` and `maximum` are inclusive, None means unbounded."""

    name: str
    type: ParameterType
    description: str = ""
    required: bool = True
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    def schema(self) -> dict[str, object]:
        """This parameter as a JSON schema property."""
        schema: dict[str, object] = {"type": self.type.value}
        if self.description:
            schema["description"] = self.description
        if self.choices:
            schema["enum"] = list(self.choices)
        if self.minimum is not None:
            schema["minimum"] = _tidy(self.minimum)
        if self.maximum is not None:
            schema["maximum"] = _tidy(self.maximum)
        return schema


def object_schema(parameters: tuple[Parameter, ...]) -> dict[str, object]:
    """`parameters` as one flat JSON schema object, `properties` and `required` always there."""
    return {
        "type": "object",
        "properties": {p.name: p.schema() for p in parameters},
        "required": [p.name for p in parameters if p.required],
    }


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """A command that only this device understands, offered to the model under its own name.

    `idempotent` is True only when doing it twice equals doing it once. `answer_within_ms`
    is the device's own patience for an answer, None for the gateway's.
    """

    name: str
    description: str
    parameters: tuple[Parameter, ...] = ()
    idempotent: bool = False
    risk: Risk = Risk.NORMAL
    answer_within_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Description:
    """A device as it announced itself. `area` is "" when it did not say."""

    id: str
    name: str
    area: str = ""
    aliases: tuple[str, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    commands: tuple[OwnCommand, ...] = ()

    def of_kind(self, *kinds: Kind) -> tuple[Capability, ...]:
        """The capabilities of any of `kinds`, in the announced order."""
        return tuple(c for c in self.capabilities if c.kind in kinds)

    def own_command(self, name: str) -> OwnCommand | None:
        """The device's own command of that name, None when it has none."""
        return next((c for c in self.commands if c.name == name), None)


def _tidy(number: float) -> float | int:
    return int(number) if float(number).is_integer() else number
