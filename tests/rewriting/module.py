"""A Python module as its tokens and its tree, with offsets in code points."""

from __future__ import annotations

import ast
import functools
import io
import itertools
import tokenize
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENING, CLOSING = "([{", ")]}"
_LAYOUT = frozenset((tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER))
_ENDS = frozenset((tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT))
_SIMPLE = (
    ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Raise, ast.Pass, ast.Break, ast.Continue,
    ast.Delete, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom, ast.Assert,
)  # fmt: skip
"""Statements of which several may stand in a row."""


class Token(NamedTuple):
    kind: int
    text: str
    start: int
    end: int
    depth: int
    """How many brackets are open behind it."""
    level: int
    """How many blocks it is in."""

    @property
    def is_code(self) -> bool:
        return self.kind not in _ENDS


class Module:
    """A text, its newlines all `\\n`. Raises SyntaxError where the running Python does not know it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._starts = [0, *itertools.accumulate(map(len, io.StringIO(text, newline="\n").readlines()))]
        self._rows = text.split("\n")

    @functools.cached_property
    def tokens(self) -> list[Token]:
        """Comments and ends of lines included; an f-string is one."""
        found: list[Token] = []
        depth = level = nested = 0
        start = 0
        for token in tokenize.generate_tokens(io.StringIO(self.text, newline="\n").readline):
            name = tokenize.tok_name[token.type]
            level += (name == "INDENT") - (name == "DEDENT")
            if token.type in _LAYOUT:
                continue
            if name in ("FSTRING_START", "TSTRING_START"):
                start = start if nested else self._at(*token.start)
                nested += 1
            elif name in ("FSTRING_END", "TSTRING_END"):
                nested -= 1
                if not nested:
                    end = self._at(*token.end)
                    found.append(Token(tokenize.STRING, self.text[start:end], start, end, depth, level))
            elif not nested:
                if token.type == tokenize.OP:
                    depth += (token.string in OPENING) - (token.string in CLOSING)
                found.append(
                    Token(token.type, token.string, self._at(*token.start), self._at(*token.end), depth, level)
                )
        return found

    def gaps(self) -> Iterator[tuple[Token, Token]]:
        """The tokens side by side in one row."""
        for a, b in itertools.pairwise(self.tokens):
            if a.is_code and b.is_code and not self.text[a.end : b.start].strip(" \t\f"):
                yield a, b

    def first_tokens(self) -> Iterator[Token]:
        """The first token of each logical line."""
        before = None
        for token in self.tokens:
            if token.is_code and (before is None or before.kind == tokenize.NEWLINE):
                yield token
            if token.is_code or token.kind == tokenize.NEWLINE:
                before = token

    def ends_of_rows(self) -> Iterator[int]:
        """Where rows of code end that have no comment."""
        for a, b in itertools.pairwise(self.tokens):
            if a.is_code and b.kind in (tokenize.NEWLINE, tokenize.NL) and not self.text[a.end : b.start].strip():
                yield a.end

    def span(self, node: ast.AST) -> tuple[int, int]:
        row, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        last, end = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return self._byte(row, column), self._byte(last, end)

    def nodes(self, *types: type[ast.AST]) -> Iterator[ast.AST]:
        """The nodes of these types, but for those in f-strings, whose places some versions of Python get wrong, and in
        patterns, which have a syntax of their own."""
        stack: list[ast.AST] = [self.tree]
        while stack:
            node = stack.pop()
            if isinstance(node, types):
                yield node
            if not isinstance(node, (ast.JoinedStr, ast.pattern)):
                stack += ast.iter_child_nodes(node)

    def bodies(self) -> Iterator[list[ast.stmt]]:
        for node in ast.walk(self.tree):
            for field in ("body", "orelse", "finalbody"):
                body = getattr(node, field, None)
                if isinstance(body, list) and body:
                    yield body

    def row_start(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def row_end(self, offset: int) -> int:
        end = self.text.find("\n", offset)
        return len(self.text) if end < 0 else end

    def margin(self, node: ast.stmt) -> str | None:
        """The whitespace in front of a statement that has its rows to itself; None for another."""
        start, end = self.span(node)
        margin = self.text[self.row_start(start) : start]
        behind = self.text[end : self.row_end(end)].strip()
        joined = self.text[: self.row_start(start)].endswith("\\\n")
        return None if margin.strip(" \t") or joined or (behind and behind[0] != "#") else margin

    def _at(self, row: int, column: int) -> int:
        return min(self._starts[min(row, len(self._starts)) - 1] + column, len(self.text))

    def _byte(self, row: int, column: int) -> int:
        line = self._rows[row - 1]
        return self._starts[row - 1] + (column if line.isascii() else len(line.encode()[:column].decode()))


def is_simple(node: ast.stmt) -> bool:
    return isinstance(node, _SIMPLE)
