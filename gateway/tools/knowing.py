"""How the outcome of a device's commands is known, for whoever looks at the list of devices.

It asks what would prove the device's main command, and sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from devices.contract.capability import Capability, Description, Kind
from devices.contract.command import Evidence, Scalar
from devices.contract.errors import CommandRefusedError
from devices.ecosystems.base import Proof

Args = Mapping[str, Scalar]
ProofOf = Callable[[str, Args], Proof]


def known_by(description: Description, proof_of: ProofOf) -> str | None:
    """How success is known, in a few words; None for a device that takes no command.

    `proof_of` says what proves a command with these arguments, or raises CommandRefusedError.
    """
    for command, args in _probes(description):
        try:
            return _words(proof_of(command, args))
        except CommandRefusedError:
            continue
    return None


def _words(proof: Proof) -> str:
    if proof.needs <= Evidence.ACCEPTED:
        return "no proof"
    if not proof.state:
        return "acknowledges by id"
    if proof.needs <= Evidence.ECHOED:
        return "echo only"
    words = "reports"
    if proof.read_back:
        words += ", read back"
    if proof.needs >= Evidence.SETTLED:
        words += ", when it rests"
    return f"{words}, when it wakes" if proof.sleepy else words


def _probes(description: Description) -> Iterator[tuple[str, Args]]:
    """Commands that the device may take, what it is for first."""
    for kind, probe in _PROBES:
        for capability in description.of_kind(kind)[:1]:
            yield probe(capability)
    for command in description.commands[:1]:
        yield command.name, {}


def _named(capability: Capability, value: Scalar) -> Args:
    return {"name": capability.name or capability.kind.value, "value": value}


def _first(capability: Capability, otherwise: str) -> str:
    return next(iter(capability.options), otherwise)


def _low(capability: Capability, otherwise: float) -> float:
    return otherwise if capability.minimum is None else capability.minimum


def _pressed(capability: Capability) -> Args:
    return {"name": capability.name} if capability.name else {}


_PROBES: tuple[tuple[Kind, Callable[[Capability], tuple[str, Args]]], ...] = (
    (Kind.ALARM, lambda c: ("alarm", {"action": _first(c, "arm_away")})),
    (Kind.LOCK, lambda _: ("lock", {})),
    (Kind.COVER, lambda _: ("set_cover", {"position": 100})),
    (Kind.VACUUM, lambda c: ("vacuum", {"action": _first(c, "start")})),
    (Kind.CLIMATE, lambda c: ("set_climate", {"temperature": _low(c, 20)})),
    (Kind.CLIMATE, lambda c: ("set_climate", {"mode": _first(c, "off")})),
    (Kind.FAN, lambda _: ("set_fan", {"percent": 100})),
    (Kind.POWER, lambda _: ("turn_on", {})),
    (Kind.BRIGHTNESS, lambda _: ("turn_on", {"brightness": 100})),
    (Kind.COLOR, lambda _: ("turn_on", {"color": "#ffffff"})),
    (Kind.COLOR_TEMPERATURE, lambda c: ("turn_on", {"color_temperature": _low(c, 2700)})),
    (Kind.NUMBER, lambda c: ("set_value", _named(c, _low(c, 0)))),
    (Kind.SELECT, lambda c: ("set_value", _named(c, _first(c, "")))),
    (Kind.TEXT, lambda c: ("set_value", _named(c, ""))),
    (Kind.BUTTON, lambda c: ("press", _pressed(c))),
    (Kind.SCENE, lambda c: ("press", _pressed(c))),
)
