from __future__ import annotations

import pytest

from devices.contract.errors import (
    CommandRefusedError,
    ContractError,
    DevicesError,
    LinkDownError,
    LinkError,
    PayloadError,
    TopicError,
    VersionError,
)

pytestmark = pytest.mark.unit


def test_whoever_drops_bad_messages_catches_one_class() -> None:
    assert {PayloadError, VersionError, TopicError} <= set(ContractError.__subclasses__())


def test_a_wire_that_is_down_is_no_broken_contract() -> None:
    assert issubclass(LinkDownError, LinkError)
    assert not issubclass(LinkError, ContractError)


def test_a_refusal_carries_its_word_and_its_sentence() -> None:
    error = CommandRefusedError("jammed", "The blind is stuck at 40 %.", effect=True)
    assert isinstance(error, DevicesError)
    assert (error.code, str(error), error.effect) == ("jammed", "The blind is stuck at 40 %.", True)


def test_a_refusal_is_without_effect_unless_said() -> None:
    assert CommandRefusedError("busy", "It is busy.").effect is False
