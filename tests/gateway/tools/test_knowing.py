from __future__ import annotations

import pytest

from devices.contract.capability import Capability, Description, Kind, OwnCommand
from devices.contract.command import Command, Evidence
from devices.contract.errors import CommandRefusedError
from devices.contract.verbs import VERBS
from devices.ecosystems.base import Proof
from devices.ecosystems.native import Native
from devices.link.base import Publish
from gateway.tools.knowing import Args, known_by

pytestmark = pytest.mark.unit

ASK = (Publish("lamp/get", b""),)
LAMP = Description("lamp", "Lamp", capabilities=(Capability(Kind.POWER),))


@pytest.mark.parametrize(
    ("proof", "words"),
    [
        (Proof(), "acknowledges by id"),
        (Proof(Evidence.PUBLISHED, {"on": True}), "no proof"),
        (Proof(Evidence.ACCEPTED), "no proof"),
        (Proof(Evidence.ECHOED, {"on": True}, ASK), "echo only"),
        (Proof(Evidence.REPORTED, {"on": True}), "reports"),
        (Proof(Evidence.REPORTED, {"on": True}, ASK), "reports, read back"),
        (Proof(Evidence.SETTLED, {"position": 1}, ASK), "reports, read back, when it rests"),
        (Proof(Evidence.REPORTED, {"on": True}, sleepy=True), "reports, when it wakes"),
    ],
)
def test_what_proves_a_command_is_said_in_words(proof: Proof, words: str) -> None:
    assert known_by(LAMP, lambda _, __: proof) == words


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.SENSOR])
def test_whatever_can_be_commanded_is_asked_about_in_words_of_the_contract(kind: Kind) -> None:
    asked: list[tuple[str, Args]] = []

    def proof_of(command: str, args: Args) -> Proof:
        asked.append((command, args))
        if not VERBS[command].kinds & {kind}:
            raise CommandRefusedError("unknown_command", "No.")
        return Native().encode("x", Command("c", command, args, 0)).proof

    device = Description("x", "X", capabilities=(Capability(Kind.SENSOR), Capability(kind)))
    assert known_by(device, proof_of) == "acknowledges by id"
    assert len(asked) == 1


def test_what_the_device_cannot_be_told_says_nothing_and_the_next_is_asked() -> None:
    shutter = Description("x", "X", capabilities=(Capability(Kind.POWER), Capability(Kind.COVER)))

    def only_power(command: str, _: Args) -> Proof:
        if command != "turn_on":
            raise CommandRefusedError("unknown_command", "No.")
        return Proof(Evidence.ECHOED, {"on": True})

    assert known_by(shutter, only_power) == "echo only"


def test_a_device_of_own_commands_is_known_by_the_first_of_them() -> None:
    printer = Description("x", "X", commands=(OwnCommand("print", "Print."),))
    assert known_by(printer, lambda command, _: Proof(state={command: True})) == "reports"


def test_who_takes_no_command_has_no_outcomes() -> None:
    meter = Description("x", "X", capabilities=(Capability(Kind.SENSOR, name="power"),))
    assert known_by(meter, lambda _, __: Proof()) is None
