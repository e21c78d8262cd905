"""What is typed, what is printed, and the exit code that a script reads."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway import cli
from gateway.config import Config
from tests.brokers import Mosquitto, free_port
from tests.gateway.journal.book import Book

unit, flow = pytest.mark.unit, pytest.mark.flow

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration but the test's own."""
    monkeypatch.chdir(tmp_path)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


# --- without a broker ------------------------------------------------------------------------


@unit
def test_the_example_is_a_file_that_the_gateway_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config", "example"]) == 0
    Path("gateway.yaml").write_text(capsys.readouterr().out, encoding="utf-8")
    assert cli.main(["config", "schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["properties"].keys() == Config.model_fields.keys()


@unit
@pytest.mark.parametrize(
    "words",
    [
        [],
        ["sing"],
        ["demo", "--loud"],
        ["call"],
        ["simulate"],
        ["config", "recipe"],
        ["tools", "--format", "morse"],
        ["journal", "--since", "yesterday"],
    ],
)
def test_wrong_usage_is_2_and_says_how(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "usage: gateway" in capsys.readouterr().err


@unit
def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    for command in ("demo", "run", "devices", "tools", "call", "journal", "simulate", "config"):
        assert command in told


@unit
@pytest.mark.parametrize(
    "command", [["run"], ["devices"], ["tools"], ["call", "turn_on"], ["journal"]]
)
def test_a_typo_in_the_configuration_is_one_sentence(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("wrong.yaml").write_text("session: {licence: x}", encoding="utf-8")
    assert cli.main([*command, "--config", "wrong.yaml"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "did you mean license?" in said.err


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    Path("gateway.yaml").write_text("journal: {path: journal.db}", encoding="utf-8")
    book = Book(tmp_path / "journal.db")
    now = time.time()
    book.call("turn_on", now - 7000, device="lamp", target="Lamp")
    book.call("unlock", now - 60, device="door", target="Front door", status="timed_out")
    book.call("turn_off", now - 30, device="lamp", target="Lamp")
    yield book
    book.close()


@unit
@pytest.mark.parametrize(
    ("words", "tools"),
    [
        ([], ["unlock", "turn_off"]),
        (["--since", "2h"], ["turn_on", "unlock", "turn_off"]),
        (["--since", "1d", "--device", "lamp"], ["turn_on", "turn_off"]),
        (["--device", "front door"], ["unlock"]),
        (["--failed"], ["unlock"]),
        (["--tool", "turn_off"], ["turn_off"]),
        (["--since", "2026-01-01T00:00", "--tool", "sing"], []),
    ],
)
def test_the_journal_is_shown_by_what_was_typed(
    book: Book, words: list[str], tools: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["journal", "--json", *words]) == 0
    shown = capsys.readouterr()
    assert [json.loads(line)["tool"] for line in shown.out.splitlines()] == tools
    assert ("nothing of the kind" in shown.err) is not bool(tools)


@unit
def test_the_journal_reads_well(book: Book, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["journal", "--device", "lamp"]) == 0
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.endswith("  turn_off  confirmed in 2.0 ms")
    assert second == "    lamp turn_off  succeeded in 1.0 ms (2 attempts)"
    assert third == "    “It is confirmed.”"


@unit
def test_a_journal_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for path, cure in (("none.db", "`gateway run` begins it"), ("''", "set journal.path")):
        Path("gateway.yaml").write_text(f"journal: {{path: {path}}}", encoding="utf-8")
        assert cli.main(["journal"]) == 1
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert cure in said.err
    assert not Path("none.db").exists()


@flow
def test_a_broker_that_is_not_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    Path("gateway.yaml").write_text(f"mqtt: {{url: 'mqtt://127.0.0.1:{free_port()}'}}")
    assert cli.main(["devices"]) == 1
    assert "the broker does not answer: check mqtt.url" in capsys.readouterr().err


@flow
def test_a_broker_that_refuses_us_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Mosquitto(tmp_path, users={"gateway": "right"}) as broker:
        Path("gateway.yaml").write_text(
            f"session: {{provider: none}}\n"
            f"mqtt: {{url: '{broker.url}', username: gateway, password: wrong}}"
        )
        for command in ("devices", "run"):
            assert cli.main([command]) == 1
            said = capsys.readouterr()
            assert said.out == ""
            assert "gateway: " in said.err
            assert "wrong" not in said.err


# --- with a house ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def home(mosquitto_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`gateway simulate house` as a process; the configuration that leads to it."""
    config = tmp_path_factory.mktemp("cli") / "gateway.yaml"
    config.write_text(
        f"session: {{license: sk-cli}}\nmqtt: {{url: '{mosquitto_url}'}}\n"
        "devices: {root: cli-house, ecosystems: {native: {}}}\n"
    )
    faults = ["--fault", "kitchen-light:drop=2", "--fault", "thermostat:offline"]
    words = ["simulate", "house", "--config", str(config), *faults, "--speed", "20"]
    with start(*words) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "9 devices under cli-house/ (Ctrl-C ends them)\n"
        yield config
        assert stop(process) == 0


def start(*words: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=stdin,
        stdout=subprocess.PIPE,
        text=True,
    )


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    return process.returncode


def gateway(home: Path, *words: str) -> int:
    return cli.main([words[0], "--config", str(home), *words[1:]])


def within(seconds_s: float, happened: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(seconds_s / 0.05)):
        if happened():
            return
        pause.wait(0.05)
    pytest.fail("it did not happen")


@flow
def test_devices_lists_the_house(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found: dict[str, dict[str, Any]] = {}

    def everybody() -> bool:
        assert gateway(home, "devices", "--json") == 0
        found.update((line["id"], line) for line in lines(capsys))
        return len(found) == 9

    within(5, everybody)
    kitchen = found["kitchen-light"]
    assert kitchen == {
        "id": "kitchen-light",
        "name": "Kitchen light",
        "area": "Kitchen",
        "ecosystem": "native",
        "known_by": "acknowledges by id",
        "also": [],
        "online": True,
        "capabilities": ["power", "brightness"],
        "commands": [],
        "state": {"on": False, "brightness": 100},
    }
    assert found["thermostat"]["online"] is False
    assert found["coffee-machine"]["commands"] == ["brew_coffee"]
    assert gateway(home, "devices") == 0
    told = capsys.readouterr().out
    assert "Kitchen light" in told
    assert len(told.splitlines()) == 9
    assert told.count("acknowledges by id") == 8
    assert told.count("reading only") == 1


@flow
def test_a_call_to_a_device_process_that_misses_two_commands(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gateway(home, "call", "turn_on", "target=kitchen light", "brightness=60", "--json") == 0
    (outcome,) = lines(capsys)
    assert (outcome["ok"], outcome["status"]) == (True, "confirmed")
    assert outcome["state"] == {"on": True, "brightness": 60}


@flow
def test_a_call_that_is_not_done_exits_1_and_says_why(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gateway(home, "call", "turn_on", "target=moon base") == 1
    assert "moon base" in capsys.readouterr().out
    assert gateway(home, "call", "set_climate", "target=thermostat", "temperature=20") == 1
    assert "offline" in capsys.readouterr().out.casefold()
    assert gateway(home, "call", "turn_on", "kitchen") == 1
    assert "name=value" in capsys.readouterr().err


@flow
def test_a_guarded_call_needs_a_yes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert gateway(home, "call", "unlock", "target=front door", "--json") == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["status"] == "needs_confirmation"
    assert "--yes" in shown.err
    assert gateway(home, "call", "unlock", "target=front door", "--yes", "--json") == 0
    assert lines(capsys)[0]["state"]["locked"] is False


@pytest.fixture
def home_with_pin(home: Path, tmp_path: Path) -> Path:
    """The same house, whose front door wants the PIN 2468."""
    config = tmp_path / "with-pin.yaml"
    policy = "policy: {pin: '2468', pin_devices: [front-door-lock]}"
    config.write_text(f"{home.read_text()}{policy}\n", encoding="utf-8")
    config.chmod(0o600)
    return config


# What is typed and shown goes through a terminal of the command's own.
AT_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@flow
def test_the_pin_is_typed_at_a_terminal_and_not_shown(home_with_pin: Path) -> None:
    words = ["call", "--config", str(home_with_pin), "unlock", "target=front door", "--yes"]
    with subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, sys.executable, "-m", "gateway", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        shown = answer(process, b"1111") + answer(process, b"2468")
        shown += process.communicate(timeout=10)[0]
    assert process.returncode == 0, shown
    assert b"That PIN is wrong." in shown
    assert shown.endswith(b"Front door lock is unlocked.\r\n")
    assert b"1111" not in shown
    assert b"2468" not in shown


def answer(process: subprocess.Popen[bytes], line: bytes) -> bytes:
    """Type `line` when a question stands there; what was shown until then."""
    assert process.stdin is not None
    assert process.stdout is not None
    shown = b""
    while not shown.endswith(b"? "):
        byte = process.stdout.read(1)
        assert byte, shown
        shown += byte
    process.stdin.write(line + b"\n")
    process.stdin.flush()
    return shown


@flow
def test_without_a_terminal_what_wants_the_pin_stays_held(
    home_with_pin: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gateway(home_with_pin, "call", "unlock", "target=front door", "--yes", "--json") == 1
    assert lines(capsys)[0]["status"] == "needs_confirmation"


@flow
def test_tools_are_printed_for_people_and_for_each_provider(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gateway(home, "tools") == 0
    assert "turn_on(target, [brightness]" in capsys.readouterr().out
    assert gateway(home, "tools", "--json") == 0
    names = [definition["name"] for definition in lines(capsys)]
    assert {"turn_on", "unlock", "brew_coffee", "get_state"} <= set(names)
    for style in ("navtalk", "openai", "elevenlabs"):
        assert gateway(home, "tools", "--format", style, "--json") == 0
        assert [definition["name"] for definition in lines(capsys)] == names


@flow
def test_run_without_a_session_ends_at_sigterm(home: Path, tmp_path: Path) -> None:
    config = tmp_path / "none.yaml"
    config.write_text(home.read_text().replace("{license: sk-cli}", "{provider: none}"))
    with start("run", "--config", str(config)) as process:
        asyncio.run(asyncio.sleep(0.8))
        assert stop(process) == 0


@flow
def test_the_simulated_service_is_a_program_of_its_own() -> None:
    port = free_port()
    with start("simulate", "provider", "--port", str(port), stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert f"ws://127.0.0.1:{port}/" in process.stdout.readline()
        assert stop(process) == 0
