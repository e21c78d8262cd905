from __future__ import annotations

import pytest

from devices.ecosystems.shelly.models import Gen1Kind, layout

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("model", "mode", "kind", "count"),
    [
        ("SHSW-1", "", Gen1Kind.RELAY, 1),
        ("SHSW-25", "relay", Gen1Kind.RELAY, 2),
        ("SHSW-25", "roller", Gen1Kind.ROLLER, 1),
        ("SHRGBW2", "color", Gen1Kind.COLOR, 1),
        ("SHRGBW2", "white", Gen1Kind.WHITE, 4),
        ("SHDM-2", "anything", Gen1Kind.LIGHT, 1),
    ],
)
def test_models(model: str, mode: str, kind: Gen1Kind, count: int) -> None:
    found = layout(model, mode)
    assert found is not None
    assert (found.kind, found.count) == (kind, count)


def test_a_model_that_nobody_knows() -> None:
    assert layout("SHNEW-9", "") is None
