"""What can be typed, and the help that teaches it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime

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
        (["journal", "--device", "lamp", "--follow"], "journal"),
        (["simulate", "house", "--fault", "lamp:drop=1"], "house"),
        (["simulate", "provider", "--port", "0"], "provider"),
        (["config", "schema"], "config"),
    ],
)
def test_what_is_typed_names_its_command(typed: list[str], command: str) -> None:
    assert parser().parse_args(typed).command == command


def test_only_what_runs_until_stopped_catches_the_signals() -> None:
    lasting = [["run"], ["simulate", "house"], ["simulate", "provider"], ["journal", "--follow"]]
    assert all(parser().parse_args(typed).until_stopped for typed in lasting)
    assert not any(parser().parse_args([word]).until_stopped for word in ("devices", "journal"))


@pytest.mark.parametrize("typed", [[], ["dance"], ["config", "nothing"], ["call"]])
def test_wrong_usage_exits_with_2(typed: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser().parse_args(typed)
    assert stopped.value.code == 2
    assert "usage: gateway" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "age_s"), [("30m", 1800), ("1h", 3600), ("2d", 172_800), ("0m", 0)]
)
def test_since_takes_an_age(typed: str, age_s: float) -> None:
    since = parser().parse_args(["journal", "--since", typed]).since
    assert abs((datetime.now(UTC) - since).total_seconds() - age_s) < 10


def test_since_takes_the_time_of_the_wall_clock() -> None:
    since = parser().parse_args(["journal", "--since", "2026-11-24T20:00"]).since
    assert since == datetime(2026, 11, 24, 20).astimezone()
    since = parser().parse_args(["journal", "--since", "2026-11-24T20:00+01:00"]).since
    assert since == datetime(2026, 11, 24, 19, tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "h", "1 h", "1w", "99999999h", "tomorrow", "1.5h"])
def test_since_takes_nothing_else(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["journal", "--since", typed])
    assert "write 30m, 1h, 2d or 2026-11-24T20:00" in capsys.readouterr().err
