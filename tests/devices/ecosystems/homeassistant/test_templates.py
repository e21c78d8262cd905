from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant.templates import (
    MAX_COMPILED,
    MAX_INPUT_LENGTH,
    MAX_OUTPUT_LENGTH,
    Templates,
    Text,
)
from tests.devices.ecosystems.homeassistant.building import now

pytestmark = pytest.mark.unit

STATE = Text('{"state": "ON", "battery_low": true, "update": {"state": "idle"}, "t": [21.46]}')


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("{{ value_json.state }}", "ON"),
        ('{{ value_json["battery_low"] }}', "True"),
        ("{{ value_json.update.state }}", "idle"),
        ("{{ value_json.t[0] | round(1) }}", "21.5"),
        ("{{ value_json.t[0] | float * 2 }}", "42.92"),
        ("{{ value_json.state | lower | default('off') }}", "on"),
        ("{% if value_json.state == 'ON' %} open {% else %} closed {% endif %}", "open"),
        ("{{ {'ON': 'home'}[value_json.state] }}", "home"),
        ("{{ iif(value_json.state == 'ON', 1, 0) }}", "1"),
        ("{{ value_json.missing }}", ""),
        ("", STATE.text),
    ],
)
def test_what_devices_really_send(source: str, value: str) -> None:
    assert Templates(now).value(source, STATE) == value


@pytest.mark.parametrize(
    "source", ["{{ value_json.a.b }}", "{{ 1 / 0 }}", "{{", "{{ nobody() }}", "{% bad %}"]
)
def test_a_template_that_fails_lets_the_message_through(source: str) -> None:
    templates = Templates(now)
    assert templates.value(source, STATE) == STATE.text
    with pytest.raises(PayloadError, match="fails"):
        templates.command(source, {"value": 1})


def test_a_message_that_is_no_json_has_no_value_json() -> None:
    templates = Templates(now)
    assert templates.value("{{ value_json is defined }}", Text("online")) == "False"
    assert templates.value("{{ value | upper }}", Text("online")) == "ONLINE"


def test_commands_see_their_variables() -> None:
    templates = Templates(now)
    source = '{"action": "{{ action }}", "code": {{ code | tojson }}}'
    found = templates.command(source, {"action": "DISARM", "code": None})
    assert found == '{"action": "DISARM", "code": null}'


def test_a_long_output_fails_and_a_long_input_is_left_alone() -> None:
    templates = Templates(now)
    with pytest.raises(PayloadError):
        templates.command("{{ value }}" * 3, {"value": "x" * (MAX_OUTPUT_LENGTH // 2)})
    long = Text("x" * (MAX_INPUT_LENGTH + 1))
    assert templates.value("{{ 1 }}", long) == long.text


HOSTILE = [
    "{% for i in range(100) %}" * 4 + "x" + "{% endfor %}" * 4,
    "{{ 'x' * 10**9 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ 'a' | center(999999999) }}",
    "{{ '%1000000000d' % 1 }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{{ " + "(" * 2000 + " }}",
    "{{ a" + ".a" * 1500 + " }}",
    "{{ " + "-" * 4000 + "1 }}",
    "{% set a = value %}" + "{% set a = a ~ a %}" * 200 + "{{ a }}",
    "{% set a = 3 %}" + "{% set a = a * a %}" * 200 + "{{ a }}",
    "{% set a = [1] %}" + "{% set a = [a, a, a, a] %}" * 100 + "{{ a }}",
    "{% set a = {'a': 1} %}"
    + "{% set a = {'a': a, 'b': a} %}" * 40
    + "{{ a == a }}{{ a | tojson }}",
    "{% set a, b = [1], [1] %}" + "{% set a, b = [a, a], [b, b] %}" * 60 + "{{ a == b }}",
    "{{ value | regex_match('(x+)+$') }}",
    "{{ range(10**9) | list }}",
    "{{ lipsum(100000) }}",
    "{% for x in value %}" + "{{ x in value }}" * 150 + "{% endfor %}",
    "{{ ([1] + [2])" + " | list" * 500 + " }}",
    "{{ value.__class__.__mro__[1].__subclasses__() }}",
    "{{ value }}" * 300,
]


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_templates_end_soon_and_say_nothing(source: str) -> None:
    templates, message = Templates(now), Text("x" * MAX_INPUT_LENGTH)
    started = time.process_time()
    assert templates.value(source, message) == message.text
    assert time.process_time() - started < 1.0


def test_many_hostile_templates_share_what_one_message_may_cost() -> None:
    templates, message = Templates(now), Text("x" * MAX_INPUT_LENGTH)
    hostile = "{% for a in range(90) %}{{ a }}{% endfor %}" * 3
    started = time.process_time()
    values = [templates.value(f"{number}{hostile}", message) for number in range(2_000)]
    assert time.process_time() - started < 1.0
    assert values[0] != message.text
    assert values[-1] == message.text
    assert templates.value("{{ 1 }}", Text("x")) == "1"


def test_the_same_template_is_rendered_once_for_all_who_share_it() -> None:
    templates, message = Templates(now), Text('{"state": "online"}')
    left = []
    for _ in range(1_000):
        assert templates.value("{{ value_json.state }}", message) == "online"
        left.append(message.steps)
    assert len(set(left)) == 1


def test_what_was_compiled_is_kept_within_bounds() -> None:
    templates = Templates(now)
    for number in range(MAX_COMPILED + 10):
        assert templates.value(f"{{{{ {number} }}}}", Text("x")) == str(number)
    assert len(templates._compiled) == MAX_COMPILED


PIECES = "{{ }} {% %} value value_json . | for in if endfor set = a ( ) [ ] + * ~ 'x' 9 range list"


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from(PIECES.split()),
        max_size=40,
    ),
    st.text(max_size=40),
)
def test_any_template_ends_in_a_text(pieces: list[str], text: str) -> None:
    assert isinstance(Templates(now).value(" ".join(pieces), Text(text)), str)
