"""The claims of each dialect and ecosystem (`NAME.quality.toml`), as far as code can tell."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.ecosystems import registry as ecosystems
from gateway.providers import registry as providers
from tests.test_architecture import imports

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parent.parent
EVERYBODY = {
    "no-io",
    "decode-never-raises",
    "nobody-asks-its-name",
    "whole-sentence-flow",
    "docstrings",
}
RULES = {
    "gateway/providers": EVERYBODY
    | {
        "every-call-can-be-answered",
        "all-known-call-payloads",
        "endings-classified",
        "memory-bounded",
        "secrets-never-shown",
        "recorded-live-session",
        "rotation-before-the-limit",
        "audio",
    },
    "devices/ecosystems": EVERYBODY
    | {
        "retained-proves-nothing",
        "devices-cannot-speak-for-others",
        "acknowledgements-heard-first",
        "commands-expire",
        "removal",
        "access-rules",
        "ids-survive-a-restart",
        "silent-on-repeat",
    },
}
NAMES = {"gateway/providers": set(providers._MAKERS), "devices/ecosystems": set(ecosystems.NAMES)}
TRANSLATORS = [(folder, name) for folder, names in NAMES.items() for name in sorted(names)]
DOES_IO = {"asyncio", "socket", "ssl", "threading", "time", "datetime", "websockets", "paho", "os"}

each_translator = pytest.mark.parametrize(("folder", "name"), TRANSLATORS)


def claims(folder: str, name: str) -> dict[str, dict[str, Any]]:
    return tomllib.loads((ROOT / folder / f"{name}.quality.toml").read_text(encoding="utf-8"))


def modules(folder: str, name: str) -> list[Path]:
    """The modules of one translator: NAME*.py or NAME/*.py, and their common base."""
    own = [*(ROOT / folder).glob(f"{name}*.py"), *(ROOT / folder).glob(f"{name}/*.py")]
    return [ROOT / folder / "base.py", *sorted(own)]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def proof(claim: dict[str, Any]) -> tuple[Path, ast.FunctionDef | ast.AsyncFunctionDef | None]:
    """The proof's file, and its function when it names one. Fails when either is not there."""
    file, _, function = claim["proof"].partition("::")
    path = ROOT / file
    assert path.is_file(), file
    if not function:
        return path, None
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == function:
            return path, node
    pytest.fail(f"{file} has no {function}")


@each_translator
def test_every_rule_is_claimed_with_a_proof_or_a_reason(folder: str, name: str) -> None:
    found = claims(folder, name)
    assert found.keys() == RULES[folder]
    for rule, claim in found.items():
        wanted = {"done": "proof", "todo": "why", "exempt": "why"}[claim["status"]]
        assert set(claim) == {"status", wanted}, rule
        assert claim[wanted].strip(), rule


@each_translator
def test_every_proof_is_there(folder: str, name: str) -> None:
    for claim in claims(folder, name).values():
        if claim["status"] == "done":
            proof(claim)


@each_translator
def test_decoding_is_proved_by_a_property_test(folder: str, name: str) -> None:
    _, function = proof(claims(folder, name)["decode-never-raises"])
    assert function is not None
    assert any("given" in ast.unparse(decorator) for decorator in function.decorator_list)


@each_translator
def test_the_flow_is_a_flow(folder: str, name: str) -> None:
    path, _ = proof(claims(folder, name)["whole-sentence-flow"])
    assert "pytest.mark.flow" in path.read_text(encoding="utf-8")


@each_translator
def test_translators_do_no_io(folder: str, name: str) -> None:
    used = {module.split(".")[0] for path in modules(folder, name) for module in imports(path)}
    assert not used & DOES_IO


@each_translator
def test_everything_public_has_a_docstring(folder: str, name: str) -> None:
    missing = [
        f"{path.name}:{node.lineno} {node.name}"
        for path in modules(folder, name)
        for node in public(parsed(path))
        if not ast.get_docstring(node)
    ]
    assert not missing


@each_translator
def test_nobody_branches_on_a_name(folder: str, name: str) -> None:
    """Only registries compare names; the others ask for capabilities and traits."""
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("gateway", "devices")
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "registry.py"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Compare | ast.MatchValue)
        and any(isinstance(n, ast.Constant) and n.value == name for n in ast.walk(node))
    ]
    assert not wrong


def public(
    node: ast.AST,
) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Classes, functions and methods without a leading underscore."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if child.name.startswith("_"):
                continue
            yield child
            if isinstance(child, ast.ClassDef):
                yield from public(child)
