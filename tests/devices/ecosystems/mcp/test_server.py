from __future__ import annotations

import pytest

from devices.ecosystems.mcp.server import MAX_LISTED, Server

pytestmark = pytest.mark.unit


def test_its_topics() -> None:
    server = Server("lamp-1/home/lamp", "gw-1")
    assert server.control_topic == "$mcp-server/lamp-1/home/lamp"
    assert server.rpc_topic == "$mcp-rpc/gw-1/lamp-1/home/lamp"
    assert server.client_topic == "$mcp-client/presence/gw-1"
    assert server.device_id == "mcp-lamp-1-home-lamp"


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ({"title": "Desk\x1b lamp"}, "Desk lamp"),
        ({"name": "lamp"}, "Desk light"),
        ({"title": 7}, "Desk light"),
        (None, "Desk light"),
    ],
)
def test_its_name(info: object, name: str) -> None:
    assert Server("lamp-1/home/desk-light", "gw-1").called(info) == name


def test_a_list_without_end() -> None:
    server = Server("a/b", "gw-1")
    for _ in range(10):
        server.add_page([{}] * 1000)
    server.add_page("no list")
    assert (len(server.listed), server.pages) == (MAX_LISTED, 11)
