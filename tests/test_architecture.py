"""The house's layers and the homes of outside libraries, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent

# Highest first; a module imports only from lines below its own.
GATEWAY_LAYERS = (
    {"__main__"},
    {"cli"},
    {"demo"},
    {"app", "testing"},
    {"calls", "recovery"},
    {"web", "simulated", "session", "tools"},
    {"dispatch"},
    {"directory", "policy", "journal", "providers", "audio"},
    {"bus", "config"},
    {"events"},
    {"outcome", "tasks", "credentials", "yamlfile"},
    {"errors", "clock", "once", "twins", "usage"},
)
DEVICES_LAYERS = ({"simulated"}, {"sdk", "ecosystems"}, {"link"}, {"contract"})

HOMES = {
    "paho": {"devices/link/mqtt.py"},
    "websockets": {"gateway/session/connection.py", "gateway/simulated/server.py"},
    "tenacity": {"gateway/dispatch/sending.py"},
    "iotcore": {"gateway/simulated/broker.py"},
    "yaml": {"gateway/yamlfile.py"},
    "rapidfuzz": {"gateway/tools/names.py"},
    "jinja2": {
        "devices/ecosystems/homeassistant/functions.py",
        "devices/ecosystems/homeassistant/sandbox.py",
        "devices/ecosystems/homeassistant/templates.py",
    },
    "sqlite3": {
        "gateway/journal/file.py",
        "gateway/journal/migrations.py",
        "gateway/journal/queries.py",
        "gateway/journal/reading.py",
        "gateway/journal/retention.py",
        "gateway/journal/safety.py",
        "gateway/journal/unfinished.py",
        "gateway/journal/writer.py",
    },
}


def sources(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            # `from gateway import config` imports the module gateway.config.
            if node.module in {"gateway", "devices"}:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[1].removesuffix(".py")


def level(name: str, layers: tuple[set[str], ...]) -> int:
    for number, names in enumerate(layers):
        if name in names:
            return number
    pytest.fail(f"{name} has no layer: add it to the table here and in ARCHITECTURE.md")


@pytest.mark.parametrize(
    ("package", "layers"), [("gateway", GATEWAY_LAYERS), ("devices", DEVICES_LAYERS)]
)
def test_imports_go_down(package: str, layers: tuple[set[str], ...]) -> None:
    wrong = []
    for path in sources(package):
        here = room(path)
        if here == "__init__":
            continue
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != package or len(parts) < 2 or parts[1] == here:
                continue
            if level(parts[1], layers) <= level(here, layers):
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_devices_never_import_the_gateway() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("devices")
        for name in imports(path)
        if name.split(".")[0] == "gateway"
    ]
    assert not wrong


@pytest.mark.parametrize("library", sorted(HOMES))
def test_each_library_has_one_home(library: str) -> None:
    users = {
        path.relative_to(ROOT).as_posix()
        for package in ("gateway", "devices")
        for path in sources(package)
        if any(name.split(".")[0] == library for name in imports(path))
    }
    assert users <= HOMES[library]


def test_no_retry_predicate_that_catches_cancellation() -> None:
    banned = {"retry_if_not_exception_type", "retry_unless_exception_type", "retry_if_exception"}
    wrong = [
        path
        for path in sources("gateway")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id in banned
    ]
    assert not wrong


def test_nobody_asks_a_task_whether_it_was_cancelled_to_learn_of_itself() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("gateway", "devices")
        for path in sources(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "cancelled"
        and "current_task" in ast.unparse(node.func.value)
    ]
    assert not wrong


def test_every_module_has_its_test() -> None:
    """Tests mirror the source: gateway/x/y.py has tests/gateway/x/test_y.py."""
    missing = []
    for package in ("gateway", "devices"):
        for path in sources(package):
            source = path.relative_to(ROOT)
            if path.name in {"__init__.py", "__main__.py"}:
                continue
            test = ROOT / "tests" / source.parent / f"test_{source.name}"
            if not test.exists() and source.as_posix() not in PURE_DECLARATIONS:
                missing.append(f"{source} has no {test.relative_to(ROOT)}")
    assert not missing


# Modules that only declare shapes: what they say is tested where it is used.
PURE_DECLARATIONS = {
    "devices/contract/errors.py",
    "devices/simulated/lies.py",
    "devices/ecosystems/base.py",
    "devices/link/base.py",
    "gateway/dispatch/order.py",
    "gateway/errors.py",
    "gateway/events.py",
    "gateway/tools/base.py",
}
