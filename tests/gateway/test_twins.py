from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.command import Evidence
from gateway.twins import Twins

pytestmark = pytest.mark.unit

ECHOED, REPORTED = Evidence.ECHOED, Evidence.REPORTED


def test_without_an_identity_everything_stands_alone() -> None:
    twins = Twins()
    assert not twins.claim("a", "native", frozenset(), REPORTED)
    assert twins.preferred("a")
    assert twins.preferred("never heard of")


def test_the_choice_does_not_depend_on_who_comes_first() -> None:
    for order in (("a", "b"), ("b", "a")):
        twins = Twins()
        for name in order:
            twins.claim(name, name * 2, frozenset({"mac:1"}), REPORTED)
        assert [twins.preferred("a"), twins.preferred("b")] == [False, True]


def test_the_same_announcement_again_changes_nothing() -> None:
    twins = Twins()
    assert twins.claim("a", "x", frozenset({"mac:1"}), ECHOED)
    assert not twins.claim("a", "x", frozenset({"mac:1"}), ECHOED)
    assert twins.claim("a", "x", frozenset({"mac:1"}), REPORTED)


CLAIMS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from(["x", "y", "z"]),
        st.frozensets(st.sampled_from(["mac:1", "mac:2", "topic:t"]), max_size=2),
        st.sampled_from([ECHOED, REPORTED]),
        st.booleans(),
    )
)


@given(CLAIMS)
def test_of_any_two_twins_one_counts_and_who_is_alone_counts(claims: list) -> None:
    twins = Twins()
    there = set()
    for name, ecosystem, identity, richness, goes in claims:
        if goes:
            twins.release(name)
            there.discard(name)
        else:
            twins.claim(name, ecosystem, identity, richness)
            there.add(name)
    for name in there:
        others = set(twins.of(name))
        assert others <= there - {name}
        assert all(name in twins.of(other) for other in others)
        assert others or twins.preferred(name)
    assert not there or any(twins.preferred(name) for name in there)
