from __future__ import annotations

import pytest
from pydantic import ValidationError

from devices.contract.wire import AckWire, CommandWire, DescriptionWire, OwnCommandWire

pytestmark = pytest.mark.unit


def test_unknown_keys_are_left_unread() -> None:
    wire = AckWire.model_validate({"id": "c1", "status": "succeeded", "signature": "abc"})
    assert "signature" not in wire.model_dump()


@pytest.mark.parametrize("name", ["two words", "a\nb", "trailing\n", "\u00fcber", "", "semi;colon"])
def test_a_command_name_is_checked_from_end_to_end(name: str) -> None:
    with pytest.raises(ValidationError):
        OwnCommandWire.model_validate({"name": name})
    with pytest.raises(ValidationError):
        CommandWire.model_validate({"id": "c1", "command": name, "ttl_ms": 1})


def test_texts_are_cleaned_before_their_length_is_checked() -> None:
    wire = DescriptionWire.model_validate({"id": "a", "name": "Lamp" + "\x00" * 40})
    assert wire.name == "Lamp"
