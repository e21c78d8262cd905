"""Any Python function as a tool: its signature becomes the parameters, its result the answer.

The function's errors never reach the model, only the log; a ToolError is meant to be spoken.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, ParamSpec, TypeVar, cast, get_type_hints, overload

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic_core import to_jsonable_python

from devices.contract.capability import Parameter, ParameterType, Risk
from devices.contract.text import clean
from gateway.errors import ConfigError, ToolError
from gateway.journal.masking import is_secret
from gateway.outcome import Outcome, Status
from gateway.policy.rules import Act
from gateway.tools.base import Context, Plan
from gateway.tools.threads import DaemonThreads

log = logging.getLogger(__name__)

ENTRY_POINTS = "gateway.tools"
# A voice waits about as long; what takes longer should answer at once and report by itself.
TIMEOUT_S = 8.0
MAX_DESCRIPTION = 300
MAX_MESSAGE = 500
_THREADS = DaemonThreads()
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")

_P = ParamSpec("_P")
_R = TypeVar("_R")


class PythonTool(Generic[_P, _R]):
    """A function that the model may call. Calling it in Python calls the function."""

    def __init__(
        self,
        function: Callable[_P, _R],
        *,
        name: str,
        risk: Risk,
        idempotent: bool,
        timeout_s: float,
    ) -> None:
        if not _NAME.fullmatch(name):
            raise TypeError(f"{name!r} is no tool name: letters, digits, _ and -, at most 64")
        self.name = name
        self.description = _description(function, name)
        self.parameters = _parameters(name, model := _model(function, name))
        self._function = function
        self._model = model
        self._act = Act(name, risk)
        self._idempotent = idempotent
        self._timeout_s = timeout_s

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """What the function returns, without any of the tool's checks."""
        return self._function(*args, **kwargs)

    def plan(self, arguments: Mapping[str, Any]) -> Plan | Outcome:
        """The call, with arguments of the types that the function declares."""
        try:
            checked = self._model.model_validate(arguments)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = first["loc"][0] if first["loc"] else "arguments"
            return Outcome(Status.INVALID, f"{where} is wrong: {_uncapital(first['msg'])}.")
        kwargs = {name: getattr(checked, name) for name in checked.model_fields_set}
        words = self.name.replace("_", " ")
        told = [name for name in kwargs if not is_secret(name)]
        details = ", ".join(f"{name.replace('_', ' ')} {arguments[name]}" for name in told)
        return Plan(
            summary=f"do “{words}”" + (f" ({clean(details, 120)})" if details else ""),
            run=lambda context: self._run(context, kwargs),
            acts=(self._act,),
            idempotent=self._idempotent,
        )

    async def _run(self, _: Context, kwargs: Mapping[str, Any]) -> Outcome:
        try:
            async with asyncio.timeout(self._timeout_s) as limit:
                return _answer(await self._call(kwargs))
        except ToolError as error:
            return Outcome(Status.FAILED, clean(str(error), MAX_MESSAGE))
        except Exception as error:  # code of others: the model is answered always
            if isinstance(error, TimeoutError) and limit.expired():
                words = f"{self.name.replace('_', ' ')} did not answer in time."
                return Outcome(Status.TIMED_OUT, words)
            log.error("tool %s failed", self.name, exc_info=error)  # noqa: TRY400
            return Outcome(Status.ERROR, f"{self.name.replace('_', ' ')} does not work right now.")

    async def _call(self, kwargs: Mapping[str, Any]) -> object:
        function = cast("Callable[..., Any]", self._function)
        if inspect.iscoroutinefunction(function):
            return await function(**kwargs)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(_THREADS, partial(function, **kwargs))


@overload
def tool(function: Callable[_P, _R]) -> PythonTool[_P, _R]: ...


@overload
def tool(
    *,
    name: str = "",
    risk: Risk = Risk.NORMAL,
    idempotent: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Callable[[Callable[_P, _R]], PythonTool[_P, _R]]: ...


def tool(
    function: Callable[..., Any] | None = None,
    *,
    name: str = "",
    risk: Risk = Risk.NORMAL,
    idempotent: bool = False,
    timeout_s: float = TIMEOUT_S,
) -> Any:
    """Make a function, plain or async, a tool of the model.

    The docstring's first paragraph is the description; parameters are str, int, float, bool
    or Literal texts, `Annotated[..., Field(ge=, le=, description=)]` where more is to say,
    optional where they have a default. What it returns (text, number, list, mapping) is the
    answer. Raise ToolError with a sentence to say why it cannot. A plain function runs in a
    thread. `idempotent`: running it twice does no harm; otherwise the same call within 10 s
    gets the first one's answer. Raises TypeError for a signature that a model could not call.
    """

    def make(wrapped: Callable[..., Any]) -> PythonTool[..., Any]:
        return PythonTool(
            wrapped,
            name=name or wrapped.__name__,
            risk=Risk(risk),
            idempotent=idempotent,
            timeout_s=timeout_s,
        )

    return make if function is None else make(function)


def load_entry_points() -> list[PythonTool[..., Any]]:
    """The tools that installed packages offer; a broken one is logged by name and left out."""
    tools = []
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            tools.append(_checked(entry.load(), entry.value))
        except Exception as error:  # noqa: BLE001 - importing code of others may raise anything
            log.error("tool %s (%s) is left out: %s", entry.name, entry.value, error)  # noqa: TRY400
    return tools


def load_paths(paths: Iterable[str]) -> list[PythonTool[..., Any]]:
    """The tools at `package.module:function`. Raises ConfigError for what is not there."""
    return [_load_path(path) for path in paths]


def _load_path(path: str) -> PythonTool[..., Any]:
    module, colon, _ = path.partition(":")
    if not colon:
        raise ConfigError(f"tools.python: write {path!r} as package.module:function")
    try:
        importlib.import_module(module)
        return _checked(EntryPoint(path, path, ENTRY_POINTS).load(), path)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError)
        cure = ": install it, or set PYTHONPATH to its folder" if missing else ""
        raise ConfigError(f"tools.python: {path!r} cannot be used: {error}{cure}") from error


def _checked(found: object, path: str) -> PythonTool[..., Any]:
    """A function without @tool becomes one too."""
    if isinstance(found, PythonTool):
        return found
    if callable(found):
        return tool(found)
    raise TypeError(f"{path} is no function")


def _description(function: Callable[..., Any], name: str) -> str:
    paragraph = (inspect.getdoc(function) or name.replace("_", " ")).split("\n\n")[0]
    return clean(paragraph, MAX_DESCRIPTION)


def _model(function: Callable[..., Any], name: str) -> type[BaseModel]:
    """The parameters as a model. Raises TypeError where a signature cannot be one."""
    hints = get_type_hints(function, include_extras=True)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise TypeError(f"tool {name}: parameter {parameter.name} must have a name and a type")
        if parameter.name not in hints:
            raise TypeError(f"tool {name}: say the type of parameter {parameter.name}")
        default = ... if parameter.default is parameter.empty else parameter.default
        fields[parameter.name] = (hints[parameter.name], default)
    config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    return create_model(name, __config__=config, **fields)


def _parameters(name: str, model: type[BaseModel]) -> tuple[Parameter, ...]:
    try:
        schema = model.model_json_schema()
    except Exception as error:
        raise TypeError(f"tool {name}: a parameter has a type that JSON cannot carry") from error
    required = schema.get("required", [])
    properties: Mapping[str, dict[str, Any]] = schema.get("properties", {})
    return tuple(
        _parameter(name, key, _resolved(value, schema), required=key in required)
        for key, value in properties.items()
    )


def _resolved(prop: dict[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The property itself: without references, and without "or null"."""
    options = [o for o in prop.get("anyOf", ()) if o.get("type") != "null"]
    if len(options) == 1:
        prop = {**options[0], **{k: v for k, v in prop.items() if k != "anyOf"}}
    if "$ref" in prop:
        prop = {**schema["$defs"][prop["$ref"].rpartition("/")[2]], **prop}
    return prop


def _parameter(tool_name: str, name: str, prop: dict[str, Any], *, required: bool) -> Parameter:
    choices = prop.get("enum", [prop["const"]] if "const" in prop else [])
    if prop.get("type") not in set(ParameterType) or not all(isinstance(c, str) for c in choices):
        raise TypeError(
            f"tool {tool_name}: parameter {name} must be str, int, float, bool or Literal texts"
        )
    return Parameter(
        name,
        ParameterType(prop["type"]),
        clean(str(prop.get("description", "")), MAX_DESCRIPTION),
        required=required,
        choices=tuple(choices),
        minimum=prop.get("minimum", prop.get("exclusiveMinimum")),
        maximum=prop.get("maximum", prop.get("exclusiveMaximum")),
    )


def _answer(value: object) -> Outcome:
    """What the function returned, as an outcome of its own or as the answer's data."""
    if isinstance(value, Outcome):
        return value
    data = to_jsonable_python(value, inf_nan_mode="null")
    if isinstance(data, str):
        return Outcome(Status.ANSWER, clean(data, MAX_MESSAGE), data=data)
    if data is None:
        return Outcome(Status.ANSWER, "It ran and returned nothing.")
    if isinstance(data, dict | list):
        return Outcome(Status.ANSWER, "This is the answer.", data=data)
    return Outcome(Status.ANSWER, f"The answer is {data}.", data=data)


def _uncapital(text: str) -> str:
    return text[:1].lower() + text[1:]
