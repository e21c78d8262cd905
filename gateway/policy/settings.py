"""The `policy` section of gateway.yaml as the rules, the limits and the PIN of this house."""

from __future__ import annotations

from gateway.clock import Clock
from gateway.config import PolicyConfig, RuleConfig
from gateway.errors import ConfigError
from gateway.policy.hours import parse
from gateway.policy.limits import Limits
from gateway.policy.pin import Pin
from gateway.policy.rules import Decision, PolicySettings, Rule

# Where nothing is said: one device may take half of all calls, and never fewer than these.
LEAST_PER_DEVICE = 30


def settings_of(config: PolicyConfig) -> PolicySettings:
    """The rules. Raises ConfigError when devices want a PIN and there is none."""
    if config.pin_devices and not config.pin.get_secret_value():
        raise ConfigError("policy.pin_devices wants a PIN: set policy.pin or policy.pin_file")
    return PolicySettings(
        guarded=Decision(config.guarded),
        forbidden=Decision(config.forbidden),
        ask_above_devices=config.ask_above_devices,
        rules=tuple(map(_rule, config.rules)),
        pin_devices=frozenset(config.pin_devices),
    )


def limits_of(config: PolicyConfig, clock: Clock) -> Limits:
    """The limits of all calls and of each device."""
    half = config.calls_per_minute // 2
    per_device = config.device_calls_per_minute or max(half, LEAST_PER_DEVICE)
    return Limits(config.calls_per_minute, per_device, clock)


def pin_of(config: PolicyConfig, clock: Clock) -> Pin | None:
    """The PIN, None when the house has none. Raises ConfigError for one that is too short."""
    pin = config.pin.get_secret_value()
    try:
        return Pin(pin, clock) if pin else None
    except ValueError as error:
        raise ConfigError(f"policy.pin: {error}") from None


def _rule(config: RuleConfig) -> Rule:
    return Rule(
        then=Decision(config.then),
        tools=frozenset(config.tools),
        devices=frozenset(config.devices),
        areas=frozenset(area.strip().casefold() for area in config.areas),
        hours=parse(config.hours, config.days),
        because=_sentence(config.because),
    )


def _sentence(text: str) -> str:
    """With a full stop, since a question may follow it."""
    text = text.strip()
    return text if not text or text[-1] in ".!?" else f"{text}."
