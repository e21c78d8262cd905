"""Runs the floor and the gateway in turn against the same service, broker and devices."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.device import is_light
from benchmarks.service import Service

CALLS_EACH = 400
AT_ONCE = 32


@dataclass
class Figures:
    """What was measured of one contender, over all its turns."""

    serial_s: list[float] = field(default_factory=list)
    serial_rates: list[float] = field(default_factory=list)
    parallel_rates: list[float] = field(default_factory=list)
    resident_mb: list[float] = field(default_factory=list)
    start_s: list[float] = field(default_factory=list)
    idle_percent: list[float] = field(default_factory=list)
    tools_bytes: int = 0
    failures: int = 0

    def percentile_ms(self, percent: int) -> float:
        """Of the calls made one at a time."""
        return statistics.quantiles(self.serial_s, n=100)[percent - 1] * 1000


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*command: str, wait_for: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """A child process for the length of the block; returns when it printed `wait_for`."""
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE if wait_for else None, stdin=subprocess.DEVNULL
    )
    try:
        while wait_for and child.stdout is not None:
            line = child.stdout.readline().decode()
            if wait_for in line:
                break
            if not line:
                raise SystemExit(f"{' '.join(command)} ended before it was ready")
        yield child
    finally:
        child.terminate()
        child.wait(10)
        if child.stdout is not None:
            child.stdout.close()


@contextmanager
def broker() -> Iterator[int]:
    """Mosquitto with its own defaults, or the embedded broker where it is missing."""
    port = free_port()
    binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if binary is None:
        with process(sys.executable, "-m", "iotcore", "--port", str(port)):
            _await_port(port)
            yield port
        return
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "mosquitto.conf")
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
        )
        with process(binary, "-c", str(config)):
            _await_port(port)
            yield port


def _await_port(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("the broker did not start")


def write_config(folder: str, url: str, port: int) -> str:
    """The gateway's configuration: its defaults, a journal, and no limit on calls a minute."""
    path = Path(folder, "gateway.yaml")
    path.write_text(
        f"session: {{url: '{url}', license: bench, result_style: v2}}\n"
        f"mqtt: {{url: 'mqtt://127.0.0.1:{port}'}}\n"
        "policy: {calls_per_minute: 10000000}\n"
        f"journal: {{path: '{folder}/journal.db'}}\n"
    )
    return str(path)


@asynccontextmanager
async def contender(name: str, service: Service, port: int) -> AsyncIterator[psutil.Process]:
    """The floor or the gateway, connected and with its tools registered."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "floor":
            command = ["-m", "benchmarks.floor", service.url, str(port)]
        else:
            command = ["-m", "gateway", "run", "--config", write_config(folder, service.url, port)]
        with process(sys.executable, *command) as child:
            await service.contender()
            yield psutil.Process(child.pid)


async def one_turn(name: str, figures: Figures, service: Service, port: int, count: int) -> None:
    """Start a contender, time its calls, stop it."""
    started = time.time()
    async with contender(name, service, port) as running:
        figures.start_s.append(service.tools_at - started)
        figures.tools_bytes = service.tools_bytes
        await asyncio.sleep(0.5)
        lights = [f"Light {number}" for number in range(count) if is_light(number)]
        targets = [lights[number % len(lights)] for number in range(CALLS_EACH)]
        for number in range(50):
            await service.call(-1 - number, targets[number], 1 + number % 90)
        begun = time.perf_counter()
        for number, target in enumerate(targets):
            figures.serial_s.append(await service.call(number, target, 1 + number % 90))
        figures.serial_rates.append(CALLS_EACH / (time.perf_counter() - begun))
        figures.parallel_rates.append(await parallel(service, targets, len(lights)))
        figures.resident_mb.append(running.memory_info().rss / 1e6)
        figures.idle_percent.append(await idle(running))
        figures.failures += len(service.failures)
        service.failures.clear()


async def parallel(service: Service, targets: list[str], lights: int) -> float:
    """Calls a second with AT_ONCE under way, each on devices of its own."""
    lanes = min(AT_ONCE, lights)

    async def lane(first: int) -> None:
        for number in range(first, len(targets), lanes):
            await service.call(100_000 + number, targets[number], 1 + number % 90)

    begun = time.perf_counter()
    await asyncio.gather(*(lane(first) for first in range(lanes)))
    return len(targets) / (time.perf_counter() - begun)


async def idle(running: psutil.Process) -> float:
    """Per cent of one core that the contender uses when nothing happens."""
    before = running.cpu_times()
    await asyncio.sleep(2)
    after = running.cpu_times()
    return (after.user + after.system - before.user - before.system) / 2 * 100


async def measure(count: int, turns: int, names: tuple[str, ...]) -> dict[str, Figures]:
    """All contenders in turn, `turns` times, with `count` devices."""
    figures = {name: Figures() for name in names}
    with (
        broker() as port,
        process(sys.executable, "-m", "benchmarks.device", str(port), str(count), wait_for="ready"),
    ):
        async with Service() as service:
            for turn in range(turns):
                for name in names if turn % 2 == 0 else reversed(names):
                    await one_turn(name, figures[name], service, port, count)
    return figures


def row(what: str, floor: float | None, ours: float, goal: str, digits: int = 2) -> None:
    """One line of the table."""
    left = "" if floor is None else f"{floor:.{digits}f}"
    ratio = "" if not floor else f"{ours / floor:.2f} x"
    print(f"{what:<42}{left:>10}{ours:>12.{digits}f}{ratio:>10}   {goal}")


def table(measured: dict[int, dict[str, Figures]]) -> None:
    """The figures of the design, with their goals, by number of devices."""
    floor, ours = measured[100]["floor"], measured[100]["gateway"]
    median = statistics.median
    print(f"\n{'100 devices':<42}{'floor':>10}{'gateway':>12}{'ratio':>10}   goal")
    row("p50, one at a time, ms", floor.percentile_ms(50), ours.percentile_ms(50), "<= 1.25 x")
    row("p99, one at a time, ms", floor.percentile_ms(99), ours.percentile_ms(99), "<= 1.5 x")
    row("calls/s, one at a time", median(floor.serial_rates), median(ours.serial_rates), "", 0)
    rates = median(floor.parallel_rates), median(ours.parallel_rates)
    row(f"calls/s, {AT_ONCE} at once", *rates, ">= 0.6 x", 0)
    row("resident, MB", max(floor.resident_mb), max(ours.resident_mb), "<= 48 MB", 1)
    row("start to tools sent, s", median(floor.start_s), median(ours.start_s), "<= 1 s")
    row("idle CPU, % of a core", None, median(ours.idle_percent), "< 0.5 %")
    row("calls that were not confirmed", None, float(ours.failures), "0", 0)
    if len(measured) > 1:
        sizes(measured)


def sizes(measured: dict[int, dict[str, Figures]]) -> None:
    """What grows with the number of devices. Times are in floors of the same run."""
    for count, memory, start in ((1000, "", "<= 2 s"), (10_000, "<= 150 MB", "")):
        few, many = measured[10], measured[count]
        print(f"\n{'':<42}{'10 dev.':>10}{f'{count:,} dev.':>12}{'ratio':>10}   goal")
        slow, fast = (
            f["gateway"].percentile_ms(50) / f["floor"].percentile_ms(50) for f in (many, few)
        )
        row("p50, in floors", fast, slow, "<= 1.1 x")
        row("resident, MB", *(max(f["gateway"].resident_mb) for f in (few, many)), memory, 1)
        starts = (statistics.median(f["gateway"].start_s) for f in (few, many))
        row("start to tools sent, s", *starts, start)
    print(f"\n{'':<42}{'50 dev.':>10}{'1,000 dev.':>12}")
    definitions = (float(measured[n]["gateway"].tools_bytes) for n in (50, 1000))
    row("tool definitions, bytes", *definitions, "<= 6 KB / 8 KB", 0)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--turns", type=int, default=4, help="turns of each contender")
    parser.add_argument("--quick", action="store_true", help="without the 10,000 devices")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; turns: {options.turns}")
    contenders = ("floor", "gateway")
    measured = {100: asyncio.run(measure(100, options.turns, contenders))}
    if not options.quick:
        for count in (10, 1000, 10_000):
            measured[count] = asyncio.run(measure(count, options.turns, contenders))
        measured[50] = asyncio.run(measure(50, 1, ("gateway",)))
    table(measured)


if __name__ == "__main__":
    main()
