from __future__ import annotations

import math
from typing import ClassVar

import pytest

from devices.contract.command import Command, Scalar
from devices.sdk.capabilities import brightness, power, sensor
from devices.sdk.commands import command
from devices.sdk.device import Device, running

pytestmark = pytest.mark.unit


class Light(Device):
    id = "kitchen-light"
    name = "Kitchen light"
    area = "Kitchen"
    aliases = ("ceiling light",)
    capabilities = (power(), brightness())
    initial: ClassVar[dict[str, Scalar]] = {"on": False}

    @command
    def turn_on(self, brightness: int = 100) -> dict[str, Scalar]:
        return {"on": True, "brightness": brightness}

    @command
    def turn_off(self) -> dict[str, Scalar]:
        return {"on": False}

    @command
    def blink(self, times: int) -> None:
        """Blink some times."""


class Notes:
    """An outlet that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def progressed(self, command: Command, percent: float | None) -> None:
        self.told.append((command.id, percent))

    def changed(self) -> None:
        self.told.append("changed")


def test_a_class_describes_its_device() -> None:
    description = Light().description
    assert (description.id, description.name, description.area) == (
        "kitchen-light",
        "Kitchen light",
        "Kitchen",
    )
    assert description.aliases == ("ceiling light",)
    assert [c.name for c in description.commands] == ["blink"]


def test_two_devices_of_a_class_have_a_state_each() -> None:
    one, other = Light(), Light()
    one.report(on=True)
    assert (one.state, other.state) == ({"on": True}, {"on": False})


@pytest.mark.parametrize(
    "attributes",
    [
        {"id": ""},
        {"id": "Kitchen Light"},
        {"id": "gateway"},
        {"name": ""},
        {"name": "x" * 65},
        {"name": "two\nlines"},
        {"aliases": ("x" * 65,)},
        {"capabilities": ()},
        {"capabilities": (power(), sensor("x" * 65))},
    ],
)
def test_a_device_that_cannot_be_announced_as_it_is_cannot_be_made(
    attributes: dict[str, object],
) -> None:
    wrong = type("Wrong", (Light,), attributes)
    with pytest.raises(ValueError, match="Wrong is no device: "):
        wrong()


def test_a_command_that_cannot_be_told_fails_where_the_class_is_written() -> None:
    with pytest.raises(TypeError, match=r"Broken\.dance cannot be a command"):

        class Broken(Device):
            @command
            def dance(self, steps: list[str]) -> None:
                """Dance."""


@pytest.mark.parametrize("value", [math.nan, math.inf, [1], {"a": 1}, object()])
def test_a_state_that_cannot_be_sent_is_refused(value: object) -> None:
    light = Light()
    with pytest.raises(TypeError, match="state 'level'"):
        light.report(level=value)  # type: ignore[arg-type]
    assert light.state == {"on": False}


def test_a_snapshot_leaves_out_what_was_put_in_behind_our_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    light = Light()
    light.state["level"] = math.nan
    assert light.snapshot() == {"on": False}
    assert "level" in caplog.text


def test_a_report_without_a_runner_changes_the_state_only() -> None:
    light = Light()
    light.report(on=True, brightness=5)
    assert light.state == {"on": True, "brightness": 5}


def test_a_report_is_told_to_the_outlet() -> None:
    light, notes = Light(), Notes()
    light.attach(notes)
    light.report(on=True)
    light.detach()
    light.report(on=False)
    assert notes.told == ["changed"]


def test_a_device_has_one_outlet() -> None:
    light = Light()
    light.attach(Notes())
    with pytest.raises(RuntimeError, match="served already"):
        light.attach(Notes())


async def test_progress_belongs_to_a_command() -> None:
    light = Light()
    with pytest.raises(RuntimeError, match="belongs to a command"):
        await light.progress(50)


async def test_progress_names_the_command_and_merges_the_state() -> None:
    light, notes = Light(), Notes()
    light.attach(notes)
    token = running.set(Command("c1", "turn_on", {}, 3000))
    await light.progress(50, brightness=30)
    running.reset(token)
    assert notes.told == [("c1", 50)]
    assert light.state["brightness"] == 30
    assert light.current is None
