from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from gateway.config import PolicyConfig
from gateway.errors import ConfigError
from gateway.policy.hours import Hours
from gateway.policy.rules import Decision, PolicySettings, Rule
from gateway.policy.settings import limits_of, pin_of, settings_of
from gateway.testing import ManualClock

pytestmark = pytest.mark.unit


def config(**fields: Any) -> PolicyConfig:
    return PolicyConfig.model_validate(fields)


def test_without_a_word_the_defaults_hold() -> None:
    assert settings_of(config()) == PolicySettings()
    assert pin_of(config(), ManualClock()) is None


def test_a_rule_is_read_as_it_is_written() -> None:
    written = {
        "tools": ["vacuum"],
        "areas": [" Bedroom "],
        "hours": "22:00-07:00",
        "days": ["sat"],
        "then": "deny",
        "because": "People sleep there",
    }
    (rule,) = settings_of(config(rules=[written])).rules
    assert rule == Rule(
        Decision.DENY,
        tools=frozenset({"vacuum"}),
        areas=frozenset({"bedroom"}),
        hours=Hours(22 * 60, 7 * 60, frozenset({5})),
        because="People sleep there.",
    )


@pytest.mark.parametrize(
    ("fields", "allowed"),
    [
        ({}, 30),
        ({"calls_per_minute": 3}, 30),
        ({"calls_per_minute": 100}, 50),
        ({"calls_per_minute": 100, "device_calls_per_minute": 7}, 7),
    ],
)
def test_one_device_takes_half_of_all_calls_where_nothing_is_said(
    fields: dict[str, int], allowed: int
) -> None:
    limits = limits_of(config(**fields), ManualClock())
    passed = [limits.commands(["lamp"]) is None for _ in range(200)]
    assert passed.count(True) == allowed


def test_the_pin_is_the_one_that_is_set() -> None:
    pin = pin_of(config(pin="2468"), ManualClock())
    assert pin is not None
    assert pin.fits("2468")


def test_devices_that_want_a_pin_need_one_to_be_set() -> None:
    with pytest.raises(ConfigError, match=r"policy\.pin_file"):
        settings_of(config(pin_devices=["front-door"]))
    locked = settings_of(config(pin_devices=["front-door"], pin="2468"))
    assert locked.pin_devices == {"front-door"}


def test_a_pin_that_is_too_short_is_refused_without_being_told() -> None:
    with pytest.raises(ConfigError, match=r"policy\.pin: .*at least 4") as caught:
        pin_of(PolicyConfig(pin=SecretStr("987")), ManualClock())
    assert "987" not in str(caught.value)
