"""Text from the network, made safe for a prompt, a log line or a screen."""

from __future__ import annotations

import unicodedata

# Control, format (bidi overrides, zero width), surrogates, private use, separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Joiners are ordinary spelling in Persian, Hindi and emoji; they steer nothing.
_JOINERS = frozenset("\u200c\u200d")


def clean(text: str, limit: int) -> str:
    """`text` on one line without control or bidirectional characters, at most `limit` long.

    Runs of white space and removed characters become one space. A longer text is cut and
    ends with an ellipsis. The result may be empty.
    """
    # Nearly every name and value: nothing to do, and each acknowledgement has several.
    if len(text) <= limit and text.isascii() and text.isprintable() and text == text.strip():
        return " ".join(text.split()) if "  " in text else text
    # Cut before the work, so that a megabyte of text costs no more than a line of it.
    head = text[: limit * 4]
    safe = "".join(
        c if c in _JOINERS or unicodedata.category(c) not in _UNSAFE else " " for c in head
    )
    line = " ".join(safe.split())
    if len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + "…"
