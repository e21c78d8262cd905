"""What can be typed: the commands, their options, and the help that teaches them.

It runs nothing and imports nothing of the house; `gateway.cli` does what was typed.
"""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

# argparse's sub-parsers action has no public generic type.
_Commands = Any

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def parser() -> argparse.ArgumentParser:
    """The parser. `options.command` names the command, as `gateway.cli` has it."""
    top = argparse.ArgumentParser(
        prog="gateway",
        description="Voice control that says what really happened: a realtime voice session "
        "commands MQTT devices and answers with their acknowledgements.",
        epilog="Start with `gateway demo`. Then `gateway config example > gateway.yaml`, fill in "
        "the broker and the licence, and `gateway run`.",
    )
    top.set_defaults(quiet=False, until_stopped=False)
    commands = top.add_subparsers(metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_run(commands)
    _add_devices(commands)
    _add_tools(commands)
    _add_call(commands)
    _add_journal(commands)
    _add_simulate(commands)
    _add_config(commands)
    return top


def _command(
    commands: _Commands,
    name: str,
    *,
    help: str,  # noqa: A002 -- argparse's own word
    epilog: str = "",
    needs_config: bool = True,
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=help,
        description=help[0].upper() + help[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(command=name)
    command.add_argument("-v", "--verbose", action="store_true", help="log every step")
    if needs_config:
        command.add_argument(
            "--config",
            type=Path,
            metavar="FILE",
            help="gateway.yaml (else ./gateway.yaml, then /etc/gateway/gateway.yaml)",
        )
    return command


def _add_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="one JSON object a line")


def _add_demo(commands: _Commands) -> None:
    demo = _command(
        commands,
        "demo",
        help="the whole system on this machine: no account, no broker, no hardware",
        epilog='example:\n  gateway demo --say "turn on the kitchen light" --json',
        needs_config=False,
    )
    demo.add_argument(
        "--say", action="append", default=[], metavar="TEXT", help="say it and end (repeatable)"
    )
    _add_json(demo)
    demo.set_defaults(quiet=True)


def _add_run(commands: _Commands) -> None:
    run = _command(commands, "run", help="the agent: hold the session, obey, answer")
    run.set_defaults(until_stopped=True)


def _add_devices(commands: _Commands) -> None:
    devices = _command(commands, "devices", help="which devices are on the broker")
    _add_json(devices)
    devices.set_defaults(quiet=True)


def _add_tools(commands: _Commands) -> None:
    tools = _command(
        commands,
        "tools",
        help="what the model is offered",
        epilog="--format elevenlabs prints what to paste into the ElevenLabs dashboard.",
    )
    tools.add_argument("--format", choices=("navtalk", "openai", "elevenlabs"))
    _add_json(tools)
    tools.set_defaults(quiet=True)


def _add_call(commands: _Commands) -> None:
    call = _command(
        commands,
        "call",
        help="one call without a session; prints the outcome",
        epilog='example:\n  gateway call turn_on target="kitchen light" brightness=60',
    )
    call.add_argument("tool", metavar="TOOL")
    call.add_argument("arguments", nargs="*", metavar="name=value")
    call.add_argument("--yes", action="store_true", help="confirm what policy holds back")
    _add_json(call)
    call.set_defaults(quiet=True)


def _add_journal(commands: _Commands) -> None:
    journal = _command(
        commands,
        "journal",
        help="what was asked, what happened, how long it took",
        epilog="example:\n  gateway journal --since 2d --device front-door-lock --failed",
    )
    journal.add_argument(
        "--since",
        type=_moment,
        default="1h",
        metavar="TIME",
        help="30m, 1h, 2d, or 2026-11-24T20:00 (1h)",
    )
    journal.add_argument(
        "--device", metavar="ID", default="", help="only what was for this device (id or name)"
    )
    journal.add_argument("--tool", metavar="NAME", default="", help="only calls of this tool")
    journal.add_argument(
        "--failed", action="store_true", help="only what is not known to have been done"
    )
    journal.add_argument(
        "--follow", action="store_true", dest="until_stopped", help="show new ones as they come"
    )
    _add_json(journal)
    journal.set_defaults(quiet=True)


def _moment(text: str) -> datetime:
    """A time, written as an age or as the clock on the wall shows it."""
    age = re.fullmatch(r"(\d{1,5})([mhd])", text)
    try:
        if age:
            return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        wanted = "write 30m, 1h, 2d or 2026-11-24T20:00"
        raise argparse.ArgumentTypeError(f"{wanted}, not {text[:40]!r}") from None


def _add_simulate(commands: _Commands) -> None:
    simulate = commands.add_parser("simulate", help="the demo's parts, alone")
    parts = simulate.add_subparsers(metavar="PART", required=True)
    house = _command(
        parts,
        "house",
        help="nine simulated devices on a real broker",
        epilog="example:\n  gateway simulate house --fault kitchen-light:drop=2",
    )
    house.add_argument("--mqtt", metavar="URL", default="", help="the broker, else mqtt.url")
    house.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="DEVICE:NAME=VALUE,...",
        help="drop, lose_acks, delay_s, repeat, garble, noise, lie, silent, offline",
    )
    house.add_argument("--speed", type=float, default=1.0, help="how fast things move")
    house.add_argument(
        "--memory",
        type=Path,
        metavar="DIR",
        help="a folder where the devices remember commands across restarts",
    )
    house.set_defaults(until_stopped=True)
    provider = _command(
        parts,
        "provider",
        help="a NavTalk v2 service on loopback; typed sentences are what its user says",
        needs_config=False,
    )
    provider.add_argument("--port", type=int, default=8765, help="where it listens; 0 picks one")
    provider.add_argument("--license", default="demo-license", help="the licence it accepts")
    provider.set_defaults(until_stopped=True)


def _add_config(commands: _Commands) -> None:
    config = _command(
        commands,
        "config",
        help="a commented gateway.yaml, its JSON schema for editors, or what is in force",
        epilog="`show` prints every setting as file, environment and defaults make it, with "
        "secrets masked.",
    )
    config.add_argument("what", choices=("example", "schema", "show"))
    config.set_defaults(quiet=True)
