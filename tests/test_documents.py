"""What README, ARCHITECTURE, CHANGELOG and the example configuration say, against the code."""

from __future__ import annotations

import argparse
import ast
import asyncio
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from devices.link.base import Message
from devices.link.mqtt import MqttLink, MqttOptions
from gateway import config
from gateway.dispatch import lifecycle
from gateway.outcome import Status
from gateway.session import state as session_state
from gateway.usage import parser as command_line
from tests import test_architecture

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

OK = {True: "true", False: "false", None: "null"}


def section(text: str, heading: str) -> str:
    """What stands under `## heading`."""
    return text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def tables(text: str) -> list[list[list[str]]]:
    """The Markdown tables of `text`: rows of cells, the header first."""
    found: list[list[list[str]]] = []
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not line.startswith("|") or set(line) <= set("|- "):
            continue
        if number == 0 or not lines[number - 1].startswith("|"):
            found.append([])
        found[-1].append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return found


def shown_table(text: str) -> dict[str, dict[str, str]]:
    (rows,) = tables(text)
    events = rows[0][1:]
    return {
        row[0]: {event: cell for event, cell in zip(events, row[1:], strict=True) if cell}
        for row in rows[1:]
    }


def code_block(text: str, first_word: str) -> str:
    """The one fenced block whose fence names `first_word` as its language."""
    (block,) = re.findall(rf"```{first_word}\n(.*?)```", text, re.DOTALL)
    return str(block)


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Each command as README writes it, with its parser."""

    def walk(name: str, parser: argparse.ArgumentParser) -> Iterator[tuple[str, Any]]:
        below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        for action in below:
            for word, child in action.choices.items():
                yield from walk(f"{name} {word}".strip(), child)
        if not below:
            yield name, parser

    for name, parser in walk("", command_line()):
        choices = [a.choices for a in parser._actions if not a.option_strings and a.choices]
        for word in [word for words in choices for word in words] or [""]:
            yield f"{name} {word}".strip(), parser


# --- ARCHITECTURE.md ---------------------------------------------------------------------------


@pytest.mark.unit
@pytest.mark.parametrize(
    ("heading", "table"),
    [
        ("States of a command", lifecycle.TABLE),
        ("States of a session", session_state.TABLE),
    ],
)
def test_the_state_tables_are_those_of_the_code(
    heading: str, table: Mapping[str, Mapping[str, str]]
) -> None:
    code = {str(s): {str(e): str(t) for e, t in row.items()} for s, row in table.items()}
    assert shown_table(section(ARCHITECTURE, heading)) == code


@pytest.mark.unit
def test_the_layers_are_those_of_the_test() -> None:
    shown = {}
    for rows in tables(section(ARCHITECTURE, "Layers"))[:2]:
        shown[rows[0][0]] = tuple(set(re.findall(r"\w+", row[0])) for row in rows[1:])
    assert shown == {
        "gateway": test_architecture.GATEWAY_LAYERS,
        "devices": test_architecture.DEVICES_LAYERS,
    }


@pytest.mark.unit
def test_the_homes_of_libraries_are_those_of_the_test() -> None:
    rows = tables(section(ARCHITECTURE, "Layers"))[2][1:]
    shown = {row[0]: {part.strip(" `") for part in row[1].split(",")} for row in rows}
    assert shown == {name: homes for name, homes in test_architecture.HOMES.items() if homes}


@pytest.mark.unit
def test_the_folder_list_names_what_is_there() -> None:
    folder, missing, listed = ROOT, [], set()
    for line in code_block(section(ARCHITECTURE, "Folders"), "text").splitlines():
        names = re.match(r"(\S+(?:  \S+\.py)*)", line.strip())
        assert names is not None
        for name in names[1].split():
            path = (folder if line.startswith(" ") else ROOT) / name
            if not line.startswith(" "):
                folder = path
            listed.add(path)
            missing += [] if path.exists() else [str(path.relative_to(ROOT))]
    assert not missing
    rooms = [p for p in ROOT.glob("gateway/*") if p.name[0] != "_" and p.suffix in {"", ".py"}]
    rooms += [p for p in ROOT.glob("devices/*") if p.name[0] != "_" and p.suffix == ""]
    assert not [str(p.relative_to(ROOT)) for p in rooms if p not in listed]


# --- SECURITY.md -------------------------------------------------------------------------------


def bounds() -> list[tuple[str, str]]:
    """Each bound as it is written, and the constant that holds it."""
    (rows,) = tables(section(SECURITY, "Sizes from outside"))
    return [(row[1], row[2]) for row in rows[1:]]


@pytest.mark.unit
@pytest.mark.parametrize(("written", "constant"), bounds())
def test_the_sizes_are_those_of_the_code(written: str, constant: str) -> None:
    number, _, unit = written.partition(" ")
    factor = {"Ki": 1024, "Mi": 1024 * 1024}.get(unit[:2], 1)
    assert pkgutil.resolve_name(constant) == int(number.replace(",", "")) * factor


@pytest.mark.unit
def test_the_files_that_defend_exist() -> None:
    named = set(re.findall(r"`((?:gateway|devices|deploy|tests)/[^`]*)`", SECURITY))
    assert len(named) > 20
    assert not [name for name in named if not (ROOT / name).exists()]


# --- CHANGELOG.md and README.md ----------------------------------------------------------------


@pytest.mark.unit
def test_the_newest_version_of_the_changelog_is_ours() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$", CHANGELOG, re.MULTILINE)
    assert newest is not None
    assert newest[1] == project["version"]


@pytest.mark.unit
def test_readme_lists_every_command_with_every_option() -> None:
    (rows,) = tables(section(README, "Commands"))
    shown = {}
    for usage, _ in rows[1:]:
        words = usage.removeprefix("gateway ").split(" [")[0].split()
        shown[" ".join(w for w in words if w.islower())] = set(re.findall(r"--[a-z-]+", usage))
    everywhere = {"--help", "--verbose"}
    code = {
        name: {o for a in parser._actions for o in a.option_strings if o[:2] == "--"} - everywhere
        for name, parser in parsers()
    }
    without_config = {"config example", "config schema"}
    code = {n: o - {"--config"} if n in without_config else o for n, o in code.items()}
    assert shown == code


@pytest.mark.unit
def test_readme_explains_every_outcome() -> None:
    (rows,) = tables(section(README, "Outcomes"))
    assert {row[0]: row[1] for row in rows[1:]} == {s.value: OK[s.ok] for s in Status}


@pytest.mark.unit
@pytest.mark.parametrize("text", [README, ARCHITECTURE, CHANGELOG, CONTRIBUTING, SECURITY])
def test_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)", text):
        if not target.startswith("https://"):
            assert (ROOT / target).exists(), target


@pytest.mark.unit
def test_the_files_to_read_exist() -> None:
    files = re.findall(r"^\d\. `([^`]+)`", section(README, "Read the code"), re.MULTILINE)
    assert len(files) == 7
    assert not [name for name in files if not (ROOT / name).exists()]


# --- the example configuration -----------------------------------------------------------------


@pytest.mark.unit
def test_the_example_is_the_defaults() -> None:
    defaults = config.FixedConfig(journal=config.JournalConfig())
    assert config.FixedConfig(**yaml.safe_load(config.example())) == defaults


@pytest.mark.unit
def test_the_example_names_every_field() -> None:
    def unnamed(model: type[BaseModel], given: Mapping[str, Any], path: str) -> Iterator[str]:
        for name, field in model.model_fields.items():
            kind = field.annotation
            if name not in given:
                yield f"{path}{name}"
            elif isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from unnamed(kind, given[name], f"{path}{name}.")

    assert not list(unnamed(config.Config, yaml.safe_load(config.example()), ""))


@pytest.mark.unit
def test_the_minimal_configuration_of_the_readme_is_valid(tmp_path: Path) -> None:
    raw = yaml.safe_load(code_block(section(README, "Configure a real account"), "yaml"))
    written = config.FixedConfig(**raw)
    assert str(written.session.license_file) == "/etc/gateway/license"


@pytest.mark.unit
def test_readme_lists_the_ecosystems_and_how_to_change_their_devices() -> None:
    text = section(README, "Devices of other makes")
    (rows,) = tables(text)
    assert {row[0] for row in rows[1:]} == set(config.ECOSYSTEMS)
    fan, hidden = config.FixedConfig(
        **yaml.safe_load(code_block(text, "yaml"))
    ).devices.overrides.values()
    assert (fan.area, fan.risk, hidden.hide) == ("Office", "normal", True)


@pytest.mark.unit
def test_the_rules_of_the_readme_are_valid() -> None:
    raw = yaml.safe_load(code_block(section(README, "Set rules"), "yaml"))
    quiet, weekend, garage = config.FixedConfig(**raw).policy.rules
    assert (quiet.hours, quiet.because) == ("22:00-07:00", "People sleep there.")
    assert (weekend.days, garage.then) == (["sat", "sun"], "ask")


# --- README's programs, run as they are printed ------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, embedded_broker_url: str) -> Path:
    """README's files in a folder of their own, at the tests' broker."""
    device = code_block(section(README, "Write a device"), "python")
    assert "mqtt://localhost:1883" in device
    device = device.replace("mqtt://localhost:1883", embedded_broker_url)
    # The broker is shared with other tests: this device keeps to a root of its own.
    device = device.replace("EspressoMachine())", "EspressoMachine(), root='readme')")
    (tmp_path / "espresso.py").write_text(device, encoding="utf-8")
    tool = code_block(section(README, "Write a Python tool"), "python")
    (tmp_path / "house_tools.py").write_text(tool, encoding="utf-8")
    yaml_text = code_block(section(README, "Write a Python tool"), "yaml")
    yaml_text += f"mqtt: {{url: '{embedded_broker_url}'}}\ndevices: {{root: readme}}\n"
    (tmp_path / "gateway.yaml").write_text(yaml_text, encoding="utf-8")
    return tmp_path


def usage(heading: str, start: str) -> list[str]:
    """The arguments of the first such command that README shows under `heading`."""
    found = re.search(rf"\bgateway ({start}[^\n`]*)", section(README, heading))
    assert found is not None
    return found[1].split()


def run_gateway(folder: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GATEWAY_")}
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=folder,
        input=typed,
        env=environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.flow
def test_the_demo_says_what_the_readme_shows(folder: Path) -> None:
    shown = code_block(section(README, "Try it"), "text")
    typed = "".join(f"{line}\n" for line in re.findall("^> (.*)$", shown, re.MULTILINE))
    demo = run_gateway(folder, "demo", typed=typed)
    assert demo.stderr == ""
    assert without_chance(demo.stdout).strip() == without_chance(shown).strip()


def without_chance(text: str) -> str:
    """`text` without what differs from run to run: times."""
    return re.sub(r"in [\d.]+ ms", "*", text)


@pytest.mark.flow
async def test_the_device_of_the_readme_brews(folder: Path, embedded_broker_url: str) -> None:
    announced = asyncio.Event()

    def heard(message: Message) -> None:
        announced.set()

    async with MqttLink(MqttOptions(embedded_broker_url)) as link:
        await link.subscribe("readme/espresso-machine/state", heard)
        device = await asyncio.create_subprocess_exec(
            sys.executable,
            "espresso.py",
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            await asyncio.wait_for(announced.wait(), 15)
            command = usage("Write a device", "call brew_coffee")
            called = await asyncio.to_thread(run_gateway, folder, *command)
        finally:
            device.terminate()
            output, _ = await device.communicate()
    assert (called.returncode, called.stderr) == (0, "")
    assert output.decode() == "brewing 2 cups\n"


@pytest.mark.flow
def test_the_tool_of_the_readme_answers(folder: Path) -> None:
    called = run_gateway(folder, *usage("Write a Python tool", "call bin_day"))
    assert (called.returncode, called.stdout) == (0, "Friday\n")


@pytest.mark.unit
def test_the_entry_point_of_the_readme_is_the_group_that_is_read() -> None:
    toml = tomllib.loads(code_block(section(README, "Write a Python tool"), "toml"))
    groups = toml["project"]["entry-points"]
    assert groups == {"gateway.tools": {"bin_day": "house_tools:bin_day"}}
    tree = ast.parse(code_block(section(README, "Write a Python tool"), "python"))
    assert "bin_day" in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
