"""The fuzz targets stay alive: each takes its seeds, and seeds that are cut, bent and mixed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import SHAPE
from tests.fuzz.shapes import shaped, words_of
from tests.fuzz.targets import Target, targets

pytestmark = pytest.mark.unit

TARGETS = targets()


@pytest.fixture(params=sorted(TARGETS))
def target(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param]


def test_every_seed_is_taken(target: Target) -> None:
    for seed in target.seeds:
        target.feed(seed)


@pytest.mark.parametrize("name", sorted(TARGETS))
@settings(max_examples=60)
@given(data=st.data())
def test_so_is_what_is_left_of_a_seed(name: str, data: st.DataObject) -> None:
    target = TARGETS[name]
    seed = data.draw(st.sampled_from(target.seeds))
    at = data.draw(st.integers(0, len(seed)))
    target.feed(
        seed[:at] + data.draw(st.binary(max_size=8)) + seed[at + data.draw(st.integers(0, 8)) :]
    )


@pytest.mark.parametrize("name", sorted(name for name in TARGETS if name != "config"))
@settings(max_examples=100)
@given(noise=st.binary(min_size=20, max_size=200))
def test_and_any_shape(name: str, noise: bytes) -> None:
    shape = b"!" + noise.replace(b"\n", b"")
    seeds = [seed for seed in TARGETS[name].seeds if SHAPE in seed]
    assert seeds
    for seed in seeds:
        TARGETS[name].feed(seed.replace(SHAPE, shape))


def test_a_shape_is_made_of_the_words_it_is_given() -> None:
    words = words_of([b'{"id": "lamp", "at": [{"kind": "power"}]}', b"no JSON"])
    assert words == ["id", "lamp", "at", "kind", "power"]
    assert shaped(bytes([6, 2, 0, 0, 1, 0, 3, 6, 1, 0, 4, 2]), words) == {
        "id": True,
        "kind": {"power": False},
    }


def test_a_target_that_lets_a_fault_out_is_seen() -> None:
    """Who only suppressed everything would find nothing."""

    def broken(data: bytes) -> None:
        data.decode("ascii")

    with pytest.raises(UnicodeDecodeError):
        Target("broken", [], broken).feed(b"\xff")
