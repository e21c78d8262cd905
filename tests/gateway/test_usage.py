"""What can be typed, and the help that teaches it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from gateway.usage import parser

pytestmark = pytest.mark.unit


def commands(top: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from commands(command)


def test_every_command_and_option_says_what_it_does() -> None:
    for command in commands(parser()):
        assert command.description or command._subparsers, command.prog
        for action in command._actions:
            is_plain = isinstance(action, argparse._SubParsersAction) or not action.option_strings
            assert is_plain or action.help or action.choices, (command.prog, action.dest)


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        (["demo", "--say", "hello", "--json"], "demo"),
        (["run", "--config", "x.yaml"], "run"),
        (["call", "turn_on", "target=lamp"], "call"),
        (["simulate", "house", "--fault", "lamp:drop=1"], "house"),
        (["simulate", "provider", "--port", "0"], "provider"),
        (["config", "schema"], "config"),
    ],
)
def test_what_is_typed_names_its_command(typed: list[str], command: str) -> None:
    assert parser().parse_args(typed).command == command


def test_only_what_runs_until_stopped_catches_the_signals() -> None:
    lasting = [["run"], ["simulate", "house"], ["simulate", "provider"]]
    assert all(parser().parse_args(typed).until_stopped for typed in lasting)
    assert not parser().parse_args(["devices"]).until_stopped


@pytest.mark.parametrize("typed", [[], ["dance"], ["config", "nothing"], ["call"]])
def test_wrong_usage_exits_with_2(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(typed)
    assert stopped.value.code == 2
    assert "usage: gateway" in capsys.readouterr().err
