"""Brokers for tests: real processes on loopback, one a session where a test need not break it.

`embedded_broker` (rumqttd) comes with the package; mosquitto is looked for on this machine.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from gateway.simulated.broker import EmbeddedBroker

START_WITHIN_S = 5.0


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def mosquitto_path() -> str:
    """The mosquitto program. Skips the test without it, or fails it where CI promised one."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found:
        return found
    reason = "mosquitto is not installed (apt install mosquitto)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@dataclass
class Mosquitto:
    """A mosquitto process of its own. `folder` keeps its configuration and log.

    `users` (name to password) closes it to everybody else; `cert`, `key` and `ca` make it
    speak TLS; `extra` is added to the configuration.
    """

    folder: Path
    users: dict[str, str] = field(default_factory=dict)
    cert: Path | None = None
    key: Path | None = None
    extra: str = ""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        where = "mqtts://localhost" if self.cert else "mqtt://127.0.0.1"
        return f"{where}:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and wait until it listens."""
        path = mosquitto_path()
        config = self.folder / "mosquitto.conf"
        config.write_text(self._config(), encoding="utf-8")
        with (self.folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [path, "-c", str(config)], stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + START_WITHIN_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                pytest.fail((self.folder / "mosquitto.log").read_text(encoding="utf-8"))
            time.sleep(0.01)

    def stop(self) -> None:
        """Stop; `start` may follow, on the same port."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _config(self) -> str:
        lines = [f"listener {self.port} 127.0.0.1", "log_type error", "user root"]
        if self.cert:
            lines += [f"certfile {self.cert}", f"keyfile {self.key}"]
        lines += self._access()
        return "\n".join([*lines, self.extra, ""])

    def _access(self) -> list[str]:
        if not self.users:
            return ["allow_anonymous true"]
        file = self.folder / "passwords"
        file.touch(mode=0o600)
        for name, password in self.users.items():
            program = shutil.which("mosquitto_passwd") or "/usr/bin/mosquitto_passwd"
            subprocess.run([program, "-b", str(file), name, password], check=True)
        return ["allow_anonymous false", f"password_file {file}"]


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, signed by an authority of its own."""

    ca: Path
    cert: Path
    key: Path


_FRESH_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
# Signs for a given time, also one that has passed.
_CA_CONFIG = """\
[ca]
default_ca = here
[here]
database = {folder}/index
serial = {folder}/serial
new_certs_dir = {folder}
default_md = sha256
policy = any
[any]
commonName = supplied
[leaf]
subjectAltName = DNS:{host}
basicConstraints = CA:FALSE
"""


def make_certificate(
    folder: Path, *, host: str = "localhost", expired: bool = False
) -> Certificate:
    """Make a fresh one for `host` with openssl; skips the test where there is none."""
    folder.mkdir(exist_ok=True)
    made = Certificate(ca=folder / "ca.pem", cert=folder / "cert.pem", key=folder / "key.pem")
    ca_key, request, config = folder / "ca-key.pem", folder / "request.pem", folder / "ca.conf"
    config.write_text(_CA_CONFIG.format(folder=folder, host=host), encoding="utf-8")
    (folder / "index").touch()
    (folder / "serial").write_text("01", encoding="utf-8")
    _openssl(
        "req",
        "-x509",
        *_FRESH_KEY,
        "-keyout",
        ca_key,
        "-out",
        made.ca,
        "-days",
        "2",
        "-subj",
        "/CN=test ca",
        # Python 3.13 and later take no authority that does not say it may sign.
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )
    _openssl(
        "req", "-new", *_FRESH_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={host}"
    )
    until = "20200102000000Z" if expired else "21000101000000Z"
    _openssl(
        "ca",
        "-batch",
        "-notext",
        "-config",
        config,
        "-extensions",
        "leaf",
        "-cert",
        made.ca,
        "-keyfile",
        ca_key,
        "-startdate",
        "20200101000000Z",
        "-enddate",
        until,
        "-in",
        request,
        "-out",
        made.cert,
    )
    return made


def _openssl(*arguments: str | Path) -> None:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed")
    subprocess.run([program, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[EmbeddedBroker]:
    """rumqttd, shared by the session: use topics and client ids of your own."""
    broker = EmbeddedBroker()
    asyncio.run(broker.__aenter__())
    yield broker
    asyncio.run(broker.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def embedded_broker_url(embedded_broker: EmbeddedBroker) -> str:
    """Where the shared rumqttd takes MQTT 5."""
    return embedded_broker.url


@pytest.fixture(scope="session")
def mosquitto_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The url of a mosquitto, shared by the session: use topics and client ids of your own."""
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker.url
