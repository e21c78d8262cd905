"""Puts devices on a broker: subscribe, announce, obey, and say goodbye.

Each device has a connection of its own, because a will speaks for one device only.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

from devices.contract.errors import DevicesError, LinkRefusedError
from devices.contract.topics import Leaf, Topics
from devices.link.base import Link, LinkChange, LinkState
from devices.link.mqtt import MqttLink, MqttOptions
from devices.sdk.device import Device
from devices.sdk.logbook import Logbook
from devices.sdk.runner import Runner, will


@asynccontextmanager
async def serving(
    device: Device, link: Link, *, root: str = "home", memory: Path | None = None
) -> AsyncIterator[Runner]:
    """`device` on `link` (with `will(device, root)` as its will) for the length of the block.

    Enters at once, connected or not; announces at every connection. On leaving, what runs is
    answered `failed` and the device says offline. `memory` is a folder where command ids
    outlive the process; None keeps them in it. Raises LinkRefusedError when the broker
    denies the command topic, MemoryFailedError when the folder cannot be used.
    """
    with _logbook(device, memory) as logbook:
        loop = asyncio.get_running_loop()
        runner = Runner(device, root=root, send=link.publish, now_s=loop.time, logbook=logbook)
        async with _on_link(device, link, runner, root):
            yield runner


def _logbook(device: Device, memory: Path | None) -> AbstractContextManager[Logbook | None]:
    return nullcontext() if memory is None else Logbook(memory, device.id)


@asynccontextmanager
async def _on_link(device: Device, link: Link, runner: Runner, root: str) -> AsyncIterator[None]:
    """`runner` at work for the length of the block."""

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
                yield
            finally:
                forget()
                await runner.close()
                if link.state is LinkState.CONNECTED:
                    runner.leave()
    finally:
        await runner.close()


async def serve(
    device: Device, link: Link, *, root: str = "home", memory: Path | None = None
) -> None:
    """Serve `device` on `link` until cancelled; see `serving`.

    Raises LinkRefusedError when the broker refuses the device, MemoryFailedError.
    """
    refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def changed(change: LinkChange) -> None:
        if change.state is LinkState.REFUSED and not refused.done():
            refused.set_result(change.reason)

    forget = link.on_change(changed)
    try:
        async with serving(device, link, root=root, memory=memory):
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
    cert_file: str = "",
    key_file: str = "",
    memory: str | Path | None = None,
) -> None:
    """Serve `devices` at the broker `url` until cancelled, each on its own connection.

    Every connection's client id is the device's id. `memory` is a folder, made when it is not
    there: with it a device that is restarted still knows which commands it was given. Raises
    an ExceptionGroup of LinkRefusedError when the broker refuses a device, of
    MemoryFailedError when the folder cannot be used; the others are stopped cleanly.
    """
    folder = None if memory is None else Path(memory)
    async with asyncio.TaskGroup() as group:
        for device in devices:
            options = MqttOptions(
                url=url,
                username=username,
                password=password,
                ca_file=ca_file,
                cert_file=cert_file,
                key_file=key_file,
                client_id=device.id,
                will=will(device, root),
            )
            served = serve(device, MqttLink(options), root=root, memory=folder)
            group.create_task(served, name=device.id)


def run(
    url: str,
    *devices: Device,
    root: str = "home",
    username: str = "",
    password: str = "",
    ca_file: str = "",
    cert_file: str = "",
    key_file: str = "",
    memory: str | Path | None = None,
) -> None:
    """As `run_async`, blocking, until SIGINT or SIGTERM ends it cleanly.

    Exits with a sentence when the broker refuses a device or `memory` cannot be used.
    """
    served = run_async(
        url,
        *devices,
        root=root,
        username=username,
        password=password,
        ca_file=ca_file,
        cert_file=cert_file,
        key_file=key_file,
        memory=memory,
    )
    try:
        asyncio.run(_until_signal(served))
    except* DevicesError as group:
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
