from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Kind
from devices.ecosystems.homeassistant.part import Order, Part, merged, refused, together
from tests.devices.ecosystems.homeassistant.building import ECHOED, PUBLISHED

pytestmark = pytest.mark.unit

ONE = Order((("a", "1"),), {"on": True}, ECHOED)
OTHER = Order((("b", "2"),), {"mode": "x"}, PUBLISHED)


def test_pieces_make_one_part_and_the_first_obeys() -> None:
    whole = merged(
        Part((Capability(Kind.POWER),), verbs={"turn_on": lambda _: ONE}),
        Part((Capability(Kind.FAN),), verbs={"turn_on": lambda _: OTHER}),
    )
    assert [c.kind for c in whole.capabilities] == [Kind.POWER, Kind.FAN]
    assert whole.verbs["turn_on"]({}) is ONE


def test_orders_together_prove_as_little_as_the_weakest() -> None:
    both = together(ONE, OTHER)
    assert both.messages == (("a", "1"), ("b", "2"))
    assert (both.state, both.needs) == ({"on": True, "mode": "x"}, PUBLISHED)


def test_what_is_refused_had_no_effect() -> None:
    error = refused("No.")
    assert (error.code, error.message, error.effect) == ("unsupported", "No.", False)
