"""Which process wrote something, and whether it still lives.

A mark names one life of one process: numbers of processes are used again, and after a power
cut nothing lives any more. It never asks the process itself.
"""

from __future__ import annotations

import os
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def own_mark() -> str:
    """This process: "<boot>:<pid>:<start>". Parts that the system does not tell are empty."""
    pid = os.getpid()
    return f"{_boot()}:{pid}:{_started(pid)}"


def lives(mark: str) -> bool:
    """Whether the process that `mark` names still runs. A mark that cannot be read does not."""
    boot, pid, started = _parts(mark)
    return pid > 0 and boot == _boot() and _exists(pid) and started == _started(pid)


def same_boot(mark: str) -> bool:
    """Whether the machine has run without a break since `mark` was made."""
    boot = _boot()
    return boot != "" and _parts(mark)[0] == boot


def _parts(mark: str) -> tuple[str, int, str]:
    boot, _, rest = mark.partition(":")
    pid, _, started = rest.partition(":")
    return boot, int(pid) if pid.isascii() and pid.isdigit() else 0, started


def _boot() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When the process began, in ticks since the machine did; "" when that is not told."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    # The second field is the program's name in brackets and may hold anything, spaces too.
    return line.rpartition(")")[2].split()[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
