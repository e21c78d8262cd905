"""The arguments of a command: types in a method's signature become checks and a description."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any, cast, get_type_hints

from pydantic import TypeAdapter, ValidationError

from devices.contract.capability import Parameter, ParameterType
from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError
from devices.contract.text import clean


class Argument:
    """One argument of a command, checked by the type that its method declares.

    `required` is False when it has a default or may be None; `blank` is True when None must
    be passed for it, because the method names no default.
    """

    def __init__(self, name: str, annotation: object, *, has_default: bool) -> None:
        self.name = name
        self._adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", annotation))
        self._schema = self._adapter.json_schema()
        self.blank = not has_default and {"type": "null"} in self._schema.get("anyOf", [])
        self.required = not has_default and not self.blank

    def read(self, value: Scalar) -> object:
        """`value` as the method wants it. Raises CommandRefusedError (invalid_arguments)."""
        if isinstance(value, float) and value.is_integer():
            value = self._integer_where_wanted(value)
        try:
            return self._adapter.validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            reason = error.errors(include_url=False, include_context=False)[0]["msg"]
            raise invalid(f"{self.name} is wrong: {reason[:1].lower()}{reason[1:]}.") from error

    def parameter(self) -> Parameter:
        """How the description tells it. Raises TypeError for a type that it cannot tell."""
        schema = _flat(self._schema)
        kind = schema.get("type")
        choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
        if kind not in set(ParameterType) or (choices and kind != "string"):
            raise TypeError(
                f"argument {self.name} must be a str, int, float, bool or a choice of texts"
            )
        return Parameter(
            self.name,
            ParameterType(kind),
            description=clean(str(schema.get("description", "")), 300),
            required=self.required,
            choices=tuple(choices),
            minimum=self._bound(schema, "minimum", "exclusiveMinimum", 1),
            maximum=self._bound(schema, "maximum", "exclusiveMaximum", -1),
        )

    def _integer_where_wanted(self, value: float) -> float:
        """JSON knows one kind of number: 2.0 is a whole number for whoever wants one."""
        types = {s.get("type") for s in self._schema.get("anyOf", [self._schema])}
        return int(value) if "integer" in types else value

    def _bound(
        self, schema: Mapping[str, Any], inclusive: str, exclusive: str, step: int
    ) -> float | None:
        if exclusive not in schema:
            return schema.get(inclusive)
        if schema["type"] != "integer":
            raise TypeError(f"argument {self.name} must use inclusive bounds (ge, le)")
        return float(schema[exclusive] + step)


def read_signature(method: Callable[..., Any]) -> dict[str, Argument]:
    """The arguments of a method, by name. Raises TypeError or NameError for what cannot be one."""
    hints = get_type_hints(method, include_extras=True)
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return {p.name: _argument(p, hints.get(p.name)) for p in parameters}


def invalid(message: str) -> CommandRefusedError:
    """The refusal of wrong arguments, with a sentence."""
    return CommandRefusedError("invalid_arguments", message)


def _argument(parameter: inspect.Parameter, annotation: object) -> Argument:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise TypeError(f"argument {parameter.name} must have a name of its own")
    if parameter.kind is parameter.POSITIONAL_ONLY or annotation is None:
        raise TypeError(f"argument {parameter.name} needs a type and must not be positional-only")
    has_default = parameter.default is not parameter.empty
    return Argument(parameter.name, annotation, has_default=has_default)


def _flat(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a single value: without references and without the choice of null."""
    choices = [s for s in schema.get("anyOf", []) if s != {"type": "null"}]
    inner = choices[0] if len(choices) == 1 else schema
    reference = str(inner.get("$ref", "")).removeprefix("#/$defs/")
    inner = schema.get("$defs", {}).get(reference, inner)
    return {**inner, **{k: v for k, v in schema.items() if k == "description"}}
