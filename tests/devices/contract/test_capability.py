from __future__ import annotations

import json

import pytest

from devices.contract.capability import (
    Capability,
    Description,
    Kind,
    OwnCommand,
    Parameter,
    ParameterType,
    Risk,
    object_schema,
)
from devices.contract.codec import decode_description, encode_description

pytestmark = pytest.mark.unit


def test_a_parameter_tells_only_what_it_knows() -> None:
    assert Parameter("name", ParameterType.STRING).schema() == {"type": "string"}


def test_a_parameter_tells_choices_and_bounds_as_json_schema() -> None:
    cups = Parameter("cups", ParameterType.INTEGER, "How many.", minimum=1.0, maximum=4.0)
    roast = Parameter("roast", ParameterType.STRING, choices=("light", "dark"))
    assert cups.schema() == {
        "type": "integer",
        "description": "How many.",
        "minimum": 1,
        "maximum": 4,
    }
    assert roast.schema() == {"type": "string", "enum": ["light", "dark"]}


def test_whole_bounds_are_written_without_a_fraction() -> None:
    schema = Parameter("t", ParameterType.NUMBER, minimum=5.0, maximum=30.5).schema()
    assert repr(schema["minimum"]) == "5"
    assert repr(schema["maximum"]) == "30.5"


def test_an_object_schema_names_what_is_required() -> None:
    optional = Parameter("b", ParameterType.BOOLEAN, required=False)
    schema = object_schema((Parameter("a", ParameterType.STRING), optional))
    assert schema["required"] == ["a"]
    assert list(schema["properties"]) == ["a", "b"]  # type: ignore[call-overload]


def test_no_parameters_are_still_an_object() -> None:
    assert object_schema(()) == {"type": "object", "properties": {}, "required": []}


def test_a_description_finds_its_capabilities_and_commands() -> None:
    brew = OwnCommand("brew_coffee", "Brew cups of coffee.")
    power, sensor = Capability(Kind.POWER), Capability(Kind.SENSOR, name="temperature")
    machine = Description("coffee", "Coffee", capabilities=(sensor, power), commands=(brew,))
    assert machine.of_kind(Kind.POWER, Kind.SENSOR) == (sensor, power)
    assert machine.of_kind(Kind.LOCK) == ()
    assert machine.own_command("brew_coffee") is brew
    assert machine.own_command("brew_tea") is None


@pytest.mark.parametrize(
    ("capability", "risk"),
    [
        ({"kind": "lock"}, Risk.GUARDED),
        ({"kind": "alarm"}, Risk.GUARDED),
        ({"kind": "lock", "risk": "normal"}, Risk.NORMAL),
        ({"kind": "power"}, Risk.NORMAL),
        ({"kind": "power", "risk": "forbidden"}, Risk.FORBIDDEN),
    ],
)
def test_a_lock_that_states_no_risk_is_guarded(capability: dict[str, str], risk: Risk) -> None:
    body = {"contract": 1, "id": "d", "name": "D", "capabilities": [capability]}
    description = decode_description(json.dumps(body).encode())
    assert description.capabilities[0].risk is risk
    assert decode_description(encode_description(description)) == description
