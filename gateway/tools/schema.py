"""Tools as the definitions that providers take, within a budget of bytes.

Pure: a long list of targets is left out before a tool is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from devices.contract.capability import Parameter, object_schema
from gateway.tools.arguments import OpenParameter
from gateway.tools.base import Tool

# Definitions are read by the model at every turn: they cost latency and attention.
LISTING_BUDGET_BYTES = 6_000
MAX_BYTES = 8_000

_LISTED = "Device, area or kind"
_SEARCHED = "Device, area or kind ('kitchen lights'); names by find_devices"

Definition = Mapping[str, Any]
Format = Literal["navtalk", "openai", "elevenlabs"]


def definitions(tools: Sequence[Tool]) -> list[Definition]:
    """One definition a tool; the longest lists of targets go until LISTING_BUDGET_BYTES is met."""
    listed = {tool.name: definition(tool) for tool in tools}
    by_length = sorted(tools, key=_listed_targets, reverse=True)
    for tool in by_length:
        if size_bytes(listed.values()) <= LISTING_BUDGET_BYTES:
            break
        listed[tool.name] = definition(tool, list_targets=False)
    return list(listed.values())


def definition(tool: Tool, *, list_targets: bool = True) -> Definition:
    """{"type": "function", "name", "description", "parameters"}."""
    parameters = tuple(_described(p, list_targets=list_targets) for p in tool.parameters)
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": object_schema(parameters),
    }


def needs_search(offered: Iterable[Definition]) -> bool:
    """Whether some tool takes targets that it does not list."""
    return any(
        p.get("description") == _SEARCHED
        for d in offered
        for p in d["parameters"]["properties"].values()
    )


def size_bytes(offered: Iterable[Definition]) -> int:
    """The size of the definitions as plain JSON, the longest form that any dialect sends."""
    return len(json.dumps(list(offered)))


def definitions_for(style: Format, offered: Iterable[Definition]) -> list[dict[str, Any]]:
    """The definitions as a provider takes them; for ElevenLabs, what its dashboard takes."""
    if style == "elevenlabs":
        return [_client_tool(d) for d in offered]
    return [dict(d) for d in offered]


def _client_tool(offered: Definition) -> dict[str, Any]:
    """An ElevenLabs client tool: its agent must wait for us, and hear our failures."""
    parameters = offered["parameters"]
    return {
        "type": "client",
        "name": offered["name"],
        "description": offered["description"],
        "expects_response": True,
        "response_timeout_secs": 20,
        "tool_error_handling_mode": "passthrough",
        "parameters": {
            **parameters,
            "properties": {n: _literal(n, p) for n, p in parameters["properties"].items()},
        },
    }


def _literal(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """There every parameter needs a description, and a range can only be said in words."""
    words = str(schema.get("description") or name.replace("_", " "))
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None or high is not None:
        words += f" ({'' if low is None else low} to {'' if high is None else high})"
    literal = {"type": schema["type"], "description": words}
    return literal | ({"enum": schema["enum"]} if "enum" in schema else {})


def _listed_targets(tool: Tool) -> int:
    return sum(len(p.choices) for p in tool.parameters if _is_target(p))


def _is_target(parameter: Parameter) -> bool:
    return isinstance(parameter, OpenParameter) and parameter.name == "target"


def _described(parameter: Parameter, *, list_targets: bool) -> Parameter:
    if not _is_target(parameter):
        return parameter
    if list_targets and parameter.choices:
        return replace(parameter, description=_LISTED)
    return replace(parameter, description=_SEARCHED, choices=())
