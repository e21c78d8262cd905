"""The wire form of contract version 1: bytes to data and back, checked and bounded.

Every decoder takes bytes from the network and raises a ContractError with a sentence that
says what is wrong; it never raises anything else and never returns half a message.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeGuard, TypeVar

from pydantic import ValidationError as PydanticError

from devices.contract.capability import (
    CONTRACT_VERSION,
    Capability,
    Description,
    Kind,
    OwnCommand,
    Parameter,
    ParameterType,
    default_risk,
    object_schema,
)
from devices.contract.command import Ack, AckError, Command, Scalar
from devices.contract.errors import ContractError, PayloadError, VersionError
from devices.contract.text import clean
from devices.contract.topics import check_device_id
from devices.contract.wire import (
    NAME_LENGTH,
    VALUE_LENGTH,
    AckWire,
    CapabilityWire,
    CommandWire,
    DescriptionWire,
    OwnCommandWire,
    PropertyWire,
    Wire,
)

# A description with 64 capabilities and 32 commands stays under 32 KiB.
MAX_DESCRIPTION_BYTES = 64 * 1024
MAX_STATE_BYTES = 16 * 1024
MAX_ACK_BYTES = 16 * 1024
MAX_COMMAND_BYTES = 16 * 1024
MAX_STATE_KEYS = 128
MAX_INTEGER = 2**63

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))

_M = TypeVar("_M", bound=Wire)


def decode_description(payload: bytes) -> Description:
    """A device's description. Raises PayloadError, VersionError or TopicError (bad id)."""
    raw = _json_object(payload, MAX_DESCRIPTION_BYTES, "description")
    version = raw.get("contract")
    if version != CONTRACT_VERSION:
        shown = repr(version[:20]) if isinstance(version, str) else _number_or_kind(version)
        raise VersionError(
            f"the description has contract {shown}, this gateway speaks {CONTRACT_VERSION}"
        )
    raw["capabilities"] = _known_kinds(raw.get("capabilities", []))
    wire = _checked(DescriptionWire, raw, "description")
    return Description(
        id=check_device_id(wire.id),
        name=wire.name,
        area=wire.area,
        aliases=tuple(wire.aliases),
        capabilities=tuple(_capability(c) for c in wire.capabilities),
        commands=tuple(_own_command(c) for c in wire.commands),
    )


def encode_description(description: Description) -> bytes:
    """The wire form of `description`; the inverse of `decode_description`."""
    return _dump(
        {
            "contract": CONTRACT_VERSION,
            "id": description.id,
            "name": description.name,
            "area": description.area,
            "aliases": list(description.aliases),
            "capabilities": [_capability_wire(c) for c in description.capabilities],
            "commands": [_own_command_wire(c) for c in description.commands],
        }
    )


def decode_state(payload: bytes) -> dict[str, Scalar]:
    """A device's state. What is no text, boolean or usable number is dropped.

    Raises PayloadError.
    """
    return _scalars(_json_object(payload, MAX_STATE_BYTES, "state"))


def encode_state(state: Mapping[str, Scalar]) -> bytes:
    """The wire form of a state."""
    return _dump(dict(state))


def decode_availability(payload: bytes) -> bool:
    """Whether the device is online. Raises PayloadError for any other word."""
    if payload == b"online":
        return True
    if payload == b"offline":
        return False
    raise PayloadError(f"availability is online or offline, not {_shown(payload)}")


def encode_availability(*, online: bool) -> bytes:
    """The wire form of an availability."""
    return b"online" if online else b"offline"


def decode_ack(payload: bytes) -> Ack:
    """An acknowledgement. Raises PayloadError."""
    wire = _checked(AckWire, _json_object(payload, MAX_ACK_BYTES, "ack"), "ack")
    return Ack(
        id=wire.id,
        status=wire.status,
        state=_scalars(wire.state or {}),
        error=None if wire.error is None else AckError(wire.error.code, wire.error.message),
        percent=wire.percent,
    )


def encode_ack(ack: Ack) -> bytes:
    """The wire form of an acknowledgement; keys without a value are left out."""
    body: dict[str, object] = {"id": ack.id, "status": ack.status.value}
    if ack.percent is not None:
        body["percent"] = ack.percent
    if ack.state:
        body["state"] = dict(ack.state)
    if ack.error is not None:
        body["error"] = {"code": ack.error.code, "message": ack.error.message}
    return _dump(body)


def decode_command(payload: bytes) -> Command:
    """A command, on the device's side. Raises PayloadError."""
    raw = _json_object(payload, MAX_COMMAND_BYTES, "command")
    wire = _checked(CommandWire, raw, "command")
    if any(isinstance(v, str) and len(v) > VALUE_LENGTH for v in wire.args.values()):
        raise PayloadError(f"the command has a text of more than {VALUE_LENGTH} characters")
    args = _scalars(wire.args)
    if len(args) != len(wire.args):
        raise PayloadError("the command has an argument that is no text, number or boolean")
    return Command(wire.id, wire.command, args, wire.ttl_ms, wire.attempt)


def encode_command(command: Command) -> bytes:
    """The wire form of a command."""
    return _dump(
        {
            "id": command.id,
            "command": command.command,
            "args": dict(command.args),
            "ttl_ms": command.ttl_ms,
            "attempt": command.attempt,
        }
    )


def _json_object(payload: bytes, limit: int, what: str) -> dict[str, Any]:
    if len(payload) > limit:
        raise PayloadError(f"the {what} has {len(payload)} bytes, more than {limit}")
    try:
        value = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise PayloadError(f"the {what} is no JSON: {_shown(payload)}") from error
    if not isinstance(value, dict):
        raise PayloadError(f"the {what} is no JSON object: {_shown(payload)}")
    return value


def _checked(model: type[_M], raw: Mapping[str, object], what: str) -> _M:
    try:
        return model.model_validate(raw)
    except PydanticError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = clean(".".join(str(part) for part in first["loc"]), 80)
        raise PayloadError(f"the {what} is wrong at {place}: {first['msg']}") from error
    except RecursionError as error:
        raise PayloadError(f"the {what} is nested too deeply") from error


def _number_or_kind(value: object) -> str:
    """What of `value` is worth showing: numbers, not the inside of whatever was sent."""
    return str(value)[:20] if isinstance(value, int | float) else type(value).__name__


def _known_kinds(capabilities: object) -> object:
    """Without the capabilities of a kind that this version does not know."""
    if not isinstance(capabilities, list):
        return capabilities
    known = set(Kind)
    return [
        c
        for c in capabilities
        if not (isinstance(c, dict) and isinstance(c.get("kind"), str) and c["kind"] not in known)
    ]


def _capability(wire: CapabilityWire) -> Capability:
    return Capability(
        kind=wire.kind,
        name=wire.name,
        minimum=wire.min,
        maximum=wire.max,
        step=wire.step,
        unit=wire.unit,
        options=tuple(wire.options),
        risk=wire.risk or default_risk(wire.kind),
    )


def _capability_wire(capability: Capability) -> dict[str, object]:
    body: dict[str, object] = {
        "kind": capability.kind.value,
        "name": capability.name,
        "min": capability.minimum,
        "max": capability.maximum,
        "step": capability.step,
        "unit": capability.unit,
        "options": list(capability.options) or None,
        "risk": None if capability.risk is default_risk(capability.kind) else capability.risk.value,
    }
    return {key: value for key, value in body.items() if value is not None}


def _own_command(wire: OwnCommandWire) -> OwnCommand:
    if wire.parameters.type != "object":
        raise PayloadError(f"the parameters of {wire.name} are no JSON schema object")
    required = frozenset(wire.parameters.required)
    unknown = required - wire.parameters.properties.keys()
    if unknown:
        raise PayloadError(f"{wire.name} requires parameters that it does not describe")
    return OwnCommand(
        name=wire.name,
        description=wire.description,
        parameters=tuple(
            _parameter(wire.name, name, schema, required=name in required)
            for name, schema in wire.parameters.properties.items()
        ),
        idempotent=wire.idempotent,
        risk=wire.risk,
        answer_within_ms=wire.answer_within_ms,
    )


# Words that only explain. Any other word of JSON schema would bind the device to something
# that no provider passes on and the gateway would not check.
_EXPLAINING = frozenset({"title", "default", "examples", "$comment", "format", "unit"})


def _parameter(command: str, name: str, wire: PropertyWire, *, required: bool) -> Parameter:
    unsupported = sorted((wire.model_extra or {}).keys() - _EXPLAINING)
    if unsupported:
        raise PayloadError(
            f"parameter {name} of {command} uses {unsupported[0][:40]!r}: only type, enum, "
            "minimum, maximum and description are understood"
        )
    if wire.enum and wire.type is not ParameterType.STRING:
        raise PayloadError(f"parameter {name} of {command} has an enum but is no string")
    return Parameter(
        name=name,
        type=wire.type,
        description=wire.description,
        required=required,
        choices=tuple(wire.enum or ()),
        minimum=wire.minimum,
        maximum=wire.maximum,
    )


def _own_command_wire(command: OwnCommand) -> dict[str, object]:
    body: dict[str, object] = {
        "name": command.name,
        "description": command.description,
        "idempotent": command.idempotent,
        "risk": command.risk.value,
        "parameters": object_schema(command.parameters),
    }
    if command.answer_within_ms is not None:
        body["answer_within_ms"] = command.answer_within_ms
    return body


def _scalars(raw: Mapping[str, object]) -> dict[str, Scalar]:
    state: dict[str, Scalar] = {}
    for key, value in raw.items():
        if len(state) == MAX_STATE_KEYS:
            break
        name = clean(key, NAME_LENGTH)
        if isinstance(value, str):
            state[name] = clean(value, VALUE_LENGTH)
        elif _is_plain(value):
            state[name] = value
    return state


def _is_plain(value: object) -> TypeGuard[int | float | bool | None]:
    """Null, a boolean, or a number that arithmetic can take."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) <= MAX_INTEGER)


def _shown(payload: bytes) -> str:
    return repr(clean(payload[:60].decode("utf-8", "replace"), 60))


def _dump(body: object) -> bytes:
    return _ENCODER.encode(body).encode()


__all__ = [
    "ContractError",
    "decode_ack",
    "decode_availability",
    "decode_command",
    "decode_description",
    "decode_state",
    "encode_ack",
    "encode_availability",
    "encode_command",
    "encode_description",
    "encode_state",
]
