"""What the parser can take: a text without the statements that would overflow its stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.lines import Scan, margin
from panicguard.python.lex import depth, scan
from panicguard.python.screen import hits

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEEPEST = 600
"""What the parser is given: its time grows with the square of the depth (0.2 s here), and at 1,500 nested brackets
it overflows a stack of 8 MB."""


class TooDeepError(Exception):
    """An expression that would overflow the parser's stack: `offset` of its line, and its depth."""

    def __init__(self, offset: int, depth: int) -> None:
        super().__init__(offset, depth)
        self.offset, self.depth = offset, depth


def shallow(text: str, words: Iterable[str]) -> tuple[str, Scan]:
    """The text (newlines all `\\n`), as many lines as before, with a placeholder for each statement that is too deep
    to be parsed. Raises TooDeepError where one of them holds a word."""
    scanned = scan(text)
    pieces: list[str] = []
    done = 0
    for line in scanned.lines:
        if line.end - line.start > 2 * _DEEPEST and not line.blank:
            deep = depth(text, line.start, line.end)
            if deep > _DEEPEST:
                if hits(text[line.start : line.end], words):
                    raise TooDeepError(line.start, deep)
                rows = "\n" * text.count("\n", line.start, line.end)
                pieces += (text[done : line.start], margin(text, line), "0", rows)
                done = line.end
    if not pieces:
        return text, scanned
    text = "".join((*pieces, text[done:]))
    return text, scan(text)
