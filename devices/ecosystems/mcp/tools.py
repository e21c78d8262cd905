"""The tools that a server lists, as commands of its device; and what a call of one brought. Pure.

Only flat parameters of simple types can be told by voice. What is meant for the user alone, or
is about the device itself, is never offered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from devices.contract.capability import Kind, OwnCommand, Parameter, ParameterType, Risk
from devices.contract.command import Ack, AckError, AckStatus
from devices.contract.text import clean
from devices.contract.verbs import VERBS
from devices.ecosystems import payload
from devices.ecosystems.mcp.rpc import REFUSED_CODES, SENTENCE_LENGTH, Answer
from devices.ecosystems.risk import is_forbidden, risk_of

MAX_TOOLS = 32
MAX_PARAMETERS = 16
MAX_CHOICES = 64
RESULT_LENGTH = 600
_NAME_LENGTH = 64
# Names of the gateway's own tools: a device's tool of such a name gets the device's before it.
_TAKEN = frozenset(VERBS) | {"get_state", "find_devices", "recent_actions", "confirm"}
_PARAMETER = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
_TYPES = frozenset(ParameterType)


@dataclass(frozen=True, slots=True)
class Toolbox:
    """What of a list can be offered. `originals` are the server's names, by the command's.

    `left_out` are the names of tools that cannot be told by voice.
    """

    commands: tuple[OwnCommand, ...]
    originals: Mapping[str, str]
    left_out: tuple[str, ...] = ()


class _UnspeakableError(Exception):
    """A tool takes what cannot be told."""


def toolbox(listed: Iterable[object], device: str) -> Toolbox:
    """The tools of the device called `device`. What is no tool is left unread."""
    originals: dict[str, str] = {}
    commands: list[OwnCommand] = []
    left_out: list[str] = []
    for raw in listed:
        name = raw.get("name") if isinstance(raw, dict) else None
        if not isinstance(raw, dict) or not isinstance(name, str) or _is_hidden(raw, name):
            continue
        try:
            command = _command(raw, _own_name(name, device, originals), device)
        except _UnspeakableError:
            left_out.append(clean(name, _NAME_LENGTH))
            continue
        if len(commands) < MAX_TOOLS:
            commands.append(command)
            originals[command.name] = name
    return Toolbox(tuple(commands), originals, tuple(left_out[:MAX_TOOLS]))


def acknowledgement(command_id: str, answer: Answer) -> Ack:
    """What the answer to a call means for its command.

    `result` of the state is what the tool says, at most RESULT_LENGTH long.
    """
    if answer.result is None:
        refused = answer.code in REFUSED_CODES
        status = AckStatus.REJECTED if refused else AckStatus.FAILED
        return Ack(command_id, status, error=AckError(str(answer.code), answer.message))
    text = _text(answer.result)
    if answer.result.get("isError") is True:
        said = AckError("tool_error", clean(text, SENTENCE_LENGTH))
        return Ack(command_id, AckStatus.FAILED, error=said)
    return Ack(command_id, AckStatus.SUCCEEDED, {"result": text} if text else {})


def _is_hidden(raw: Mapping[str, Any], name: str) -> bool:
    """Whether it is for the user's own hand, or about the device itself."""
    hints = _hints(raw)
    audience = hints.get("audience")
    for_the_user = isinstance(audience, list) and audience == ["user"]
    title = raw.get("title")
    return for_the_user or is_forbidden(name, title if isinstance(title, str) else "")


def _command(raw: Mapping[str, Any], name: str, device: str) -> OwnCommand:
    hints = _hints(raw)
    said = raw.get("description")
    description = clean(said, SENTENCE_LENGTH) if isinstance(said, str) else ""
    reads = hints.get("readOnlyHint") is True
    destroys = hints.get("destructiveHint") is True and not reads
    risk = Risk.NORMAL if reads else risk_of(Kind.BUTTON, name, description, device)
    return OwnCommand(
        name,
        description,
        _parameters(raw.get("inputSchema")),
        idempotent=reads or hints.get("idempotentHint") is True,
        risk=Risk.GUARDED if destroys else risk,
    )


def _hints(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    hints = raw.get("annotations")
    return hints if isinstance(hints, dict) else {}


def _parameters(schema: object) -> tuple[Parameter, ...]:
    """The parameters that can be told. Raises _UnspeakableError when another one is required."""
    schema = schema if isinstance(schema, dict) else {}
    properties, required = schema.get("properties", {}), schema.get("required", [])
    if not isinstance(properties, dict) or not isinstance(required, list):
        raise _UnspeakableError
    found = []
    for name, told in properties.items():
        parameter = _parameter(name, told, required=name in required)
        if parameter is not None:
            found.append(parameter)
        elif name in required:
            raise _UnspeakableError
    if len(found) > MAX_PARAMETERS:
        raise _UnspeakableError
    return tuple(found)


def _parameter(name: str, told: object, *, required: bool) -> Parameter | None:
    """None for what is not of one simple type."""
    told = _simple(told)
    kind = told.get("type")
    choices = told.get("enum", [])
    if not isinstance(kind, str) or kind not in _TYPES or not _PARAMETER.fullmatch(name):
        return None
    if not isinstance(choices, list):
        return None
    words = [choice for choice in choices if isinstance(choice, str) and choice]
    # Numbers to choose from are no range, and the gateway could not check them.
    if len(words) != len(choices) or len(words) > MAX_CHOICES:
        return None
    if any(word != clean(word, _NAME_LENGTH) for word in words):
        return None
    said = told.get("description")
    return Parameter(
        name,
        ParameterType(kind),
        clean(said, SENTENCE_LENGTH) if isinstance(said, str) else "",
        required=required,
        choices=tuple(words) if kind == ParameterType.STRING else (),
        minimum=_bound(told.get("minimum")),
        maximum=_bound(told.get("maximum")),
    )


def _simple(told: object) -> Mapping[str, Any]:
    """The schema of a value that may also be null, as that of the value."""
    if not isinstance(told, dict):
        return {}
    either = told.get("anyOf", told.get("oneOf"))
    if isinstance(either, list):
        values = [one for one in either if isinstance(one, dict) and one.get("type") != "null"]
        return {**told, **values[0]} if len(values) == 1 else {}
    kinds = told.get("type")
    if isinstance(kinds, list):
        values = [kind for kind in kinds if kind != "null"]
        return {**told, "type": values[0]} if len(values) == 1 else {}
    return told if isinstance(kinds, str) else {}


def _bound(value: object) -> float | None:
    return payload.number(value) if isinstance(value, int | float) else None


def _own_name(name: str, device: str, taken: Collection[str]) -> str:
    """A name that every provider takes, and that no other tool of the device has."""
    plain = _word(name) or "tool"
    if plain in _TAKEN:
        plain = f"{_word(device).casefold() or 'device'}_{plain}"
    plain = plain[:_NAME_LENGTH]
    number = 2
    found = plain
    while found in taken:
        found = f"{plain[: _NAME_LENGTH - 4]}_{number}"
        number += 1
    return found


def _word(text: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]+", "_", text).strip("_")


def _text(result: Mapping[str, Any]) -> str:
    """All that a tool says, on one line."""
    content = result.get("content")
    parts: Sequence[object] = content if isinstance(content, list) else ()
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    said = " ".join(text for text in texts[:MAX_CHOICES] if isinstance(text, str))
    if not said and isinstance(result.get("structuredContent"), dict):
        said = json.dumps(result["structuredContent"], ensure_ascii=False)
    return clean(said, RESULT_LENGTH)
