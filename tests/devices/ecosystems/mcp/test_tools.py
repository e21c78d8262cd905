from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.capability import OwnCommand, ParameterType, Risk
from devices.contract.command import AckStatus
from devices.ecosystems.mcp.rpc import Answer
from devices.ecosystems.mcp.tools import (
    MAX_TOOLS,
    RESULT_LENGTH,
    Toolbox,
    acknowledgement,
    toolbox,
)

pytestmark = pytest.mark.unit


def one(**tool: Any) -> OwnCommand:
    (command,) = toolbox([{"name": "shine"} | tool], "Desk lamp").commands
    return command


def taking(**properties: Any) -> Toolbox:
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return toolbox([{"name": "shine", "inputSchema": schema}], "Desk lamp")


def test_parameters_of_the_simple_types() -> None:
    found = taking(
        percent={"type": "integer", "minimum": 0, "maximum": 100, "description": "How\nbright"},
        factor={"type": "number"},
        fade={"type": "boolean"},
        mood={"type": "string", "enum": ["warm", "cold"]},
        maybe={"anyOf": [{"type": "string"}, {"type": "null"}]},
        listed={"type": ["null", "integer"]},
    )
    (command,) = found.commands
    assert [p.type for p in command.parameters] == [
        *(ParameterType.INTEGER, ParameterType.NUMBER, ParameterType.BOOLEAN),
        *(ParameterType.STRING, ParameterType.STRING, ParameterType.INTEGER),
    ]
    percent, _, _, mood, _, _ = command.parameters
    assert (percent.minimum, percent.maximum, percent.description) == (0, 100, "How bright")
    assert mood.choices == ("warm", "cold")


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "object"},
        {"type": "array", "items": {"type": "string"}},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "integer", "enum": [1, 2]},
        {"type": "string", "enum": ["a\nb"]},
        {"$ref": "#/x"},
        {"type": ["null", "number"], "anyOf": [{}]},
        {"type": [{"type": "string"}, "null"]},
        True,
    ],
)
def test_what_cannot_be_told_leaves_its_tool_out(odd: object) -> None:
    assert taking(odd=odd).left_out == ("shine",)
    assert not taking(odd=odd).commands
    schema = {"properties": {"odd": odd}}
    assert one(inputSchema=schema).parameters == ()


def test_names_that_every_provider_takes() -> None:
    names = ["self.lamp.set", "self/lamp/set", "licht an", "turn_on", "x" * 100, "\N{SNOWMAN}"]
    box = toolbox([{"name": name} for name in names], "Desk lamp")
    offered = [command.name for command in box.commands]
    assert offered == [
        *("self_lamp_set", "self_lamp_set_2", "licht_an"),
        *("desk_lamp_turn_on", "x" * 64, "tool"),
    ]
    assert [box.originals[name] for name in offered] == names


def test_what_is_for_the_user_or_about_the_device_is_not_offered() -> None:
    hidden = [
        {"name": "snapshot", "annotations": {"audience": ["user"]}},
        {"name": "self.reboot"},
        {"name": "do", "title": "Update firmware"},
    ]
    assert toolbox(hidden, "Lamp") == Toolbox((), {})
    assert one(annotations={"audience": ["user", "assistant"]}).name == "shine"


@pytest.mark.parametrize(
    ("tool", "risk", "idempotent"),
    [
        ({}, Risk.NORMAL, False),
        ({"annotations": {"destructiveHint": True}}, Risk.GUARDED, False),
        ({"annotations": {"readOnlyHint": True, "destructiveHint": True}}, Risk.NORMAL, True),
        ({"annotations": {"idempotentHint": True}}, Risk.NORMAL, True),
        ({"description": "Open the garage door."}, Risk.GUARDED, False),
        ({"annotations": 7}, Risk.NORMAL, False),
    ],
)
def test_how_dangerous_it_is(tool: dict[str, Any], risk: Risk, idempotent: bool) -> None:
    command = one(**tool)
    assert (command.risk, command.idempotent) == (risk, idempotent)


def test_more_tools_than_a_device_may_have() -> None:
    many = [{"name": f"t{number}"} for number in range(200)]
    assert len(toolbox(many, "Lamp").commands) == MAX_TOOLS


def text(*parts: object, **more: Any) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": part} for part in parts], **more}


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        (Answer(1, text("on", "at\n5")), AckStatus.SUCCEEDED, "on at 5"),
        (Answer(1, text("x" * 9999)), AckStatus.SUCCEEDED, "x" * (RESULT_LENGTH - 1) + "…"),
        (Answer(1, {"structuredContent": {"on": True}}), AckStatus.SUCCEEDED, '{"on": true}'),
        (Answer(1, {"content": 7}), AckStatus.SUCCEEDED, None),
        (Answer(1, text("It is stuck.", isError=True)), AckStatus.FAILED, "It is stuck."),
        (Answer(1, None, -32602, "no"), AckStatus.REJECTED, "no"),
        (Answer(1, None, -32603, "oops"), AckStatus.FAILED, "oops"),
    ],
)
def test_what_a_call_brought(answer: Answer, status: AckStatus, said: str | None) -> None:
    ack = acknowledgement("c1", answer)
    assert (ack.id, ack.status) == ("c1", status)
    assert (ack.error.message if ack.error else ack.state.get("result")) == said


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ["name", "title", "description", "inputSchema", "annotations"]


@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON, max_size=3))
def test_any_list(listed: list[Any]) -> None:
    for command in toolbox(listed, "Lamp").commands:
        assert 0 < len(command.name) <= 64


KINDS = st.sampled_from(["string", "integer", "object", ["null", "number"], 7])
SCHEMAS = st.fixed_dictionaries(
    {"type": KINDS}, optional={"enum": JSON, "minimum": JSON, "anyOf": JSON, "description": JSON}
)


@given(st.dictionaries(st.text(max_size=5), SCHEMAS | JSON, max_size=3), JSON)
def test_any_schema(properties: dict[str, Any], required: Any) -> None:
    schema = {"properties": properties, "required": required}
    for command in toolbox([{"name": "x", "inputSchema": schema}], "Lamp").commands:
        json.dumps([parameter.schema() for parameter in command.parameters], allow_nan=False)


@given(JSON)
def test_any_result(result: Any) -> None:
    ack = acknowledgement("c1", Answer(1, {"content": result, "isError": result}))
    assert len(str(ack.state.get("result", ""))) <= RESULT_LENGTH
