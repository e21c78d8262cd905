from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.journal.masking import MASK, is_secret, masked

pytestmark = pytest.mark.unit

SECRET = "7Q-very-secret-9Z"


@pytest.mark.parametrize(
    "name",
    [
        *("code", "pin", "PIN", "password", "confirmation", "access_code", "accessCode"),
        *("pin-code", "codes", "api_token", "userPassword", "PINCode"),
    ],
)
def test_secrets_are_known_by_their_names(name: str) -> None:
    assert is_secret(name)
    assert masked({name: SECRET}) == ({name: MASK}, True)


@pytest.mark.parametrize("name", ["target", "brightness", "encoder", "pinned", "decode", "mode"])
def test_other_names_only_look_like_it(name: str) -> None:
    assert not is_secret(name)
    assert masked({name: "plain"}) == ({name: "plain"}, False)


def test_a_secret_that_was_not_given_hides_nothing() -> None:
    assert masked({"code": None, "action": "disarm"}) == ({"code": None, "action": "disarm"}, False)


def test_a_value_that_is_set_by_name_is_judged_by_that_name() -> None:
    clear, had_one = masked({"name": "entry pin", "value": SECRET})
    assert (clear["value"], had_one) == (MASK, True)
    assert masked({"name": "volume", "value": 7})[1] is False


_VALUES = st.recursive(
    st.just(SECRET) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.just("x"), inner, max_size=1),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["code", "pin", "password"]), _VALUES))
def test_however_deep_a_secret_is_it_does_not_come_out(values: dict[str, Any]) -> None:
    clear, _ = masked({"outer": [{"inner": values}]})
    assert SECRET not in json.dumps(clear)
