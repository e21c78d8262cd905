"""Session and broker over TLS: who is right is talked to, anybody else hears nothing from us."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from devices.simulated.house import mqtt_links, run_house
from devices.simulated.lights import KitchenLight
from gateway.providers.base import Endpoint
from gateway.session.connection import Connection, EndedError
from gateway.session.ending import HttpRefused
from tests.brokers import Certificate, Mosquitto, make_certificate
from tests.flows.cloud import Cloud
from tests.flows.programs import Agent, agent, gateway
from tests.flows.world import fresh_root

pytestmark = pytest.mark.flow


def server_side(certificate: Certificate, newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """How a service with that certificate speaks TLS, at most of the version `newest`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.cert, certificate.key)
    if newest is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = newest
    return context


def configured(folder: Path, cloud_url: str, broker_url: str, ca_file: Path | str) -> Path:
    sections = {
        "session": {"url": cloud_url, "license": "sk-1", "ca_file": str(ca_file)},
        "mqtt": {"url": broker_url, "client_id": fresh_root()},
        # What other tests left on the shared broker is not of this house.
        "devices": {"root": fresh_root(), "ecosystems": {"native": {}}},
        "journal": {"path": ""},
    }
    path = folder / "gateway.yaml"
    path.write_text(json.dumps(sections), encoding="utf-8")
    return path


async def complaints(running: Agent, words: str) -> Sequence[str]:
    """The log up to the line with `words`."""
    lines = []
    assert running.process.stderr is not None
    async for line in running.process.stderr:
        lines.append(line.decode())
        if words in lines[-1]:
            return lines
    pytest.fail("".join(lines))


async def test_a_session_over_tls_with_an_authority_of_ones_own(
    tmp_path: Path, mosquitto_url: str
) -> None:
    certificate = make_certificate(tmp_path / "ca")
    async with Cloud(tls=server_side(certificate)) as cloud:
        path = configured(tmp_path, cloud.url, mosquitto_url, certificate.ca)
        async with agent(path) as running:
            talk = await cloud.talk()
            assert (await talk.call("turn_on", target="x"))["status"] == "unknown_tool"
            assert (await running.stop()).code == 0


@pytest.mark.parametrize(
    ("made", "trusted", "words"),
    [
        ({"host": "other.example"}, True, "cannot be trusted"),
        ({"expired": True}, True, "not valid on this machine's date"),
        ({}, False, "cannot be trusted"),
    ],
)
async def test_a_certificate_that_is_not_right_is_told_once_and_nothing_is_sent(
    tmp_path: Path, mosquitto_url: str, made: dict[str, Any], trusted: bool, words: str
) -> None:
    certificate = make_certificate(tmp_path / "ca", **made)
    async with Cloud(tls=server_side(certificate)) as cloud:
        ca_file = certificate.ca if trusted else ""
        path = configured(tmp_path, cloud.url, mosquitto_url, ca_file)
        async with agent(path) as running:
            await complaints(running, words)
            ended = await running.stop()
        assert cloud.connections == 0
    assert words not in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
async def test_a_service_that_knows_only_old_tls_is_not_talked_to(
    tmp_path: Path, mosquitto_url: str
) -> None:
    certificate = make_certificate(tmp_path / "ca")
    tls = server_side(certificate, newest=ssl.TLSVersion.TLSv1_1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        shaken = asyncio.create_task(asyncio.to_thread(shake_hands, listening, tls))
        url = f"wss://localhost:{listening.getsockname()[1]}/x"
        path = configured(tmp_path, url, mosquitto_url, certificate.ca)
        async with agent(path) as running:
            await complaints(running, "the encrypted connection to the service failed (TLS)")
            await running.stop()
        assert "UNSUPPORTED_PROTOCOL" in await shaken


def shake_hands(listening: socket.socket, tls: ssl.SSLContext) -> str:
    """Take one connection as a server does that is not asyncio's; how the handshake ended."""
    connection, _ = listening.accept()
    with connection:
        try:
            tls.wrap_socket(connection, server_side=True)
        except ssl.SSLError as error:
            return str(error.reason)
    return "it was accepted"


async def test_an_authority_that_cannot_be_read_is_named(
    tmp_path: Path, mosquitto_url: str
) -> None:
    path = configured(tmp_path, "wss://localhost:9/x", mosquitto_url, "/nowhere/ca.pem")
    async with agent(path) as running:
        await complaints(running, "session.ca_file")
        await running.stop()


@pytest.mark.parametrize(("elsewhere", "followed"), [(True, False), (False, True)])
async def test_a_redirection_to_another_machine_is_not_followed(
    elsewhere: bool, followed: bool
) -> None:
    keys: list[str | None] = []

    async def take(socket: ServerConnection) -> None:
        assert socket.request is not None
        keys.append(socket.request.headers.get("X-Key"))

    def send_on(_: ServerConnection, request: Request) -> Response | None:
        if request.path == "/there":
            return None
        headers = Headers({"Location": there if elsewhere else "/there"})
        return Response(HTTPStatus.TEMPORARY_REDIRECT, "Temporary Redirect", headers)

    async with (
        serve(take, "127.0.0.1", 0, process_request=send_on) as here,
        serve(take, "127.0.0.1", 0) as other,
    ):
        there = f"ws://127.0.0.1:{other.sockets[0].getsockname()[1]}/there"
        url = f"ws://127.0.0.1:{here.sockets[0].getsockname()[1]}/"
        connection = Connection(Endpoint(url, url, {"X-Key": "sk-1"}))
        if followed:
            await connection.open()
        else:
            with pytest.raises(EndedError) as caught:
                await connection.open()
            assert caught.value.ending == HttpRefused(307)
        await connection.close()
    assert keys == (["sk-1"] if followed else [])


async def test_a_house_on_a_broker_that_wants_certificates(tmp_path: Path) -> None:
    theirs = make_certificate(tmp_path / "theirs")
    ours = make_certificate(tmp_path / "ours", host="house")
    extra = f"cafile {ours.ca}\nrequire_certificate true"
    files = {"ca_file": theirs.ca, "cert_file": ours.cert, "key_file": ours.key}
    shown = {name: str(path) for name, path in files.items()}
    with Mosquitto(tmp_path, cert=theirs.cert, key=theirs.key, extra=extra) as broker:
        path = tmp_path / "gateway.yaml"
        sections = {"mqtt": {"url": broker.url, **shown}, "journal": {"path": ""}}
        path.write_text(json.dumps(sections), encoding="utf-8")
        async with run_house(mqtt_links(broker.url, **shown), devices=[KitchenLight()]):
            listed = await gateway("devices", "--json", "--config", str(path))
    assert [line["id"] for line in listed.lines] == ["kitchen-light"]
    assert listed.err == ""
