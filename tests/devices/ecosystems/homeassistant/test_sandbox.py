from __future__ import annotations

import pytest

from devices.ecosystems.homeassistant.functions import BoundError
from devices.ecosystems.homeassistant.sandbox import STEPS, Sandbox
from tests.devices.ecosystems.homeassistant.building import now

pytestmark = pytest.mark.unit


def printed(source: str, **variables: object) -> str:
    sandbox = Sandbox(now)
    return "".join(sandbox.pieces(sandbox.prepare(source), variables))


@pytest.mark.parametrize(
    "source",
    [
        "{% macro f() %}{{ f() }}{% endmacro %}",
        "{% include 'x' %}",
        "{% extends 'x' %}",
        "{% import 'x' as y %}",
        "{% block b %}{% endblock %}",
        "{% filter upper %}x{% endfilter %}",
        "{% for x in y recursive %}{{ loop(x) }}{% endfor %}",
    ],
)
def test_statements_that_do_not_exist(source: str) -> None:
    with pytest.raises(BoundError):
        Sandbox(now).prepare(source)


def test_a_loop_costs_its_body_each_time() -> None:
    assert printed("{% for x in range(50) %}{{ x }}{% endfor %}").endswith("4849")
    with pytest.raises(BoundError, match="too long"):
        printed("{% for x in range(100) %}{% for y in range(100) %}.{% endfor %}{% endfor %}")


def test_the_budget_is_new_for_each_rendering() -> None:
    sandbox = Sandbox(now)
    template = sandbox.prepare("{% for x in range(90) %}{{ x }}{% endfor %}")
    lengths = {len("".join(sandbox.pieces(template, {}))) for _ in range(STEPS)}
    assert lengths == {170}


def test_texts_are_put_together_and_bounded() -> None:
    assert printed("{{ 'a' ~ x ~ 1 }}", x=True) == "aTrue1"
    assert printed("{{ [1, 2] + [3] }}") == "[1, 2, 3]"
    with pytest.raises(BoundError):
        printed("{% set a = x %}" + "{% set a = a ~ a %}" * 20, x="x" * 100)
    with pytest.raises(BoundError):
        printed("{% set a = [x] %}" + "{% set a = [a, a] %}" * 20, x="x" * 100)


def test_only_numbers_are_reckoned_with() -> None:
    assert (
        printed("{{ 7 // 2 }} {{ 7 % 4 }} {{ 2 ** 3 }} {{ 7 / 2 }} {{ 3 * 2 - 1 }}")
        == "3 3 8 3.5 5"
    )
    assert printed("{{ '%.1f' % 2.25 }}") == "2.2"
    for source in ("{{ 'x' * 3 }}", "{{ [1] * 3 }}", "{{ 9 ** 99 }}", "{{ 10**9 ** 2 * 10**10 }}"):
        with pytest.raises(BoundError):
            printed(source)


def test_a_key_comes_before_a_method_of_that_name() -> None:
    assert printed("{{ x.items }} {{ x.get('b', 2) }}", x={"items": 1}) == "1 2"


@pytest.mark.parametrize("name", ["__class__", "format", "center", "encode", "zfill", "mro"])
def test_what_is_not_on_the_list_is_not_there(name: str) -> None:
    assert printed("{{ x." + name + " is undefined }}", x="text") == "True"


def test_methods_that_can_grow_are_bounded() -> None:
    assert printed("{{ 'a,b'.replace(',', '.') }}") == "a.b"
    with pytest.raises(BoundError):
        printed("{{ x.replace('a', x) }}", x="a" * 1000)
    assert printed("{{ now().strftime('%H:%M') }} {{ now().year }}") == "10:30 2026"
    with pytest.raises(BoundError):
        printed("{{ now().strftime('%9999d') }}")


def test_matching_is_a_test_too() -> None:
    assert printed("{{ 'on' is match('o') }} {{ 'on' is search('x') }}") == "True False"
