"""Topics that begin with `$`: some brokers hang up on who asks for them (rumqttd does).

Pure bookkeeping of one link: it asks nothing itself.
"""

from __future__ import annotations


def is_hidden(topic_filter: str) -> bool:
    """Whether no wildcard reaches what the filter names, so that it must be asked for by name."""
    return topic_filter.startswith("$") and not topic_filter.startswith("$share/")


class HiddenTopics:
    """Whether a broker may be asked for hidden topics: until it hangs up on the first question."""

    def __init__(self) -> None:
        self._welcome: bool | None = None
        self._asked = False

    @property
    def allowed(self) -> bool:
        """Whether to ask."""
        return self._welcome is not False

    def ask(self) -> None:
        """The broker is being asked."""
        self._asked = self._welcome is None

    def answered(self) -> None:
        """It answered, were it with no: it bears the question."""
        self._welcome, self._asked = True, False

    def hung_up(self) -> bool:
        """The connection ended; True when that was the answer, which is heeded from now on."""
        blamed, self._asked = self._asked, False
        if blamed:
            self._welcome = False
        return blamed

    def forgive(self) -> None:
        """A connection without such questions ended too: the next one may try again."""
        if self._welcome is False:
            self._welcome = None
