"""The whole system on one machine: no account, no broker, no hardware.

A real broker, real sockets, simulated devices, and a simulated cloud service that understands
plain sentences. What happens is printed from the bus, as it happens.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from devices.simulated.house import House, mqtt_links, run_house
from gateway.app import Gateway
from gateway.bus import Bus, Subscription
from gateway.config import FixedConfig
from gateway.events import BusEvent, CallAnswered, CallReceived, CommandSent, LateOutcome
from gateway.events import EvidenceReceived as Evidence
from gateway.journal.masking import masked
from gateway.simulated.broker import EmbeddedBroker
from gateway.simulated.console import typed_lines
from gateway.simulated.server import Exchange, SimulatedNavTalk
from gateway.tasks import TaskSet

WELCOME = """\
A house with nine devices, a broker and a cloud voice are running on this machine. Try:
  turn on the kitchen light              set the living room lamp to 30%
  brew two cups of coffee                open the bedroom blind
  unlock the front door   (then: yes)    what is the outdoor temperature
  turn off all lights                    turn on everything in the moon base
`exit` ends it."""
LIVE_WITHIN_S = 10.0


async def demo(sentences: Sequence[str], *, as_json: bool) -> bool:
    """Say `sentences`, or what is typed when there are none. Whether every outcome was ok."""
    async with _running() as (service, bus):
        with _printing(bus, as_json=as_json):
            if sentences:
                done = [await _say(service, sentence, as_json=as_json) for sentence in sentences]
                return all(done)
            return await _talk(service, as_json=as_json)


@asynccontextmanager
async def _running() -> AsyncIterator[tuple[SimulatedNavTalk, Bus]]:
    """Broker, house, service, gateway, started in this order and stopped in the reverse."""
    with TemporaryDirectory(prefix="gateway-demo-") as folder:
        async with (
            EmbeddedBroker() as broker,
            run_house(mqtt_links(broker.url)) as house,
            SimulatedNavTalk() as service,
            Gateway(_config(broker.url, service, Path(folder))) as gateway,
        ):
            await _everybody(gateway, house)
            async with _held(gateway):
                await service.wait_for_client(LIVE_WITHIN_S)
                yield service, gateway.bus


@asynccontextmanager
async def _held(gateway: Gateway) -> AsyncIterator[None]:
    """The session runs as long as the block."""
    stop = asyncio.Event()
    tasks = TaskSet("demo")
    running = tasks.start(gateway.run(stop), "gateway")
    try:
        yield
    finally:
        stop.set()
        await running


async def _everybody(gateway: Gateway, house: House) -> None:
    """Return when the gateway knows every device: the first sentence may be about any."""
    complete = asyncio.Event()

    def look() -> None:
        if len(gateway.directory) >= len(house.devices):
            complete.set()

    gateway.directory.on_change(look)
    look()
    async with asyncio.timeout(LIVE_WITHIN_S):
        await complete.wait()


def _config(broker_url: str, service: SimulatedNavTalk, folder: Path) -> FixedConfig:
    return FixedConfig.model_validate(
        {
            "session": {"url": service.url, "license": service.license},
            "mqtt": {"url": broker_url},
            "devices": {"ecosystems": {"native": {}}},
            "journal": {"path": folder / "journal.db"},
        }
    )


async def _talk(service: SimulatedNavTalk, *, as_json: bool) -> bool:
    """A prompt to type at. At a terminal it always ends well; from a pipe, as the outcomes do."""
    at_terminal = sys.stdin.isatty()
    if not as_json:
        print(WELCOME, flush=True)
    ok = True
    _prompt()
    async for sentence in typed_lines():
        if sentence.casefold() in {"exit", "quit"}:
            break
        if sentence:
            ok = await _say(service, sentence, as_json=as_json) and ok
        _prompt()
    return ok or at_terminal


def _prompt() -> None:
    if sys.stdin.isatty():
        print("> ", end="", flush=True)


async def _say(service: SimulatedNavTalk, sentence: str, *, as_json: bool) -> bool:
    """One sentence to the end of its answer. False too when it led to no call."""
    if as_json:
        _print_json({"event": "said", "text": sentence})
    elif not sys.stdin.isatty():
        print(f"> {sentence}")
    exchange = await service.say(sentence)
    # The printer runs on the same loop: let it catch up before the answer is shown.
    await asyncio.sleep(0)
    if as_json:
        _print_json({"event": "reply", "text": exchange.reply})
    else:
        print(f"  “{exchange.reply}”\n", flush=True)
    return _went_well(exchange)


def _went_well(exchange: Exchange) -> bool:
    outcomes = [json.loads(text) for text in exchange.outcomes]
    answered = len(outcomes) == len(exchange.calls) > 0
    return answered and all(outcome["ok"] is True for outcome in outcomes)


@contextmanager
def _printing(bus: Bus, *, as_json: bool) -> Iterator[None]:
    """Print what the bus carries for the length of the block."""
    tasks = TaskSet("demo.printer")
    with bus.subscribe() as events:
        task = tasks.start(_print_all(events, as_json=as_json), "events")
        try:
            yield
        finally:
            for event in events.waiting():
                _print(event, as_json=as_json)
            task.cancel()


async def _print_all(events: Subscription, *, as_json: bool) -> None:
    async for event in events:
        _print(event, as_json=as_json)


def _print(event: BusEvent, *, as_json: bool) -> None:
    shown = _shown(event)
    if shown is None:
        return
    if as_json:
        _print_json(shown)
    else:
        print(_line(shown), flush=True)


def _shown(event: BusEvent) -> dict[str, Any] | None:
    """The events that tell the story of a call, as plain objects; None for the others."""
    match event:
        case CallReceived(call):
            return {
                "event": "call",
                "call_id": call.call_id,
                "name": call.name,
                "arguments": dict(call.arguments),
            }
        case CommandSent():
            return {
                "event": "command",
                "id": event.command_id,
                "device": event.device_id,
                "command": event.command,
                "args": masked(event.args)[0],
                "attempt": event.attempt,
            }
        case Evidence():
            return {
                "event": "acknowledgement",
                "id": event.command_id,
                "device": event.device_id,
                "status": event.status,
                "state": dict(event.state),
            }
        case CallAnswered(call, outcome, elapsed_s):
            elapsed_ms = round(elapsed_s * 1000, 2)
            head = {"event": "outcome", "call_id": call.call_id, "elapsed_ms": elapsed_ms}
            return head | outcome.body()
        case LateOutcome(call_id, outcome):
            return {"event": "late_outcome", "call_id": call_id} | outcome.body()
    return None


def _line(shown: dict[str, Any]) -> str:
    """An event for people: who, what, and what came of it."""
    what = shown["event"]
    match what:
        case "call":
            text = f"{shown['name']} {_pairs(shown['arguments'])}"
        case "command":
            again = f"(attempt {shown['attempt']})" if shown["attempt"] > 1 else ""
            text = f"{shown['device']} {shown['command']} {_pairs(shown['args'])} {again}"
        case "acknowledgement":
            text = f"{shown['device']} {shown['status']} {_pairs(shown['state'])}"
        case "outcome":
            text = f"{shown['status']} in {shown['elapsed_ms']} ms"
        case _:
            text = f"{shown['status']}: {shown['message']}"
    return f"  {what.replace('_', ' '):<17}{text.rstrip()}"


def _pairs(values: dict[str, Any]) -> str:
    return " ".join(f"{k}={json.dumps(v, ensure_ascii=False)}" for k, v in values.items())


def _print_json(line: dict[str, Any]) -> None:
    print(json.dumps(line, ensure_ascii=False), flush=True)
