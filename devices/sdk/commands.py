"""What a method marked with @command is: its name, its arguments, how it is run.

Types and docstring become the description that the device announces. Nothing runs here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from devices.contract.capability import OwnCommand, Risk
from devices.contract.command import Scalar
from devices.contract.text import clean
from devices.contract.verbs import VERBS
from devices.sdk.arguments import Argument, invalid, read_signature

_MARK = "__device_command__"
_F = TypeVar("_F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """What @command was given."""

    idempotent: bool | None = None
    risk: Risk | None = None
    answer_within_ms: int | None = None
    slow: bool = False
    queued: bool = False


@overload
def command(method: _F) -> _F: ...


@overload
def command(
    *,
    idempotent: bool | None = None,
    risk: Risk | None = None,
    answer_within_ms: int | None = None,
    slow: bool = False,
    queued: bool = False,
) -> Callable[[_F], _F]: ...


def command(
    method: _F | None = None,
    *,
    idempotent: bool | None = None,
    risk: Risk | None = None,
    answer_within_ms: int | None = None,
    slow: bool = False,
    queued: bool = False,
) -> _F | Callable[[_F], _F]:
    """Make a method of a Device the command of its name: a standard verb or its own.

    `slow`: the device says `accepted` at once, because the work takes longer than about
    0.2 s. `queued`: it waits until the device's other queued commands have ended, and
    expires when its time passes meanwhile. `idempotent`, `risk` and `answer_within_ms` are
    for own commands: a standard verb's are in the contract and in its capability.

    A plain method must not block; it is answered before the next message is read. It may
    return a mapping, which is merged into the state. To refuse, raise CommandRefusedError.
    """
    options = CommandOptions(idempotent, risk, answer_within_ms, slow, queued)

    def mark(function: _F) -> _F:
        setattr(function, _MARK, options)
        return function

    return mark if method is None else mark(method)


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A command as its method declares it."""

    name: str
    description: str
    arguments: Mapping[str, Argument]
    options: CommandOptions
    is_async: bool

    @property
    def standard(self) -> bool:
        """Whether it is a verb of the contract."""
        return self.name in VERBS

    def bind(self, args: Mapping[str, Scalar]) -> dict[str, object]:
        """The keyword arguments for the method; null counts as not given.

        Raises CommandRefusedError (invalid_arguments) with a sentence.
        """
        given = {name: value for name, value in args.items() if value is not None}
        unknown = sorted(given.keys() - self.arguments.keys())
        if unknown:
            raise invalid(f"{self.name} takes no argument {clean(unknown[0], 40)!r}.")
        missing = [a.name for a in self.arguments.values() if a.required and a.name not in given]
        if missing:
            raise invalid(f"{self.name} needs the argument {missing[0]}.")
        bound = {name: self.arguments[name].read(value) for name, value in given.items()}
        return {a.name: None for a in self.arguments.values() if a.blank} | bound

    def own(self) -> OwnCommand:
        """How the description tells it. Raises TypeError when it cannot."""
        return OwnCommand(
            name=self.name,
            description=self.description,
            parameters=tuple(a.parameter() for a in self.arguments.values()),
            idempotent=bool(self.options.idempotent),
            risk=self.options.risk or Risk.NORMAL,
            answer_within_ms=self.options.answer_within_ms,
        )


def collect(cls: type) -> dict[str, CommandSpec]:
    """The commands of a class by name. Raises TypeError for what cannot be a command."""
    marked: dict[str, Callable[..., Any]] = {}
    for ancestor in reversed(cls.__mro__):
        for name, value in vars(ancestor).items():
            if hasattr(value, _MARK):
                marked[name] = value
            else:
                # Overridden without @command: the subclass took it back.
                marked.pop(name, None)
    return {name: _spec(cls, name, method) for name, method in marked.items()}


def _spec(cls: type, name: str, method: Callable[..., Any]) -> CommandSpec:
    try:
        spec = CommandSpec(
            name=name,
            description=_first_paragraph(method),
            arguments=read_signature(method),
            options=getattr(method, _MARK),
            is_async=inspect.iscoroutinefunction(method),
        )
        _check_options(spec)
        if not spec.standard:
            spec.own()
    except (TypeError, NameError, PydanticUserError, PydanticSchemaGenerationError) as error:
        raise TypeError(f"{cls.__name__}.{name} cannot be a command: {error}") from error
    return spec


def _check_options(spec: CommandSpec) -> None:
    options = spec.options
    given = (options.idempotent, options.risk, options.answer_within_ms)
    if spec.standard and any(option is not None for option in given):
        raise TypeError(
            f"{spec.name} is a standard verb: idempotent, risk and answer_within_ms are its own"
        )
    if not spec.standard and not spec.description:
        raise TypeError("it needs a docstring, which tells the model what it does")
    if (options.slow or options.queued) and not spec.is_async:
        raise TypeError("a slow or queued command must be an `async def`")


def _first_paragraph(method: Callable[..., Any]) -> str:
    return clean((inspect.getdoc(method) or "").split("\n\n")[0], 300)
