"""A text in a form that libcst can parse."""

from __future__ import annotations

import re

_ONLY_JOINED = re.compile(r"(?<!\\\n)^(?:\\\n)+", re.MULTILINE)


def plain(text: str) -> str:
    """The text, as many lines as before: its newlines are all `\\n`, and a line of nothing but a backslash is blank.
    To Python that is the same, but libcst loses the indentation there."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\n\\\n" not in text and not text.startswith("\\\n"):
        return text
    return _ONLY_JOINED.sub(lambda joined: "\n" * (len(joined[0]) // 2), text)
