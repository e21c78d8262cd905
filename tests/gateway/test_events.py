from __future__ import annotations

import dataclasses
from typing import get_args

import pytest

from gateway.events import BusEvent, FunctionCall

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("kind", get_args(BusEvent))
def test_events_cannot_be_changed_by_whoever_hears_them(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__slots__" in vars(kind)


def test_a_call_without_arguments_has_none() -> None:
    call = FunctionCall("c", "get_state")
    assert (call.arguments, call.epoch, call.problem) == ({}, 0, "")
