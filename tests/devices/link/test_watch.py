from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from devices.link.watch import SocketWatch

pytestmark = pytest.mark.unit


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        near.setblocking(False)
        with near, far:
            yield near, far


async def test_it_tells_when_there_is_something_to_read(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    told = asyncio.Event()
    watch = SocketWatch(near.fileno(), readable=told.set, writable=lambda: None)
    far.send(b"x")
    await asyncio.wait_for(told.wait(), 5)
    watch.acknowledge()
    assert near.recv(10) == b"x"
    assert near.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    watch.close()


async def test_it_asks_about_writing_only_while_wanted(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    told = asyncio.Event()
    watch = SocketWatch(pair[0].fileno(), readable=lambda: None, writable=told.set)
    watch.writes(wanted=True)
    await asyncio.wait_for(told.wait(), 5)
    watch.writes(wanted=False)
    await asyncio.sleep(0)
    told.clear()
    for _ in range(5):
        await asyncio.sleep(0)
    assert not told.is_set()
    watch.close()


async def test_closing_ends_its_part_and_not_the_owners(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    near, far = pair
    watch = SocketWatch(near.fileno(), readable=lambda: pytest.fail("closed"), writable=print)
    watch.writes(wanted=True)
    watch.close()
    far.send(b"x")
    for _ in range(5):
        await asyncio.sleep(0)
    assert near.recv(10) == b"x"
