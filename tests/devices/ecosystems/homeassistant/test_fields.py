from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.contract.errors import PayloadError
from devices.ecosystems.homeassistant.fields import MAX_OPTIONS, Fields, checked_topic

pytestmark = pytest.mark.unit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=8,
)


def test_texts_are_written_as_python_writes_them() -> None:
    assert Fields({"payload_on": True}).text("payload_on") == "True"
    assert Fields({"payload_on": 1}).text("payload_on") == "1"
    assert Fields({}).text("payload_on", "ON") == "ON"


def test_null_switches_a_payload_off_and_absence_does_not() -> None:
    assert Fields({"payload_stop": None}).nullable("payload_stop", "STOP") is None
    assert Fields({}).nullable("payload_stop", "STOP") == "STOP"


@pytest.mark.parametrize("topic", ["a/#", "+/a", "$SYS/x", "", 7, "a\x00b", "a\nb", "a" * 300])
def test_what_is_no_topic(topic: object) -> None:
    with pytest.raises(PayloadError):
        checked_topic(topic, "state_topic")


def test_numbers_may_be_texts_but_not_endless() -> None:
    assert Fields({"min": "15.0"}).number("min", 1) == 15
    assert Fields({}).number("min", 1) == 1
    for wrong in ("x", True, 1e300, float("nan"), []):
        with pytest.raises(PayloadError):
            Fields({"min": wrong}).number("min", 1)


def test_flags_in_all_spellings() -> None:
    assert all(Fields({"f": word}).flag("f") for word in (True, "true", "YES", 1, "on"))
    assert not any(Fields({"f": word}).flag("f", default=True) for word in (False, "no", 0))
    assert Fields({"f": []}).flag("f", default=True)


def test_words_are_shown_clean_and_sent_as_they_are() -> None:
    found = Fields({"options": ["a\x07b", 3, None, "x" * 300, ""]}).words("options")
    assert found == {"a b": "a\x07b", "3": "3"}
    many = Fields({"options": [str(i) for i in range(1000)]}).words("options")
    assert len(many) == MAX_OPTIONS


def test_a_template_is_a_text_of_some_length() -> None:
    assert Fields({"t": "{{ value }}"}).template("t") == "{{ value }}"
    for wrong in (1, "x" * 5000):
        with pytest.raises(PayloadError):
            Fields({"t": wrong}).template("t")


@given(JSON)
def test_any_value_is_read_or_refused(value: object) -> None:
    fields = Fields({"k": value})
    for read in (
        fields.topic,
        fields.text,
        fields.template,
        fields.words,
        fields.flag,
        lambda key: fields.number(key, 0),
    ):
        try:
            read("k")
        except PayloadError:
            continue


def test_all_topics_of_commands_are_found() -> None:
    fields = Fields({"command_topic": "a", "set_position_topic": "b", "state_topic": "c", "x": 1})
    assert fields.command_topics() == {"a", "b"}


def test_a_topic_of_commands_tells_no_state() -> None:
    fields = Fields({"command_topic": "a", "state_topic": "a", "brightness_state_topic": "b"})
    assert (fields.state_topic("state_topic"), fields.topic("state_topic")) == ("", "a")
    assert fields.state_topic("brightness_state_topic") == "b"
