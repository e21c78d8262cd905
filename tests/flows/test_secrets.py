"""Secrets are nowhere but where they belong: not in a log, an error, the journal or a listing."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import yaml
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from devices.simulated.appliances import FrontDoorLock
from devices.simulated.house import mqtt_links, run_house
from devices.simulated.lights import KitchenLight
from tests.brokers import Mosquitto, free_port
from tests.flows.cloud import Cloud
from tests.flows.programs import Ended, agent, gateway

pytestmark = pytest.mark.flow

# Marks that every encoding writes in another way.
LICENSE = 'lic/7f3a+"é\\ %41&k'
PASSWORD = 'pw/9c1d+"ü\\ %42&m'
IN_URL = 'url/5e2b+"ö\\ %43&n'
PIN = "83920174"
SECRETS = {"license": LICENSE, "password": PASSWORD, "url password": IN_URL, "pin": PIN}


def spellings(secret: str) -> set[bytes]:
    """How a secret may look in a log, a URL, JSON, a repr or a header."""
    texts = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        ascii(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(),
    }
    # Half a secret is one, too.
    return {text.encode() for text in texts} | {secret[:8].encode(), secret[-8:].encode()}


def leaks(text: str | bytes) -> list[tuple[str, bytes]]:
    """Which secrets are in `text`, with what stands around them."""
    data = text.encode() if isinstance(text, str) else text
    return [
        (name, data[max(0, at - 60) : at + 60])
        for name, secret in SECRETS.items()
        for spelling in spellings(secret)
        if (at := data.find(spelling)) >= 0
    ]


def assert_silent(ended: Ended) -> None:
    assert leaks(ended.out) == []
    assert leaks(ended.err) == []
    assert "Traceback" not in ended.err


@dataclass
class Setting:
    """A folder with a configuration, and an environment, that hold all the secrets."""

    folder: Path
    broker_url: str
    session_url: str
    changes: dict[str, dict[str, object]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"GATEWAY_MQTT__PASSWORD": PASSWORD}

    def write(self) -> Path:
        """Write the files; the path of the configuration."""
        license_file = self.folder / "license"
        license_file.write_text(LICENSE + "\n", encoding="utf-8")
        sections: dict[str, dict[str, object]] = {
            "session": {"url": self.session_url, "license_file": str(license_file)},
            "mqtt": {"url": self.broker_url, "username": "house"},
            "devices": {"root": "secrets", "delivery_s": 1.0},
            "policy": {"pin": PIN, "pin_devices": ["front-door-lock"]},
            "journal": {"path": str(self.folder / "journal.db")},
        }
        for section, values in self.changes.items():
            sections[section] |= values
        path = self.folder / "gateway.yaml"
        path.write_text(yaml.safe_dump(sections, allow_unicode=True), encoding="utf-8")
        for file in (license_file, path):
            file.chmod(0o600)
        return path

    def journal(self) -> bytes:
        """Every byte of the journal's files."""
        return b"".join(file.read_bytes() for file in sorted(self.folder.glob("journal.db*")))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker that takes one user."""
    with Mosquitto(tmp_path_factory.mktemp("secrets"), users={"house": PASSWORD}) as made:
        yield made


async def test_a_conversation_leaves_no_secret_behind(tmp_path: Path, broker: Mosquitto) -> None:
    links = mqtt_links(broker.url, username="house", password=PASSWORD)
    things = [KitchenLight(), FrontDoorLock()]
    async with run_house(links, root="secrets", devices=things) as house, Cloud() as cloud:
        setting = Setting(tmp_path, broker.url, cloud.url)
        config = setting.write()
        async with agent(config, "-v", environment=setting.environment) as running:
            talk = await cloud.talk()
            assert talk.query["license"] == [LICENSE]
            await talk.frame(lambda _: "Front door lock" in talk.targets("unlock"))
            asked = await talk.call("unlock", target="Front door lock")
            wrong = {"confirmation": asked["confirmation"], "pin": PIN[::-1]}
            assert (await talk.call("confirm", **wrong))["ok"] is False
            done = await talk.call("confirm", confirmation=asked["confirmation"], pin=PIN)
            assert (done["status"], house["front-door-lock"].state["locked"]) == (
                "confirmed",
                False,
            )
            assert (await talk.call("turn_on", target="Kitchen light"))["ok"] is True
            # A service that repeats what it was told.
            for spelling in (LICENSE, quote(LICENSE), quote_plus(LICENSE), json.dumps(LICENSE)):
                await talk.say("realtime.error", None, message=f"bad key {spelling}")
            assert (await talk.call("turn_on", target="Kitchen light"))["ok"] is True
            assert not leaks("".join(json.dumps(frame) for frame in talk.frames))
            live = setting.journal()
            ended = await running.stop()
    assert ended.code == 0
    assert_silent(ended)
    assert b"front-door-lock" in live
    assert leaks(live) == []
    assert leaks(setting.journal()) == []


async def test_listings_show_no_secret(tmp_path: Path, broker: Mosquitto) -> None:
    url = f"mqtt://house:{quote(IN_URL, safe='')}@h:1"
    setting = Setting(tmp_path, url, f"ws://h/p?license={quote(LICENSE, safe='')}")
    config = str(setting.write())
    shown = await gateway("config", "show", "--config", config, environment=setting.environment)
    plain = yaml.safe_load(shown.out)
    assert plain["session"]["license"] == plain["mqtt"]["password"] == "**********"
    assert plain["policy"]["pin"] == "**********"
    assert plain["mqtt"]["url"] == "mqtt://**********@h:1"
    assert_silent(shown)
    for what in ("schema", "example"):
        assert_silent(await gateway("config", what, environment=setting.environment))


@pytest.mark.parametrize(
    "text",
    [
        f"session:\n  license: '{PIN}\n mqtt: [",
        f"session: {{license:{PIN}}}",
        f"mqtt: {{url: 'mqtt://u:{PIN}@h:port'}}\njournal: {{path: ''}}",
        f"session: {{url: 'ws://u:{PIN}@[h', license: {PIN}a}}\njournal: {{path: ''}}",
    ],
)
async def test_a_wrong_file_is_one_sentence_without_its_secrets(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    ended = await gateway("run", "-v", "--config", str(path))
    assert ended.code == 1
    assert ended.err.splitlines()[-1].startswith("gateway: ")
    assert_silent(ended)


@pytest.mark.parametrize("name", ["GATEWAY_MQTT", "GATEWAY_MQTT__PASSWORT"])
async def test_a_wrong_environment_is_one_sentence_without_its_secrets(
    tmp_path: Path, name: str
) -> None:
    environment = {name: f'{{"password": "{PIN}"'}
    ended = await gateway("devices", "-v", folder=tmp_path, environment=environment)
    assert ended.code == 1
    assert_silent(ended)


async def test_a_broker_that_refuses_us_learns_the_password_alone(
    tmp_path: Path, broker: Mosquitto
) -> None:
    in_url = broker.url.replace("//", f"//house:{quote(IN_URL, safe='')}@")
    for url, username in ((broker.url, "nobody"), (in_url, "")):
        setting = Setting(tmp_path, url, "ws://127.0.0.1:9")
        setting.changes = {"mqtt": {"username": username}}
        config = str(setting.write())
        environment = setting.environment if username else {}
        for command in ("run", "devices"):
            ended = await gateway(command, "-v", "--config", config, environment=environment)
            assert ended.code == 1
            assert "refuses us" in ended.err
            assert_silent(ended)
        assert leaks(setting.journal()) == []


async def test_a_service_that_repeats_our_key_in_its_refusal(
    tmp_path: Path, broker: Mosquitto
) -> None:
    async with Cloud() as cloud:
        cloud.refusal = {
            "type": "conversation.connected.fail",
            "message": f"Invalid license: {LICENSE} ({quote(LICENSE, safe='')})",
        }
        await refused_session(tmp_path, broker, cloud.url, "Invalid license")


async def test_a_service_that_answers_with_our_address(tmp_path: Path, broker: Mosquitto) -> None:
    async with unfriendly() as port:
        await refused_session(tmp_path, broker, f"ws://127.0.0.1:{port}/p", "HTTP 401")


async def test_a_service_that_is_not_there(tmp_path: Path, broker: Mosquitto) -> None:
    url = f"ws://house:{quote(IN_URL, safe='')}@127.0.0.1:{free_port()}/p"
    await refused_session(tmp_path, broker, url, "nothing listens")


async def refused_session(folder: Path, broker: Mosquitto, url: str, words: str) -> None:
    """`gateway run` at that service says `words` and no secret."""
    setting = Setting(folder, broker.url, url)
    async with agent(setting.write(), "-v", environment=setting.environment) as running:
        said = await until_said(running.process.stderr, words)
        ended = await running.stop()
    assert leaks(said) == []
    assert_silent(ended)
    assert leaks(setting.journal()) == []


async def until_said(stream: asyncio.StreamReader | None, words: str) -> str:
    """What a program says until `words` come."""
    assert stream is not None
    said = ""
    async for line in stream:
        said += line.decode()
        if words in said:
            return said
    pytest.fail(said)


@asynccontextmanager
async def unfriendly() -> AsyncIterator[int]:
    """A service that refuses with a page in which the whole request stands."""

    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(HTTPStatus.UNAUTHORIZED, f"no: {request.path}")

    async def never(_: ServerConnection) -> None:
        pytest.fail("it was let in")

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        yield server.sockets[0].getsockname()[1]
