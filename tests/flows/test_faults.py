"""Devices that miss, lose, garble, lie, stay silent or die: never twice, never a false "done"."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from devices.contract import codec
from devices.contract.command import Ack, AckStatus, Command
from devices.simulated.covers import BedroomBlind
from devices.simulated.faults import Faults, Lie
from devices.simulated.lights import HallLight, KitchenLight
from gateway.events import EvidenceReceived, LateOutcome, MessageDropped
from tests.flows.world import World, eventually, world

pytestmark = pytest.mark.flow

KITCHEN = "kitchen-light"
SHORT = {"delivery_s": 0.5, "answer_within_s": 0.8}

LAMP = """
import sys
from devices.sdk import Device, brightness, command, power, run

class Lamp(Device):
    id, name, area = "far-lamp", "Far lamp", "Attic"
    capabilities = (power(), brightness())

    @command
    def turn_on(self, brightness: int = 100) -> dict[str, object]:
        return {"on": True, "brightness": brightness}

    @command
    def turn_off(self) -> dict[str, object]:
        return {"on": False}

run(sys.argv[1], Lamp(), root=sys.argv[2])
"""


def two_lights() -> list[HallLight | KitchenLight]:
    return [KitchenLight(), HallLight()]


def strange_acks(home: World) -> list[str]:
    """Why messages were refused."""
    return [event.reason for event in home.events if isinstance(event, MessageDropped)]


async def test_two_missed_commands_come_a_third_time_under_the_same_id(broker_url: str) -> None:
    async with world(broker_url, of=two_lights(), faults={KITCHEN: Faults(drop=2)}) as home:
        outcome = await home.talk.call("turn_on", target="Kitchen light", brightness=60)
        assert (outcome["ok"], outcome["status"]) == (True, "confirmed")
        assert outcome["state"] == {"on": True, "brightness": 60}
        await eventually(lambda: len(home.visitor.commands) == 3)
        commands = [command for _, command in home.visitor.commands]
        assert len({command.id for command in commands}) == 1
        assert [command.attempt for command in commands] == [1, 2, 3]
        left = [command.ttl_ms for command in commands]
        assert left == sorted(left, reverse=True)
        assert home.acts(KITCHEN) == ["turn_on"]


@pytest.mark.parametrize(
    "faults",
    [Faults(lose_acks=1), Faults(garble=1), Faults(noise=2, repeat=3), Faults(delay_s=0.6)],
    ids=["lost", "garbled", "noisy-and-repeated", "slow"],
)
async def test_whatever_happens_to_the_ack_the_device_acts_once(
    broker_url: str, faults: Faults
) -> None:
    async with world(broker_url, of=two_lights(), faults={KITCHEN: faults}) as home:
        outcome = await home.talk.call("turn_on", target="Kitchen light")
        assert (outcome["ok"], outcome["status"]) == (True, "confirmed")
        assert home.acts(KITCHEN) == ["turn_on"]
        assert (await home.talk.call("turn_off", target="Kitchen light"))["ok"] is True
        assert home.acts(KITCHEN) == ["turn_on", "turn_off"]


async def test_a_silent_device_is_timed_out_and_neither_done_nor_not_done(broker_url: str) -> None:
    async with world(
        broker_url,
        of=two_lights(),
        faults={KITCHEN: Faults(silent=True)},
        devices=SHORT,
    ) as home:
        outcome = await home.talk.call("turn_on", target="Kitchen light")
        assert (outcome["ok"], outcome["status"]) == (None, "timed_out")
        assert len({sent.command_id for sent in home.sent}) == 1
        assert home.acts(KITCHEN) == []
        assert (await home.talk.call("turn_on", target="Hall light"))["ok"] is True


async def test_a_late_acknowledgement_is_told_in_the_session(broker_url: str) -> None:
    slow = {KITCHEN: Faults(delay_s=0.8)}
    async with world(broker_url, of=two_lights(), faults=slow, devices=SHORT) as home:
        outcome = await home.talk.call("turn_on", target="Kitchen light")
        assert (outcome["ok"], outcome["status"]) == (None, "timed_out")
        assert "Kitchen light is on" in await home.talk.note("Kitchen light")
        assert any(isinstance(event, LateOutcome) for event in home.events)
        assert home.acts(KITCHEN) == ["turn_on"]


@pytest.mark.parametrize(
    ("lie", "ok", "status"),
    [(Lie.CONTRADICT, False, "failed"), (Lie.CLAIM, True, "confirmed")],
)
async def test_a_device_is_believed_unless_its_own_state_says_otherwise(
    broker_url: str, lie: Lie, ok: bool, status: str
) -> None:
    async with world(broker_url, of=two_lights(), faults={KITCHEN: Faults(lie=lie)}) as home:
        outcome = await home.talk.call("turn_on", target="Kitchen light", brightness=40)
        assert (outcome["ok"], outcome["status"]) == (ok, status)


async def test_a_device_that_is_off_is_offline_at_once(broker_url: str) -> None:
    off = {KITCHEN: Faults(offline=True)}
    async with world(broker_url, of=two_lights(), faults=off) as home:
        outcome = await home.talk.call("turn_on", target="Kitchen light")
        assert (outcome["ok"], outcome["status"]) == (False, "offline")
        assert home.sent == []


async def test_a_killed_device_process_is_offline_by_its_will_in_under_50_ms(
    broker_url: str, tmp_path: Path
) -> None:
    async with world(broker_url, of=two_lights()) as home:
        process = await start_lamp(tmp_path, broker_url, home.root)
        try:
            await eventually(lambda: online(home, "far-lamp") is True)
            await eventually(lambda: "Far lamp" in home.talk.targets("turn_on"))
            assert (await home.talk.call("turn_on", target="Far lamp"))["ok"] is True
        finally:
            process.kill()
            await process.wait()
        await eventually(lambda: online(home, "far-lamp") is False)
        took_s = []
        for _ in range(3):
            started = time.perf_counter()
            outcome = await home.talk.call("turn_on", target="Far lamp")
            took_s.append(time.perf_counter() - started)
            assert (outcome["ok"], outcome["status"]) == (False, "offline")
        assert min(took_s) < 0.05


async def test_acks_that_are_not_the_devices_own_words_confirm_nothing(broker_url: str) -> None:
    silent = {KITCHEN: Faults(silent=True)}
    async with world(broker_url, of=two_lights(), faults=silent, devices=SHORT) as home:
        call_id = await home.talk.ask("turn_on", {"target": "Kitchen light"})
        await eventually(lambda: home.sent)
        command_id = home.sent[0].command_id
        forged = codec.encode_ack(Ack(command_id, AckStatus.SUCCEEDED, {"on": True}))
        unknown = codec.encode_ack(Ack("01UNKNOWN", AckStatus.SUCCEEDED, {"on": True}))
        home.visitor.says("hall-light/ack", forged)
        home.visitor.says("stranger/ack", forged)
        home.visitor.says(f"{KITCHEN}/ack", unknown)
        for garbage in (b"", b"\xff\xfe", b"[]", b'{"id": 1}', b"x" * 200_000):
            home.visitor.says(f"{KITCHEN}/ack", garbage)
        outcome = await home.talk.outcome(call_id)
        assert (outcome["ok"], outcome["status"]) == (None, "timed_out")
        assert "it names no command of ours" in " ".join(strange_acks(home))
        assert f"its command was for {KITCHEN}" in " ".join(strange_acks(home))
        assert not any(isinstance(event, EvidenceReceived) and event.late for event in home.events)
        assert (await home.talk.call("turn_on", target="Hall light"))["ok"] is True


async def test_a_retained_ack_is_the_past(
    broker_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It waits on the broker for whoever subscribes, and proves nothing to him."""
    async with world(broker_url, of=two_lights()) as home:
        await home.talk.call("turn_on", target="Kitchen light")
        ack = Ack(home.sent[0].command_id, AckStatus.FAILED, {"on": False})
        home.visitor.says(f"{KITCHEN}/ack", codec.encode_ack(ack), retain=True)
        await eventually(
            lambda: any(isinstance(e, EvidenceReceived) and e.duplicate for e in home.events)
        )
        async with world(broker_url, of=[], root=home.root) as later:
            assert "a retained acknowledgement is the past" in caplog.text
            assert (await later.talk.call("turn_off", target="Kitchen light"))["ok"] is True
        assert home.acts(KITCHEN) == ["turn_on", "turn_off"]


async def test_what_takes_longer_is_pending_and_its_end_is_told(broker_url: str) -> None:
    impatient = {"answer_within_s": 0.3}
    async with world(broker_url, of=[BedroomBlind(speed=4)], devices=impatient) as home:
        outcome = await home.talk.call("set_cover", target="Bedroom blind", position=100)
        assert (outcome["ok"], outcome["status"]) == (None, "pending")
        assert "Bedroom blind is open" in await home.talk.note("Bedroom blind")
        assert home.house["bedroom-blind"].state["position"] == 100
        assert home.acts("bedroom-blind") == ["set_cover"]


async def test_a_device_does_a_command_once_however_often_it_hears_it(broker_url: str) -> None:
    async with world(broker_url, of=two_lights()) as home:
        await home.talk.call("turn_on", target="Kitchen light")
        command = Command(home.sent[0].command_id, "turn_on", {}, 3000, 2)
        for _ in range(3):
            home.visitor.says(f"{KITCHEN}/command", codec.encode_command(command))
        await eventually(
            lambda: sum(isinstance(e, EvidenceReceived) and e.duplicate for e in home.events) == 3
        )
        assert home.acts(KITCHEN) == ["turn_on"]


def online(home: World, device_id: str) -> bool | None:
    device = home.gateway.directory.get(device_id)
    return device.online if device else None


async def start_lamp(folder: Path, url: str, root: str) -> asyncio.subprocess.Process:
    program = folder / "lamp.py"
    program.write_text(LAMP)
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    return await asyncio.create_subprocess_exec(sys.executable, str(program), url, root, env=path)
