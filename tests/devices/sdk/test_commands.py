from __future__ import annotations

from typing import Annotated

import pytest
from pydantic import Field

from devices.contract.capability import OwnCommand, Parameter, ParameterType, Risk
from devices.contract.errors import CommandRefusedError
from devices.sdk.commands import collect, command

pytestmark = pytest.mark.unit


class Machine:
    @command(idempotent=False, risk=Risk.GUARDED, answer_within_ms=4000, slow=True)
    async def brew_coffee(
        self, cups: Annotated[int, Field(ge=1, le=4)], strong: bool | None
    ) -> None:
        """Brew cups of coffee.

        This paragraph is for programmers.
        """

    @command
    def turn_on(self) -> None: ...

    def helper(self) -> None: ...


def test_marked_methods_are_the_commands() -> None:
    assert sorted(collect(Machine)) == ["brew_coffee", "turn_on"]


def test_types_docstring_and_options_become_the_description() -> None:
    assert collect(Machine)["brew_coffee"].own() == OwnCommand(
        "brew_coffee",
        "Brew cups of coffee.",
        (
            Parameter("cups", ParameterType.INTEGER, minimum=1, maximum=4),
            Parameter("strong", ParameterType.BOOLEAN, required=False),
        ),
        risk=Risk.GUARDED,
        answer_within_ms=4000,
    )


def test_a_standard_verb_needs_no_words() -> None:
    turn_on = collect(Machine)["turn_on"]
    assert turn_on.standard
    assert not turn_on.is_async


def test_an_optional_argument_that_is_not_given_is_none() -> None:
    assert collect(Machine)["brew_coffee"].bind({"cups": 2}) == {"cups": 2, "strong": None}


def test_null_counts_as_not_given() -> None:
    spec = collect(Machine)["brew_coffee"]
    assert spec.bind({"cups": 2, "strong": None}) == {"cups": 2, "strong": None}
    with pytest.raises(CommandRefusedError, match="needs the argument cups"):
        spec.bind({"cups": None})


def test_an_argument_too_many_is_refused() -> None:
    with pytest.raises(CommandRefusedError, match="takes no argument 'milk'"):
        collect(Machine)["brew_coffee"].bind({"cups": 2, "milk": True})


def test_a_subclass_inherits_replaces_and_takes_back() -> None:
    class Better(Machine):
        @command
        def turn_on(self, brightness: int = 5) -> None: ...

        brew_coffee = None  # type: ignore[assignment]

    specs = collect(Better)
    assert sorted(specs) == ["turn_on"]
    assert list(specs["turn_on"].arguments) == ["brightness"]


class NoDocstring:
    @command
    def dance(self) -> None: ...


class SlowButPlain:
    @command(slow=True)
    def set_cover(self, position: int) -> None: ...


class QueuedButPlain:
    @command(queued=True)
    def lock(self) -> None: ...


class RiskOfAVerb:
    @command(risk=Risk.GUARDED)
    def lock(self) -> None: ...


class ListArgument:
    @command
    def dance(self, steps: list[int]) -> None:
        """Dance."""


class NobodyKnowsThis:
    @command
    def dance(self, steps: Steps) -> None:  # type: ignore[name-defined]  # noqa: F821
        """Dance."""


@pytest.mark.parametrize(
    "cls",
    [NoDocstring, SlowButPlain, QueuedButPlain, RiskOfAVerb, ListArgument, NobodyKnowsThis],
)
def test_what_cannot_be_a_command_is_a_type_error_that_names_it(cls: type) -> None:
    with pytest.raises(TypeError, match=rf"{cls.__name__}\.\w+ cannot be a command: "):
        collect(cls)
