"""A text in a form that libcst can parse."""

from __future__ import annotations

import re

from panicguard.python.lex import scan

_BACKSLASH_IN_COMMENT = re.compile(r"#[^\n]*\\$", re.MULTILINE)
_ONLY_JOINED = re.compile(r"(?<!\\\n)^(?:\\\n)+", re.MULTILINE)


def plain(text: str) -> str:
    """The text, as many lines as before: its newlines are all `\\n`, a line of nothing but a backslash is blank, and a
    line that ends in a backslash is joined to the next one, so that no comment does.

    To Python that is the same, but libcst loses the indentation at such a line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _BACKSLASH_IN_COMMENT.search(text):
        text = _without_backslashes_in_comments(text)
    if "\n\\\n" not in text and not text.startswith("\\\n"):
        return text
    return _ONLY_JOINED.sub(lambda joined: "\n" * (len(joined[0]) // 2), text)


def _without_backslashes_in_comments(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for _, end in scan(text).comments:
        if text[end - 1] == "\\":
            pieces += (text[done : end - 1], "/")
            done = end
    return "".join((*pieces, text[done:]))
