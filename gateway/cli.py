"""The command line: what a person types, and the exit code that a script reads.

Results go to standard output, logs and errors to standard error. An error is one sentence
that says what to do.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from getpass import getpass
from typing import TYPE_CHECKING, Any

from devices.contract.capability import ParameterType
from devices.contract.errors import DevicesError
from gateway import config as configuration
from gateway.errors import ConfigError, GatewayError
from gateway.outcome import Outcome, Status
from gateway.usage import parser

if TYPE_CHECKING:
    from gateway.app import Gateway
    from gateway.directory import Device
    from gateway.journal.following import Follower
    from gateway.journal.records import Action

EXIT_OK = 0
EXIT_NOT_OK = 1

# How soon `journal --follow` shows what is new; a look at the file takes well under 1 ms.
FOLLOW_EVERY_S = 0.25

_LOG_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. The exit code: 0 ok, 1 not ok; wrong usage exits with 2 by itself."""
    options = parser().parse_args(arguments)
    level = logging.DEBUG if options.verbose else logging.INFO
    logging.basicConfig(stream=sys.stderr, level=level, format=_LOG_FORMAT)
    if not options.verbose and options.quiet:
        logging.getLogger().setLevel(logging.WARNING)
    try:
        return int(asyncio.run(_interruptible(options)))
    except (GatewayError, DevicesError, ValueError) as error:
        print(f"gateway: {error}", file=sys.stderr)
        return EXIT_NOT_OK
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except KeyboardInterrupt:
        return 130


async def _interruptible(options: argparse.Namespace) -> int:
    """The command of `options`, with a stop event that SIGTERM and Ctrl-C set."""
    stop = asyncio.Event()
    with _signals(stop) if options.until_stopped else nullcontext():
        return await _COMMANDS[options.command](options, stop)


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """The first signal stops gracefully; Ctrl-C then interrupts.

    A second SIGTERM changes nothing: supervisors send it to the process and to its group, and
    calls in flight must be answered all the same.
    """
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT)

    def first() -> None:
        stop.set()
        loop.remove_signal_handler(signal.SIGINT)

    for number in caught:
        loop.add_signal_handler(number, first)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


# --- the commands ----------------------------------------------------------------------------


async def _demo(options: argparse.Namespace, _stop: asyncio.Event) -> int:
    from gateway.demo import demo  # noqa: PLC0415 -- the simulated world is loaded when asked for

    return EXIT_OK if await demo(options.say, as_json=options.json) else EXIT_NOT_OK


async def _run(options: argparse.Namespace, stop: asyncio.Event) -> int:
    from gateway.app import Gateway  # noqa: PLC0415 -- `gateway config` must not load it all

    config = configuration.load(options.config)
    # Every call makes some hundred short-lived objects: looking through them at Python's
    # usual pace costs a twentieth of the time to an answer.
    gc.set_threshold(20_000, 20, 50)
    async with Gateway(config) as gateway:
        await gateway.run(stop)
    return EXIT_OK


async def _devices(options: argparse.Namespace, _stop: asyncio.Event) -> int:
    async with _house_known(options) as gateway:
        for device in gateway.directory:
            found = _listed(gateway, device)
            if options.json:
                _print_json(found)
            else:
                print(_device_line(found))
    return EXIT_OK


async def _tools(options: argparse.Namespace, _stop: asyncio.Event) -> int:
    from gateway.tools.schema import definitions_for  # noqa: PLC0415 -- as above

    async with _house_known(options) as gateway:
        tools = gateway.tools()
        for definition in definitions_for(options.format or "navtalk", tools.definitions):
            if options.json:
                _print_json(definition)
            elif options.format:
                print(json.dumps(definition, indent=2, ensure_ascii=False))
            else:
                print(_tool_line(definition))
    return EXIT_OK


async def _call(options: argparse.Namespace, _stop: asyncio.Event) -> int:
    async with _house_known(options, keeps_journal=True) as gateway:
        tool = gateway.tools().get(options.tool)
        kinds = {p.name: p.type for p in tool.parameters} if tool else {}
        outcome = await gateway.call(options.tool, _arguments(options.arguments, kinds))
        if outcome.status is Status.NEEDS_CONFIRMATION and await _agreed(options, outcome):
            outcome = await _confirmed(gateway, outcome.confirmation)
    print(outcome.text() if options.json else outcome.message)
    return EXIT_OK if outcome.ok else EXIT_NOT_OK


async def _journal(options: argparse.Namespace, stop: asyncio.Event) -> int:
    from gateway.journal.following import Follower  # noqa: PLC0415 -- as above
    from gateway.journal.queries import Reader, Wanted  # noqa: PLC0415 -- as above

    path = configuration.load(options.config).journal.path
    if path is None:
        raise ConfigError("no journal is kept: set journal.path")
    about = (options.device,) if options.device else ()
    wanted = Wanted(options.since.timestamp(), about, options.tool, failed=options.failed)
    with Reader(path) as reader:
        if options.until_stopped:
            await _follow(Follower(reader, wanted), stop, as_json=options.json)
        elif not _show(reader.every(wanted), as_json=options.json):
            print("gateway: nothing of the kind; `--since 7d` looks further back", file=sys.stderr)
    return EXIT_OK


async def _house(options: argparse.Namespace, stop: asyncio.Event) -> int:
    from devices.simulated.faults import parse_fault  # noqa: PLC0415 -- as above
    from devices.simulated.house import mqtt_links, run_house  # noqa: PLC0415 -- as above

    config = configuration.load(options.config)
    links = mqtt_links(
        options.mqtt or config.mqtt.url,
        username=config.mqtt.username,
        password=config.mqtt.password.get_secret_value(),
        ca_file=config.mqtt.ca_file,
        cert_file=config.mqtt.cert_file,
        key_file=config.mqtt.key_file,
    )
    faults = dict(parse_fault(text) for text in options.fault)
    root = config.devices.root
    running = run_house(links, faults=faults, root=root, speed=options.speed, memory=options.memory)
    async with running as house:
        print(f"{len(house.devices)} devices under {root}/ (Ctrl-C ends them)", flush=True)
        await stop.wait()
    return EXIT_OK


async def _provider(options: argparse.Namespace, stop: asyncio.Event) -> int:
    from gateway.simulated.console import serve_console  # noqa: PLC0415 -- as above

    await serve_console(options.port, options.license, stop, print)
    return EXIT_OK


async def _config(options: argparse.Namespace, _stop: asyncio.Event) -> int:
    if options.what == "example":
        print(configuration.example(), end="")
    elif options.what == "show":
        print(configuration.shown(configuration.load(options.config)), end="")
    else:
        print(json.dumps(configuration.Config.model_json_schema(), indent=2))
    return EXIT_OK


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, asyncio.Event], Awaitable[int]]] = {
    "demo": _demo,
    "run": _run,
    "devices": _devices,
    "tools": _tools,
    "call": _call,
    "journal": _journal,
    "house": _house,
    "provider": _provider,
    "config": _config,
}


# --- helpers ---------------------------------------------------------------------------------


@asynccontextmanager
async def _house_known(
    options: argparse.Namespace, *, keeps_journal: bool = False
) -> AsyncIterator[Gateway]:
    """The gateway without its session, once it knows the devices on the broker."""
    from gateway.app import Gateway  # noqa: PLC0415 -- as above

    config = _offline_config(options)
    keeps_journal = keeps_journal and _has_journal(config)
    async with Gateway(config, keeps_journal=keeps_journal) as gateway:
        if not await gateway.ready():
            raise GatewayError("the broker does not answer: check mqtt.url, or start the broker")
        yield gateway


def _offline_config(options: argparse.Namespace) -> configuration.Config:
    """The configuration without its session, and under a client id of its own.

    The running agent keeps its connection: a broker ends the older of two equal client ids.
    """
    config = configuration.load(options.config)
    config.session.provider = "none"
    # A person who is there sees what happens; the agent goes on refusing without a record.
    config.journal.required = False
    config.mqtt.client_id = f"{config.mqtt.client_id[:48]}-cli-{os.getpid()}"
    return config


def _has_journal(config: configuration.Config) -> bool:
    """Whether the agent has begun one: its file must not come to belong to whoever types."""
    with suppress(OSError):
        return config.journal.path is not None and config.journal.path.exists()
    return False


def _arguments(given: Sequence[str], kinds: Mapping[str, ParameterType]) -> dict[str, Any]:
    """`name=value` pairs; text stays text where the tool takes text."""
    arguments: dict[str, Any] = {}
    for pair in given:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigError(f"write arguments as name=value, not {pair[:80]!r}")
        arguments[name] = value
        if kinds.get(name) is not ParameterType.STRING:
            with suppress(ValueError):
                arguments[name] = json.loads(value)
    return arguments


async def _agreed(options: argparse.Namespace, outcome: Outcome) -> bool:
    """Whether the person at the terminal, or `--yes`, confirms what was held back."""
    if options.yes:
        return True
    if options.json or not sys.stdin.isatty():
        print("gateway: held back; `--yes` confirms it", file=sys.stderr)
        return False
    said = await asyncio.to_thread(input, f"{outcome.message} [y/N] ")
    return said.strip().casefold() in {"y", "yes"}


async def _confirmed(gateway: Gateway, token: str) -> Outcome:
    """What comes of it after a yes. A PIN is asked for at a terminal only, and not shown."""
    arguments = {"confirmation": token}
    outcome = await gateway.call("confirm", arguments)
    while outcome.status is Status.NEEDS_CONFIRMATION and sys.stdin.isatty():
        pin = await asyncio.to_thread(getpass, f"{outcome.message} ")
        if not pin:
            break
        outcome = await gateway.call("confirm", arguments | {"pin": pin})
    return outcome


async def _follow(follower: Follower, stop: asyncio.Event, *, as_json: bool) -> None:
    """Show what is new until `stop`."""
    while not stop.is_set():
        if not _show(follower.news(), as_json=as_json):
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), FOLLOW_EVERY_S)


def _show(actions: Iterable[Action], *, as_json: bool) -> int:
    """Print what the journal has, and say how many there were."""
    from gateway.journal.lines import lines  # noqa: PLC0415 -- as above

    count = 0
    for action in actions:
        count += 1
        if as_json:
            _print_json(action.body())
        else:
            print(*lines(action), sep="\n")
    sys.stdout.flush()
    return count


def _listed(gateway: Gateway, device: Device) -> dict[str, Any]:
    return {
        "id": device.id,
        "name": device.name,
        "area": device.area,
        "ecosystem": device.ecosystem,
        "known_by": gateway.known_by(device),
        "also": gateway.directory.twins(device.id),
        "online": device.online,
        "capabilities": [c.kind.value for c in device.description.capabilities],
        "commands": [c.name for c in device.description.commands],
        "state": device.state,
    }


def _device_line(found: Mapping[str, Any]) -> str:
    online = {True: "online", False: "offline", None: "?"}[found["online"]]
    can = ", ".join([*found["capabilities"], *found["commands"]])
    state = json.dumps(found["state"], ensure_ascii=False) if found["state"] else ""
    place = f"{found['id']:<22} {found['name']:<22} {found['area']:<14} {found['ecosystem']:<13}"
    return f"{place} {online:<8} {found['known_by'] or 'reading only':<20} {can}  {state}"


def _tool_line(definition: Mapping[str, Any]) -> str:
    schema = definition["parameters"]
    names = [n if n in schema["required"] else f"[{n}]" for n in schema["properties"]]
    return f"{definition['name']}({', '.join(names)})\n    {definition['description']}"


def _print_json(line: Mapping[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False))
