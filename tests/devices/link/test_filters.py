from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.link.base import Message
from devices.link.filters import FilterTable, check_filter, check_topic, has_wildcard, matches

pytestmark = pytest.mark.unit

LEVELS = st.sampled_from(["", "a", "b", "$x", "é"])
TOPICS = st.lists(LEVELS, min_size=1, max_size=5).map("/".join).filter(bool)
HEADS = st.lists(st.one_of(LEVELS, st.just("+")), max_size=4)
FILTERS = st.tuples(HEADS, st.sampled_from(["#", "+", "a", ""])).map(
    lambda parts: "/".join([*parts[0], parts[1]])
)
VALID_FILTERS = FILTERS.filter(bool)


def naive(topic_filter: str, topic: str) -> bool:
    """The rules of MQTT 5, section 4.7, as they are written there."""
    if topic[0] == "$" and topic_filter[0] in "+#":
        return False
    wanted, levels = topic_filter.split("/"), topic.split("/")
    if wanted[-1] == "#":
        wanted = wanted[:-1]
        levels = levels[: len(wanted)] if len(levels) >= len(wanted) else levels
    return len(wanted) == len(levels) and all(
        w in {"+", level} for w, level in zip(wanted, levels, strict=True)
    )


class Handler:
    def __call__(self, message: Message) -> None:
        raise AssertionError("only looked up")


@given(VALID_FILTERS, TOPICS)
def test_a_filter_matches_what_the_standard_says(topic_filter: str, topic: str) -> None:
    assert matches(check_filter(topic_filter), check_topic(topic)) == naive(topic_filter, topic)


@pytest.mark.parametrize(
    ("topic_filter", "topic", "expected"),
    [
        ("#", "a/b", True),
        ("#", "$SYS/b", False),
        ("+/b", "$SYS/b", False),
        ("$SYS/#", "$SYS/b", True),
        ("a/#", "a", True),
        ("a/+", "a", False),
        ("a/+", "a/", True),
        ("+", "/a", False),
        ("/+", "/a", True),
        ("a", "A", False),
    ],
)
def test_cases_that_are_easily_wrong(topic_filter: str, topic: str, expected: bool) -> None:
    assert matches(topic_filter, topic) is expected


@given(st.lists(st.tuples(VALID_FILTERS, st.booleans())), st.lists(TOPICS, min_size=1))
def test_a_table_finds_each_handler_once_whatever_came_and_went(
    plan: list[tuple[str, bool]], topics: list[str]
) -> None:
    table = FilterTable()
    shared = Handler()
    kept: list[tuple[str, Handler]] = []
    for topic_filter, stays in plan:
        handler = shared if len(kept) % 3 == 2 else Handler()
        entry = table.add(topic_filter, handler)
        for topic in topics:
            assert handler in table.handlers(topic) or not naive(topic_filter, topic)
        if stays:
            kept.append((topic_filter, handler))
        else:
            table.remove(entry)
            assert table.remove(entry) is False
    for topic in topics * 2:
        found = list(table.handlers(topic))
        assert len(found) == len(set(found))
        assert set(found) == {handler for f, handler in kept if naive(f, topic)}
    assert sorted(want.topic_filter for want in table.wanted()) == sorted({f for f, _ in kept})


@given(st.lists(VALID_FILTERS, min_size=1), TOPICS)
def test_copies_of_a_message_together_reach_each_handler_once(
    filters: list[str], topic: str
) -> None:
    table = FilterTable()
    pair = [Handler(), Handler()]
    for position, topic_filter in enumerate(filters):
        table.add(topic_filter, pair[position % 2])
    copies = [want.number for want in table.wanted() if naive(want.topic_filter, topic)]
    reached = [h for number in copies for h in table.handlers(topic, [number])]
    assert sorted(map(id, reached)) == sorted(map(id, table.handlers(topic)))
    assert list(table.handlers(topic, copies)) == list(table.handlers(topic)) or not copies


def test_the_highest_qos_counts_while_it_is_asked_for() -> None:
    table = FilterTable()
    table.add("a/+", Handler(), 0)
    high = table.add("a/+", Handler(), 2)
    table.add("b", Handler(), 1)
    assert [(want.topic_filter, want.qos) for want in table.wanted()] == [("a/+", 2), ("b", 1)]
    assert len({want.number for want in table.wanted()}) == 2
    assert table.remove(high) is False
    assert table.want("a/+").qos == 0


def test_the_last_one_to_leave_is_told() -> None:
    table = FilterTable()
    first, second = table.add("a/#", Handler()), table.add("a/#", Handler())
    assert table.remove(second) is False
    assert table.remove(first) is True
    assert "a/#" not in table
    assert table.handlers("a/b") == ()


def test_topics_without_end_do_not_fill_the_memory() -> None:
    table = FilterTable()
    table.add("#", Handler())
    for number in range(10_000):
        assert len(table.handlers(f"a/{number}")) == 1
        assert len(table.handlers("x" * 1000 + str(number))) == 1
    assert len(table._hot) <= 4096
    assert max(map(len, table._hot)) <= 256


def test_a_handler_that_comes_later_is_found_for_a_topic_that_was_known() -> None:
    table = FilterTable()
    assert table.handlers("a") == ()
    table.add("+", Handler())
    assert len(table.handlers("a")) == 1


@pytest.mark.parametrize("bad", ["", "a/#/b", "a#", "#a", "a+", "+a/b", "a\0b", "x" * 65_536])
def test_filters_that_are_none(bad: str) -> None:
    with pytest.raises(ValueError, match=r"filter|topic|null"):
        check_filter(bad)


@pytest.mark.parametrize("bad", ["", "a/+", "a/#", "a\0b", "é" * 32_768])
def test_topics_that_are_none(bad: str) -> None:
    with pytest.raises(ValueError, match=r"topic|null"):
        check_topic(bad)


@pytest.mark.parametrize("good", ["é" * 32_767, "x" * 65_535, "/", "$SYS/a", " "])
def test_topics_at_the_edge(good: str) -> None:
    assert check_topic(good) == check_filter(good) == good
    assert not has_wildcard(good)


def test_a_qos_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="QoS"):
        FilterTable().add("a", Handler(), 3)
