"""Puts devices on a broker: subscribe, announce, obey, and say goodbye.

Each device has a connection of its own, because a will speaks for one device only.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from devices.contract.errors import LinkRefusedError
from devices.contract.topics import Leaf, Topics
from devices.link.base import Link, LinkChange, LinkState
from devices.link.mqtt import MqttLink, MqttOptions
from devices.sdk.device import Device
from devices.sdk.runner import Runner, will


@asynccontextmanager
async def serving(device: Device, link: Link, *, root: str = "home") -> AsyncIterator[Runner]:
    """`device` on `link` (with `will(device, root)` as its will) for the length of the block.

    Enters at once, connected or not; announces at every connection. On leaving, what runs is
    answered `failed` and the device says offline. Raises LinkRefusedError when the broker
    denies the command topic.
    """
    loop = asyncio.get_running_loop()
    runner = Runner(device, root=root, send=link.publish, now_s=loop.time)

    def changed(change: LinkChange) -> None:
        if change.state is LinkState.CONNECTED:
            runner.announce()

    runner.start()
    try:
        # Before the link is entered: at each connect the subscription stands before the
        # announcement that invites commands.
        await link.subscribe(Topics(root).of(device.id, Leaf.COMMAND), runner.receive, qos=1)
        forget = link.on_change(changed)
        async with link:
            try:
                yield runner
            finally:
                forget()
                await runner.close()
                if link.state is LinkState.CONNECTED:
                    runner.leave()
    finally:
        await runner.close()


async def serve(device: Device, link: Link, *, root: str = "home") -> None:
    """Serve `device` on `link` until cancelled.

    Raises LinkRefusedError when the broker refuses the device.
    """
    refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def changed(change: LinkChange) -> None:
        if change.state is LinkState.REFUSED and not refused.done():
            refused.set_result(change.reason)

    forget = link.on_change(changed)
    try:
        async with serving(device, link, root=root):
            raise LinkRefusedError(await refused)
    finally:
        forget()


async def run_async(
    url: str,
    *devices: Device,
    root: str = "home",
    username: str = "",
    password: str = "",
    ca_file: str = "",
) -> None:
    """Serve `devices` at the broker `url` until cancelled, each on its own connection.

    Every connection's client id is the device's id. Raises an ExceptionGroup of
    LinkRefusedError when the broker refuses a device; the others are stopped cleanly.
    """
    async with asyncio.TaskGroup() as group:
        for device in devices:
            options = MqttOptions(
                url=url,
                username=username,
                password=password,
                ca_file=ca_file,
                client_id=device.id,
                will=will(device, root),
            )
            group.create_task(serve(device, MqttLink(options), root=root), name=device.id)


def run(
    url: str,
    *devices: Device,
    root: str = "home",
    username: str = "",
    password: str = "",
    ca_file: str = "",
) -> None:
    """As `run_async`, blocking, until SIGINT or SIGTERM ends it cleanly.

    Exits with a sentence when the broker refuses a device.
    """
    served = run_async(
        url, *devices, root=root, username=username, password=password, ca_file=ca_file
    )
    try:
        asyncio.run(_until_signal(served))
    except* LinkRefusedError as group:
        raise SystemExit(str(group.exceptions[0])) from None


async def _until_signal(work: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(work, name="devices")
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        await task
    except asyncio.CancelledError:
        if not stopped:
            raise
