from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.errors import PayloadError
from devices.ecosystems.homie.document import read_document
from devices.ecosystems.homie.model import MAX_NODES, Thing

pytestmark = pytest.mark.unit


def document(**changes: Any) -> bytes:
    return json.dumps(
        {"homie": "5.0", "version": 1, "name": "Lamp", "nodes": {}} | changes
    ).encode()


def nodes(**properties: Any) -> Thing:
    return read_document(document(nodes={"n": {"properties": properties}}), "lamp")


def test_fields_that_are_missing_have_their_defaults() -> None:
    (node,) = nodes(p={"datatype": "float"}).nodes
    (prop,) = node.properties
    assert (node.name, prop.name, prop.settable, prop.retained) == ("n", "p", False, True)


def test_a_wrong_property_is_as_if_it_were_not_there() -> None:
    thing = nodes(
        good={"datatype": "integer", "unknown": [1]},
        bad={"datatype": "integer", "format": "x"},
        worse=7,
        **{"a/b": {"datatype": "float"}},
    )
    assert [p.id for p in thing.nodes[0].properties] == ["good"]


def test_a_child_names_its_root() -> None:
    assert read_document(document(root="bridge"), "lamp").root == "bridge"
    assert read_document(document(root="a/b"), "lamp").root == ""


@pytest.mark.parametrize("data", [b"[]", b"{", b'{"homie": "4.0"}', b"{}", b"x" * 1_000_000])
def test_what_is_no_description(data: bytes) -> None:
    with pytest.raises(PayloadError):
        read_document(data, "lamp")


def test_more_nodes_than_a_device_has() -> None:
    many = {f"n{number}": {} for number in range(1000)}
    assert len(read_document(document(nodes=many), "lamp").nodes) == MAX_NODES


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["name", "nodes", "root", "version"]), JSON))
def test_any_types(changes: dict[str, Any]) -> None:
    thing = read_document(document(**changes), "lamp")
    assert 0 < len(thing.name) <= 64
