"""What is fuzzed: each target takes any bytes and lets out only what its decoder may not raise.

An input is lines. A line that begins with `!` is bytes for `shapes.shaped`; any other is
taken as it is. So every seed can be read, and a fuzzer still gets past the JSON parser.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from devices.contract import codec
from devices.contract.capability import Description, Parameter, ParameterType
from devices.contract.command import Command
from devices.contract.errors import CommandRefusedError, ContractError
from devices.contract.verbs import VERBS
from devices.ecosystems import registry as ecosystems
from devices.ecosystems.base import Announced, Ecosystem
from devices.link.base import Message
from gateway import config
from gateway.errors import ConfigError
from gateway.providers import registry as providers
from gateway.providers.base import Called, Dialect, read_arguments
from gateway.tools.arguments import ArgumentError, OpenParameter, ValueParameter, check
from tests.fuzz.seeds import arguments, configurations, frames, messages, payloads
from tests.fuzz.shapes import shaped, words_of

MOST_LINES = 50


@dataclass(frozen=True)
class Target:
    """`feed` takes an input and raises only when it found a fault."""

    name: str
    seeds: Sequence[bytes]
    feed: Callable[[bytes], None]


def _lines(data: bytes, words: Sequence[str]) -> Iterator[bytes]:
    for line in data.split(b"\n")[:MOST_LINES]:
        yield json.dumps(shaped(line[1:], words)).encode() if line[:1] == b"!" else line


def _dialect(name: str) -> Target:
    seeds = frames(name)
    words = words_of(line for seed in seeds for line in seed.split(b"\n"))
    make = providers.dialect_maker(name, {"license": "k", "api_key": "k", "avatar_name": "a"})

    def feed(data: bytes) -> None:
        dialect = make()
        for line in _lines(data, words):
            _hear(dialect, line)
            _hear(dialect, line.decode("utf-8", "surrogateescape"))

    return Target(name, seeds, feed)


def _hear(dialect: Dialect, frame: str | bytes) -> None:
    """Decode, and answer the calls: an id from outside must fit into our frames."""
    for event in dialect.decode(frame):
        if isinstance(event, Called):
            for form in dialect.capabilities.result_forms:
                for answer in dialect.result(event.call.call_id, '{"ok":true}', form):
                    json.loads(answer)


def _ecosystem(name: str) -> Target:
    seeds = messages(name)
    words = words_of(line.split(b" ", 2)[-1] for seed in seeds for line in seed.split(b"\n"))

    def feed(data: bytes) -> None:
        ecosystem = ecosystems.build(name, {}, root="home", command_qos=0)
        for line in data.split(b"\n")[:MOST_LINES]:
            when, _, rest = line.partition(b" ")
            topic, _, payload = rest.partition(b" ")
            (payload,) = _lines(payload.replace(b"\n", b""), words)
            message = Message(topic.decode("utf-8", "replace"), payload, when == b"kept")
            for sighting in ecosystem.decode(message):
                if isinstance(sighting, Announced):
                    _command(ecosystem, sighting.description)

    return Target(name, seeds, feed)


def _command(ecosystem: Ecosystem, description: Description) -> None:
    """Whatever a device says of itself, a command to it is encoded or refused."""
    codec.encode_description(description)
    for name in (*VERBS, *(own.name for own in description.commands)):
        args = {"name": "x", "value": 1, "position": 50, "brightness": 50, "color": "#102030"}
        with suppress(CommandRefusedError):
            ecosystem.encode(description.id, Command("01FUZZ", name, args, 3000))


def _contract() -> Target:
    seeds = payloads()
    words = words_of(seeds)

    def feed(data: bytes) -> None:
        for payload in _lines(data, words):
            for decode, encode in (
                (codec.decode_description, codec.encode_description),
                (codec.decode_state, codec.encode_state),
                (codec.decode_ack, codec.encode_ack),
                (codec.decode_command, codec.encode_command),
            ):
                with suppress(ContractError):
                    value = decode(payload)
                    assert decode(encode(value)) == value
            with suppress(ContractError):
                codec.decode_availability(payload)

    return Target("contract", seeds, feed)


def _config() -> Target:
    seeds = configurations()
    folder = tempfile.TemporaryDirectory(prefix="gateway-fuzz-")
    path = Path(folder.name) / "gateway.yaml"
    path.touch(mode=0o600)

    def feed(data: bytes) -> None:
        path.write_bytes(data)
        with suppress(ConfigError):
            config.load(path)

    # The folder lives as long as the target.
    feed.folder = folder  # type: ignore[attr-defined]
    return Target("config", seeds, feed)


PARAMETERS = (
    OpenParameter("target", ParameterType.STRING, required=True, choices=("Kitchen light",)),
    Parameter("mode", ParameterType.STRING, choices=("heat", "cool")),
    Parameter("position", ParameterType.INTEGER, minimum=0, maximum=100),
    Parameter("temperature", ParameterType.NUMBER, minimum=5.5),
    Parameter("on", ParameterType.BOOLEAN),
    ValueParameter("value", ParameterType.STRING),
)


def _arguments() -> Target:
    seeds = arguments()
    words = [*words_of(seeds), *(parameter.name for parameter in PARAMETERS)]

    def feed(data: bytes) -> None:
        for line in _lines(data, words):
            given, wrong = read_arguments(line.decode("utf-8", "surrogateescape"))
            assert not (given and wrong)
            with suppress(ArgumentError):
                checked = check(PARAMETERS, given)
                assert check(PARAMETERS, checked) == checked
                json.dumps(checked, allow_nan=False).encode()

    return Target("arguments", seeds, feed)


def targets() -> dict[str, Target]:
    """All of them, by name: one for each dialect, each ecosystem, and what else is decoded."""
    made = [
        *map(_dialect, sorted(providers._MAKERS)),
        *map(_ecosystem, ecosystems.NAMES),
        _contract(),
        _config(),
        _arguments(),
    ]
    return {target.name: target for target in made}
