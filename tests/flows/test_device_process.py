"""A device in a process of its own, at a real broker."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from devices.contract import codec
from devices.contract.command import Ack, AckStatus, Command
from devices.link.base import Message, Publish
from devices.link.mqtt import MqttLink, MqttOptions

pytestmark = pytest.mark.flow

PROGRAM = """
import asyncio
import sys
from devices.sdk import Device, brightness, command, power, run

class Lamp(Device):
    id, name, area = "flow-lamp", "Flow lamp", "Kitchen"
    capabilities = (power(), brightness())

    @command
    def turn_on(self, brightness: int = 100) -> dict[str, object]:
        return {"on": True, "brightness": brightness}

    @command
    def turn_off(self) -> dict[str, object]:
        return {"on": False}

    @command(slow=True)
    async def brew(self) -> None:
        "Brew."
        print("brewing", flush=True)
        await asyncio.sleep(60)

run(sys.argv[1], Lamp(), root="flow", memory=sys.argv[2] if sys.argv[2:] else None)
print("ended", flush=True)
"""


class Ear:
    """Keeps what a topic said and waits for the next word."""

    def __init__(self) -> None:
        self._words: asyncio.Queue[Message] = asyncio.Queue()

    def __call__(self, message: Message) -> None:
        self._words.put_nowait(message)

    async def next(self) -> Message:
        async with asyncio.timeout(10):
            return await self._words.get()

    async def until(self, payload: bytes) -> None:
        while (await self.next()).payload != payload:
            pass


async def start(folder: Path, url: str, *memory: str) -> asyncio.subprocess.Process:
    program = folder / "lamp.py"
    program.write_text(PROGRAM)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        url,
        *memory,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE,
    )


async def obey(link: MqttLink, acks: Ear, command_id: str) -> Ack:
    payload = codec.encode_command(Command(command_id, "turn_on", {"brightness": 60}, 3000))
    link.publish(Publish("flow/flow-lamp/command", payload))
    return codec.decode_ack((await acks.next()).payload)


Stop = Callable[[asyncio.subprocess.Process], Awaitable[bytes]]


async def ask_to_stop(process: asyncio.subprocess.Process) -> bytes:
    process.send_signal(signal.SIGTERM)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


async def cut_the_power(process: asyncio.subprocess.Process) -> bytes:
    process.kill()
    output, _ = await process.communicate()
    return output


@pytest.mark.parametrize(("stop", "said"), [(ask_to_stop, b"ended\n"), (cut_the_power, b"")])
async def test_a_device_comes_obeys_once_and_goes(
    tmp_path: Path, mosquitto_url: str, stop: Stop, said: bytes
) -> None:
    availability, acks = Ear(), Ear()
    async with MqttLink(MqttOptions(url=mosquitto_url, client_id="ear")) as link:
        await link.connected()
        await link.subscribe("flow/flow-lamp/ack", acks)
        process = await start(tmp_path, mosquitto_url)
        await link.subscribe("flow/flow-lamp/availability", availability, qos=1)
        await availability.until(b"online")
        first, again = await obey(link, acks, "c1"), await obey(link, acks, "c1")
        assert first == again
        assert first.state == {"on": True, "brightness": 60}
        assert await stop(process) == said
        await availability.until(b"offline")
        link.publish(Publish("flow/flow-lamp/availability", b"", qos=1, retain=True))


async def test_a_killed_device_with_a_memory_does_nothing_twice(
    tmp_path: Path, mosquitto_url: str
) -> None:
    availability, acks = Ear(), Ear()
    brew = codec.encode_command(Command("b1", "brew", {}, 3000))
    async with MqttLink(MqttOptions(url=mosquitto_url, client_id="ear-2")) as link:
        await link.connected()
        await link.subscribe("flow/flow-lamp/ack", acks)
        await link.subscribe("flow/flow-lamp/availability", availability, qos=1)
        for life in range(3):
            process = await start(tmp_path, mosquitto_url, str(tmp_path / "memory"))
            await availability.until(b"online")
            if life == 1:
                told = codec.decode_ack((await acks.next()).payload)
                assert told.error is not None
                assert (told.id, told.error.code) == ("b1", "interrupted")
            first = await obey(link, acks, "c1")
            assert first.state == {"on": True, "brightness": 60}
            link.publish(Publish("flow/flow-lamp/command", brew))
            answer = codec.decode_ack((await acks.next()).payload)
            assert answer.status is (AckStatus.FAILED if life else AckStatus.ACCEPTED)
            if life == 0:
                assert process.stdout is not None
                assert await process.stdout.readline() == b"brewing\n"
            assert await cut_the_power(process) == b""
            await availability.until(b"offline")
        link.publish(Publish("flow/flow-lamp/availability", b"", qos=1, retain=True))


async def test_a_memory_that_cannot_be_used_ends_the_program_with_a_sentence(
    tmp_path: Path, mosquitto_url: str
) -> None:
    (tmp_path / "file").touch()
    program = tmp_path / "lamp.py"
    program.write_text(PROGRAM)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(str(program), mosquitto_url, str(tmp_path / "file")),
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().count("\n") == 1
    assert "flow-lamp.jsonl cannot be written" in said.decode()
