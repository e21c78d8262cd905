"""Everything that runs in a run: broker, house and gateway as processes, the proxies between.

It starts, breaks and mends them; what is asked and when things break is the driver's.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any, Self

from tests.brokers import Mosquitto
from tests.faults.inventory import PLACES, ROOT
from tests.faults.mischief import Dealer, Odds
from tests.faults.mqtt_proxy import mqtt_proxy
from tests.faults.records import Asked
from tests.faults.relay import Relay
from tests.faults.service import Service
from tests.faults.ws_proxy import ws_proxy

PROJECT = Path(__file__).parents[2]
_STOPS_WITHIN_S = 10.0
_BROKER_SETTINGS = """
set_tcp_nodelay true
persistence true
persistence_location {folder}/
"""


class Broker(Mosquitto):
    """A mosquitto that keeps what is retained over a clean stop, and forgets it when killed."""

    def end_cleanly(self) -> None:
        """Stop with everything written down."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_STOPS_WITHIN_S)
            self._process = None

    def die(self) -> None:
        """Stop as if by a power cut that also took the disk."""
        self.stop()
        (self.folder / "mosquitto.db").unlink(missing_ok=True)


class Process:
    """A program of ours that can be killed and started again, counted in `starts`.

    Its log only grows.
    """

    def __init__(self, log: Path, *arguments: str) -> None:
        self._log = log
        self._arguments = arguments
        self._child: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        """Start it."""
        self.starts += 1
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [sys.executable, *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment | {"PYTHONPATH": str(PROJECT)},
                cwd=self._log.parent,
            )

    @property
    def ended(self) -> bool:
        """Whether it ended by itself."""
        return self._child is not None and self._child.poll() is not None

    def end(self, how: signal.Signals = signal.SIGTERM) -> int | None:
        """End it and wait; its exit code, None when it did not run."""
        child, self._child = self._child, None
        if child is None:
            return None
        child.send_signal(how)
        try:
            return child.wait(_STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()


class World:
    """`async with` starts everything in `folder` and ends it; the gateway runs when it enters."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        commands: Odds,
        acks: Odds,
        calls: Odds,
        on_answer: Callable[[Asked], None],
    ) -> None:
        self.folder = folder
        self.journal = folder / "journal.db"
        self.actuations = folder / "actuations.jsonl"
        self.gateway_log = folder / "gateway.log"
        self.broker = Broker(folder, extra=_BROKER_SETTINGS.format(folder=folder))
        self.service = Service(on_answer)
        self._seed = seed
        self.dealers = {
            "commands": Dealer(commands, Random(f"commands {seed}")),
            "acks": Dealer(acks, Random(f"acks {seed}")),
            "calls": Dealer(calls, Random(f"calls {seed}")),
            "results": Dealer(Odds(), Random(f"results {seed}")),
        }
        self.mqtt: Relay
        self.ws: Relay
        self.gateway: Process
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        deal = self.dealers
        await asyncio.to_thread(self.broker.start)
        self._stack.callback(self.broker.stop)
        await self._stack.enter_async_context(self.service)
        self.mqtt = await self._stack.enter_async_context(
            mqtt_proxy(self.broker.port, up=deal["commands"], down=deal["acks"])
        )
        self.ws = await self._stack.enter_async_context(
            ws_proxy(self.service.port, up=deal["results"], down=deal["calls"])
        )
        house = Process(
            self.folder / "house.log",
            *("-m", "tests.faults.house", self.broker.url, str(self.actuations), str(self._seed)),
        )
        house.start()
        self._stack.callback(house.end)
        self.gateway = Process(
            self.gateway_log, "-m", "gateway", "run", "--config", str(self._config())
        )
        self.gateway.start()
        self._stack.callback(self.gateway.end)

    def _config(self) -> Path:
        """The gateway's settings: its defaults, but for what a driver needs.

        JSON is YAML.
        """
        many = 10_000_000
        limits = {"calls_per_minute": many, "device_calls_per_minute": many}
        settings: dict[str, Any] = {
            "session": {"url": f"ws://127.0.0.1:{self.ws.port}/v2", "license": "faults"},
            "mqtt": {"url": f"mqtt://127.0.0.1:{self.mqtt.port}"},
            "devices": {"root": ROOT},
            "policy": {"guarded": "allow", **limits},
            "journal": {"path": str(self.journal), "max_mb": 10_000},
        }
        path = self.folder / "gateway.yaml"
        path.touch(mode=0o600)
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path

    def everybody_offered(self) -> bool:
        """Whether the model knows every device."""
        return all(place.name in self.service.tools for place in PLACES)
