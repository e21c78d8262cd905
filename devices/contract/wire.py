"""The shapes of contract version 1 as pydantic checks them: limits, patterns, cleaned texts.

Only the codec uses these; everybody else sees the frozen data of capability and command.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from devices.contract.capability import Kind, ParameterType, Risk
from devices.contract.command import AckStatus
from devices.contract.text import clean

NAME_LENGTH = 64
SENTENCE_LENGTH = 300
VALUE_LENGTH = 255


def _cleaned(limit: int) -> BeforeValidator:
    return BeforeValidator(lambda value: clean(value, limit) if isinstance(value, str) else value)


_Name = Annotated[str, _cleaned(NAME_LENGTH), StringConstraints(min_length=1)]
_Label = Annotated[str, _cleaned(NAME_LENGTH)]
_Sentence = Annotated[str, _cleaned(SENTENCE_LENGTH)]
_Option = Annotated[str, _cleaned(NAME_LENGTH), StringConstraints(min_length=1)]
_Word = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")]
_ToolName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
_CommandId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
_Finite = Annotated[float, Field(allow_inf_nan=False)]


class Wire(BaseModel):
    """What every message is: an object whose unknown keys are left unread."""

    # A later minor revision may add keys; this one reads what it knows.
    model_config = ConfigDict(extra="ignore")


class CapabilityWire(Wire):
    """One entry of `capabilities`."""

    kind: Kind
    name: _Name | None = None
    min: _Finite | None = None
    max: _Finite | None = None
    step: _Finite | None = None
    unit: _Label | None = None
    options: Annotated[list[_Option], Field(max_length=100)] = []
    risk: Risk | None = None


class PropertyWire(Wire):
    """One parameter of an own command; other words of JSON schema stay in `model_extra`."""

    model_config = ConfigDict(extra="allow")

    type: ParameterType
    description: _Sentence = ""
    enum: Annotated[list[_Option], Field(min_length=1, max_length=100)] | None = None
    minimum: _Finite | None = None
    maximum: _Finite | None = None


class ParametersWire(Wire):
    """The parameters of an own command."""

    type: str = "object"
    properties: Annotated[dict[_Word, PropertyWire], Field(max_length=16)] = {}
    required: list[str] = []


class OwnCommandWire(Wire):
    """One entry of `commands`."""

    name: _ToolName
    description: _Sentence = ""
    idempotent: bool = False
    risk: Risk = Risk.NORMAL
    answer_within_ms: Annotated[int, Field(ge=100, le=600_000)] | None = None
    parameters: ParametersWire = ParametersWire()


class DescriptionWire(Wire):
    """A description."""

    id: str
    name: _Name
    area: _Label = ""
    aliases: Annotated[list[_Name], Field(max_length=16)] = []
    capabilities: Annotated[list[CapabilityWire], Field(max_length=64)] = []
    commands: Annotated[list[OwnCommandWire], Field(max_length=32)] = []


class AckErrorWire(Wire):
    """The `error` of an acknowledgement."""

    code: _Label = ""
    message: _Sentence = ""


class AckWire(Wire):
    """An acknowledgement."""

    id: _CommandId
    status: AckStatus
    state: dict[str, Any] | None = None
    error: AckErrorWire | None = None
    percent: Annotated[float, Field(ge=0, le=100)] | None = None


class CommandWire(Wire):
    """A command."""

    id: _CommandId
    command: _ToolName
    args: dict[str, Any] = {}
    ttl_ms: Annotated[int, Field(le=3_600_000)]
    attempt: Annotated[int, Field(ge=1)] = 1
