"""What the parser can take: how deep a statement is, and a text without those that would overflow its stack."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from panicguard.lines import margin
from panicguard.python.lex import depth, scan
from panicguard.python.screen import hits
from panicguard.python.slice.facts import children

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from panicguard.python.slice.layout import Statement

DEEPEST = 600
"""What the parser is given: its time grows with the square of the depth (0.2 s here), and at 1,500 nested brackets
it overflows a stack of 8 MB."""
_LEFT_TO_RIGHT = (ast.BoolOp, ast.JoinedStr)
"""Nodes with a row of values, of which the parser nests each in the next."""


class TooDeepError(Exception):
    """A statement that would overflow the parser's stack: the row (from 0) that it starts in, and its depth."""

    def __init__(self, row: int, depth: int) -> None:
        super().__init__(row, depth)
        self.row, self.depth = row, depth


def is_long(lines: Sequence[str], statement: Statement) -> bool:
    """Whether a statement has so many characters that it may be too deep."""
    rows = lines[statement.first : statement.last]
    return len(rows) > DEEPEST or sum(map(len, rows)) > 2 * DEEPEST


def depth_of(statement: Statement) -> int:
    """How deep the tree of a statement gets; 0 where the parser can take it."""
    deepest = 0
    stack: list[tuple[ast.AST, int]] = [(node, 1) for node in statement.nodes]
    while stack:
        node, level = stack.pop()
        if isinstance(node, ast.Constant):
            # Strings side by side are one here, and the parser nests them: each has at least a row or three characters.
            level += (node.end_lineno or 0) - (node.lineno or 0)
        below = children(node)
        if isinstance(node, _LEFT_TO_RIGHT):
            level += len(below)
        deepest = max(deepest, level)
        stack += ((child, level + 1) for child in below)
    return deepest if deepest > DEEPEST else 0


def shallow(text: str, words: Iterable[str]) -> str:
    """A text (newlines all `\\n`) that Python cannot parse, as many lines as before, with a placeholder for each
    logical line that is too deep to be parsed. Raises TooDeepError where one of them holds a word."""
    pieces: list[str] = []
    done = 0
    for line in scan(text).lines:
        if line.end - line.start > 2 * DEEPEST and not line.blank:
            deep = depth(text, line.start, line.end)
            if deep > DEEPEST:
                if hits(text[line.start : line.end], words):
                    raise TooDeepError(text.count("\n", 0, line.start), deep)
                rows = "\n" * text.count("\n", line.start, line.end)
                pieces += (text[done : line.start], margin(text, line), "0", rows)
                done = line.end
    return "".join((*pieces, text[done:])) if pieces else text
