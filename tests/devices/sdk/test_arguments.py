from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from devices.contract.capability import Parameter, ParameterType
from devices.contract.command import Scalar
from devices.contract.errors import CommandRefusedError
from devices.sdk.arguments import Argument, read_signature

pytestmark = pytest.mark.unit


class Roast(StrEnum):
    LIGHT = "light"
    DARK = "dark"


def argument(annotation: object, *, has_default: bool = False) -> Argument:
    return Argument("x", annotation, has_default=has_default)


@pytest.mark.parametrize(
    ("annotation", "parameter"),
    [
        (str, Parameter("x", ParameterType.STRING)),
        (int, Parameter("x", ParameterType.INTEGER)),
        (float, Parameter("x", ParameterType.NUMBER)),
        (bool, Parameter("x", ParameterType.BOOLEAN)),
        (
            Annotated[int, Field(ge=1, le=4, description="How many.")],
            Parameter("x", ParameterType.INTEGER, "How many.", minimum=1, maximum=4),
        ),
        (
            Annotated[int, Field(gt=0, lt=5)],
            Parameter("x", ParameterType.INTEGER, minimum=1, maximum=4),
        ),
        (Literal["a"], Parameter("x", ParameterType.STRING, choices=("a",))),
        (Literal["a", "b"], Parameter("x", ParameterType.STRING, choices=("a", "b"))),
        (Roast, Parameter("x", ParameterType.STRING, choices=("light", "dark"))),
        (int | None, Parameter("x", ParameterType.INTEGER, required=False)),
        (
            Roast | None,
            Parameter("x", ParameterType.STRING, required=False, choices=("light", "dark")),
        ),
        (
            Annotated[float | None, Field(ge=0, description="Seconds.")],
            Parameter("x", ParameterType.NUMBER, "Seconds.", required=False, minimum=0),
        ),
    ],
)
def test_a_type_becomes_a_parameter(annotation: object, parameter: Parameter) -> None:
    assert argument(annotation).parameter() == parameter


def test_an_argument_with_a_default_is_not_required() -> None:
    assert argument(int, has_default=True).parameter().required is False


@pytest.mark.parametrize(
    "annotation",
    [list[int], dict[str, int], int | str, Literal[1, 2], Annotated[float, Field(gt=0)], Any, None],
)
def test_a_type_that_cannot_be_told_is_refused(annotation: object) -> None:
    with pytest.raises(TypeError, match="argument x"):
        argument(annotation).parameter()


@pytest.mark.parametrize(
    ("annotation", "value", "read"),
    [
        (int, 3, 3),
        (int, 3.0, 3),
        (float, 3, 3.0),
        (float, 3.5, 3.5),
        (bool, True, True),
        (str, "a", "a"),
        (Roast, "dark", Roast.DARK),
        (int | None, 2.0, 2),
        (str | float | bool, 7, 7.0),
    ],
)
def test_a_value_of_the_right_type_is_taken(
    annotation: object, value: Scalar, read: object
) -> None:
    taken = argument(annotation).read(value)
    assert taken == read
    assert type(taken) is type(read)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "3"),
        (int, True),
        (int, 3.5),
        (int, None),
        (float, "warm"),
        (bool, 1),
        (bool, "on"),
        (str, 3),
        (Roast, "burnt"),
        (Annotated[int, Field(ge=1, le=4)], 5),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_a_sentence(
    annotation: object, value: Scalar
) -> None:
    with pytest.raises(CommandRefusedError, match=r"^x is wrong: .*\.$") as refusal:
        argument(annotation).read(value)
    assert refusal.value.code == "invalid_arguments"
    assert refusal.value.effect is False


def test_a_signature_is_read_without_self() -> None:
    def brew(self: object, cups: int, strong: bool = False) -> None: ...

    arguments = read_signature(brew)
    assert [(a.name, a.required) for a in arguments.values()] == [("cups", True), ("strong", False)]


def no_type(self: object, cups) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001


def any_number(self: object, *cups: int) -> None: ...


def any_names(self: object, **cups: int) -> None: ...


def by_place(self: object, cups: int, /) -> None: ...


@pytest.mark.parametrize("method", [no_type, any_number, any_names, by_place])
def test_an_argument_needs_a_name_and_a_type(method: Callable[..., None]) -> None:
    with pytest.raises(TypeError, match="argument cups"):
        read_signature(method)
