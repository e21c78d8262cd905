"""A device in a process of its own, at a real broker."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from devices.contract import codec
from devices.contract.command import Ack, Command
from devices.link.base import Message, Publish
from devices.link.mqtt import MqttLink, MqttOptions

pytestmark = pytest.mark.flow

PROGRAM = """
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

run(sys.argv[1], Lamp(), root="flow")
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


async def start(folder: Path, url: str) -> asyncio.subprocess.Process:
    program = folder / "lamp.py"
    program.write_text(PROGRAM)
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(program),
        url,
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
