"""The gateway as a user starts it: a process with arguments, a configuration and signals."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FINISHES_WITHIN_S = 20.0


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The lines whose `event` is `kind`."""
        return [line for line in self.lines if line["event"] == kind]


async def gateway(
    *arguments: str,
    stdin: str = "",
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Ended:
    """`gateway` with `arguments`, to its end."""
    process = await _start(arguments, folder, environment)
    return await _end(process, stdin)


class Agent:
    """`gateway run` while it runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def stop(self) -> Ended:
        """Send SIGTERM and wait for the end."""
        self.process.terminate()
        return await _end(self.process)

    async def end(self) -> Ended:
        """Wait for an end that comes by itself."""
        return await _end(self.process)


@asynccontextmanager
async def agent(
    config: Path, *options: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Agent]:
    """`gateway run --config`; killed if it still runs at the end of the block."""
    process = await _start(["run", "--config", str(config), *options], config.parent, environment)
    try:
        yield Agent(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def _start(
    arguments: Sequence[str], folder: Path | None, environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "gateway", *arguments),
        cwd=folder or ROOT,
        env=kept | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"} | dict(environment or {}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def _end(process: asyncio.subprocess.Process, stdin: str = "") -> Ended:
    try:
        async with asyncio.timeout(FINISHES_WITHIN_S):
            out, err = await process.communicate(stdin.encode())
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())
