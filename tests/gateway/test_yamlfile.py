"""Files that hold YAML, something else, or more than anybody can take."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigError
from gateway.yamlfile import MAX_FILE_BYTES, read, text

pytestmark = pytest.mark.unit


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "some.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def complaint(folder: Path, content: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read(written(folder, content))
    return str(caught.value)


def test_files_that_cannot_be_a_configuration_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot read no\.yaml: No such file"):
        read(Path("no.yaml"))
    assert "is it the right file" in complaint(tmp_path, "#" * (MAX_FILE_BYTES + 1))


BOMB = "devices:\n  ecosystems:\n    native:\n      a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"      a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    "content",
    ["devices: {ecosystems: {native: &a {x: *a}}}", "[" * 5000, "{a: " * 3000, BOMB],
    ids=["inside itself", "lists", "objects", "a bomb"],
)
def test_a_file_without_end_is_refused_at_once(tmp_path: Path, content: str) -> None:
    assert complaint(tmp_path, content).endswith("nested too deeply")


@pytest.mark.parametrize(
    "value",
    ["2024-13-45", "!!timestamp x", "!!bool x", "!!int ''", "!!float x", "9" * 5000, "!!set [a]"],
)
def test_values_that_are_not_what_they_say_are_no_valid_yaml(tmp_path: Path, value: str) -> None:
    assert "no valid YAML" in complaint(tmp_path, f"a: {value}")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    plain = {"b": {"y": [1, "ü", None]}, "a": True}
    assert read(written(tmp_path, text(plain))) == plain
    assert list(read(written(tmp_path, text(plain)))) == ["b", "a"]


@given(st.binary(max_size=60) | st.text(alphabet="a:[]{}&*,- \n!\t'\"", max_size=60))
def test_any_bytes_are_sections_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    path = written(tmp_path_factory.getbasetemp(), content)
    with suppress(ConfigError):
        assert isinstance(read(path), dict)
