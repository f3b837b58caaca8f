"""Where the nodes of a parsed text stand in it.

A place is a pair of offsets (code points of the parsed text), without the whitespace and the brackets around a node.
"""

from __future__ import annotations

import contextlib
import re
import sys
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from panicguard.python.cst import cst, parsed
from panicguard.python.lex import scan
from panicguard.python.nodes import child_fields, children, parents_of, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from libcst import CSTNode

    from panicguard.python.sketch.statements import Sketch

    Parents = Mapping[CSTNode, CSTNode]

N = TypeVar("N", bound="CSTNode")

_BODIES = frozenset(
    "IndentedBlock FunctionDef ClassDef If Else Try TryStar ExceptHandler ExceptStarHandler Finally For While With "
    "Match MatchCase".split()
)
_LINES = _BODIES - {"IndentedBlock"} | {"SimpleStatementLine"}
"""The nodes that start a logical line."""
_MARGIN = re.compile(r"[ \t\f]*")
_RECURSION = 8_000
"""Frames that libcst may use to write out a module: enough for a chain of 1,500 `elif`s."""
_COST = 100
"""What it costs to parse a statement by itself, in code points: with half of the text, it is the whole text's turn."""
_HEADER = "if _:\n"
"""What makes an indented statement a module."""


class UnplacedError(Exception):
    """It is not certain where a node stands."""


class Places(Protocol):
    line_starts: Sequence[int]
    """The offset at which each line of the parsed text starts."""
    are_exact: bool
    """Whether a fix may rely on them."""

    def span(self, node: CSTNode) -> tuple[int, int]:
        """The place of a node. Raises UnplacedError."""

    def written(self, node: N) -> N:
        """The node with its whitespace and punctuation. Raises UnplacedError."""


class Written:
    """The places in a module that libcst has parsed: writing a statement out reveals them."""

    are_exact = True

    def __init__(self, root: cst.Module, parents: Parents, text: str) -> None:
        self.line_starts = _line_starts(text.split("\n"))
        self._root, self._parents, self._text = root, parents, text
        self._spans: dict[CSTNode, tuple[int, int]] = {}

    def span(self, node: CSTNode) -> tuple[int, int]:
        if node not in self._spans:
            statement = node
            while statement not in self._starts and statement is not self._root:
                statement = self._parents[statement]
            self._spans.update(self._write(statement))
        return self._spans[node]

    def written(self, node: N) -> N:
        return node

    def _write(self, statement: CSTNode) -> dict[CSTNode, tuple[int, int]]:
        """The places of the nodes of a statement."""
        offsets: dict[CSTNode, tuple[int, int]] = {}
        start, margin = self._starts.get(statement, (0, ""))
        state = _counting_state(offsets, self._root)
        state.increase_indent(margin)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _RECURSION))
        try:
            statement._codegen(state)
        finally:
            sys.setrecursionlimit(limit)
        is_root = statement is self._root
        decorators = getattr(statement, "decorators", ())
        first = 0 if is_root else offsets[decorators[0] if decorators else statement][0]
        written = "".join(state.tokens)[first:].rstrip("\n")
        if self._text.startswith(written, start):
            return {node: (start - first + low, start - first + high) for node, (low, high) in offsets.items()}
        # There are blanks that libcst does not write, as that in `except X :`: what is behind them has moved.
        places = _aligned(written, self._text, start)
        if places is not None:
            last = len(places) - 1
            return {
                node: (
                    places[min(max(low - first, 0), last)],
                    places[min(max(high - first - 1, 0), last)] + (high > low),
                )
                for node, (low, high) in offsets.items()
            }
        if is_root:
            raise UnplacedError
        return self._write(self._root)

    @cached_property
    def _starts(self) -> dict[CSTNode, tuple[int, str]]:
        """Where each statement and handler starts, and the margin before it; empty if that is ambiguous."""
        starts: dict[CSTNode, tuple[int, str]] = {}
        lines = [line for line in scan(self._text).lines if not line.blank]
        at = 0
        stack: list[CSTNode] = list(reversed(self._root.body))
        while stack:
            node = stack.pop()
            name = type(node).__name__
            if name in _LINES:
                if at == len(lines):
                    return {}
                margin = _MARGIN.match(self._text, lines[at].start)
                assert margin is not None
                starts[node] = (margin.end(), margin[0])
                at += 1 + len(getattr(node, "decorators", ()))
            if name in _BODIES:
                stack += reversed(children(node))
        return starts if at == len(lines) else {}


class Sketched:
    """The places in a sketched module: as Python has them, or as libcst does when it is given the statement."""

    are_exact = True

    def __init__(self, sketch: Sketch, parents: Parents, text: str) -> None:
        self._lines = text.split("\n")
        self.line_starts = _line_starts(self._lines)
        self._sketch, self._parents, self._text = sketch, parents, text
        self._parsed: dict[CSTNode, tuple[int, Written, CSTNode]] = {}
        """Statement -> how far its own text is from where it stands, the places in that, and libcst's node for it."""
        self._spent = 0

    def span(self, node: CSTNode) -> tuple[int, int]:
        if (origin := self._sketch.origins.get(node)) is not None:
            return _placed(origin, self._lines, self.line_starts)
        away, places, real = self._found(node)
        start, end = places.span(real)
        return start + away, end + away

    def written(self, node: N) -> N:
        return self._found(node)[2]  # type: ignore[return-value]

    def _found(self, node: CSTNode) -> tuple[int, Written, CSTNode]:
        path: list[tuple[CSTNode, CSTNode]] = []
        statement = node
        while statement is not self._sketch.root and statement not in self._statements:
            above = self._parents[statement]
            path.append((above, statement))
            statement = above
        away, places, real = self._parse(statement)
        for above, below in reversed(path):
            real = _counterpart(above, below, real)
        if type(real) is not type(node):
            raise UnplacedError
        return away, places, real

    @property
    def _statements(self) -> Mapping[CSTNode, range]:
        return self._sketch.statements if 2 * self._spent <= len(self._text) else {}

    def _parse(self, statement: CSTNode) -> tuple[int, Written, CSTNode]:
        found = self._parsed.get(statement)
        if found is None:
            found = self._parsed[statement] = self._parsed_anew(statement)
        return found

    def _parsed_anew(self, statement: CSTNode) -> tuple[int, Written, CSTNode]:
        rows = self._sketch.statements.get(statement)
        text, away = self._text, 0
        header = ""
        if rows is not None:
            header = _HEADER if self._lines[rows.start][:1] in (" ", "\t", "\f") else ""
            text = header + "\n".join((*self._lines[rows.start : rows.stop], ""))
            away = self.line_starts[rows.start] - len(header)
        self._spent += len(text) + _COST
        root = parsed(text)
        if root is None:
            raise UnplacedError
        places = Written(root, parents_of(root), text)
        if rows is None:
            return away, places, root
        real: Any = root.body[0].body.body[0] if header else root.body[0]  # type: ignore[union-attr]
        return away, places, real


class Approximate:
    """The places in a sketched module that libcst cannot parse: the nearest that are known."""

    are_exact = False

    def __init__(self, sketch: Sketch, parents: Parents, text: str) -> None:
        self._lines = text.split("\n")
        self.line_starts = _line_starts(self._lines)
        self._sketch, self._parents = sketch, parents

    def span(self, node: CSTNode) -> tuple[int, int]:
        while True:
            known = [self._sketch.origins[n] for n in within(node) if n in self._sketch.origins]
            if known:
                spans = [_placed(origin, self._lines, self.line_starts) for origin in known]
                return min(start for start, _ in spans), max(end for _, end in spans)
            above = self._parents.get(node)
            if above is None:
                return 0, 0
            node = above

    def written(self, node: N) -> N:
        return node


def _aligned(written: str, text: str, at: int) -> list[int] | None:
    """Where each character of what libcst writes stands in a text, from `at` on; None if more than blanks differ."""
    places: list[int] = []
    for char in written:
        while at < len(text) and text[at] != char and text[at] in " \t\f\n":
            at += 1
        if text[at : at + 1] != char:
            return None
        places.append(at)
        at += 1
    return places or None


def _counterpart(above: CSTNode, below: CSTNode, real: CSTNode) -> CSTNode:
    """The node that `real` has where `above` has `below`. Raises UnplacedError."""
    if type(real) is not type(above):
        raise UnplacedError
    for name in child_fields(type(above)):
        value, other = getattr(above, name), getattr(real, name)
        if value is below:
            return other  # type: ignore[no-any-return]
        if isinstance(value, list):
            for at, child in enumerate(value):
                if child is below:
                    if len(other) != len(value):
                        raise UnplacedError
                    return other[at]  # type: ignore[no-any-return]
    raise UnplacedError


def _line_starts(lines: Sequence[str]) -> Sequence[int]:
    return [0, *accumulate(len(line) + 1 for line in lines)]


def _placed(origin: Any, lines: Sequence[str], starts: Sequence[int]) -> tuple[int, int]:
    """The place of a node of Python's own tree."""
    return (
        _offset(origin.lineno, origin.col_offset, lines, starts),
        _offset(origin.end_lineno, origin.end_col_offset, lines, starts),
    )


def _offset(row: int, column: int, lines: Sequence[str], starts: Sequence[int]) -> int:
    """The offset of a row, from 1, and a column in bytes."""
    line = lines[row - 1]
    if not line.isascii():
        column = len(line.encode()[:column].decode(errors="replace"))
    return starts[row - 1] + column


def _counting_state(offsets: dict[CSTNode, tuple[int, int]], root: cst.Module) -> Any:
    from libcst._nodes.internal import CodegenState

    class Counting(CodegenState):
        """Notes where each node's text starts and ends while libcst writes the module out."""

        position = 0

        def add_token(self, value: str) -> None:
            self.tokens.append(value)
            self.position += len(value)

        def add_indent_tokens(self) -> None:
            for token in self.indent_tokens:
                self.add_token(token)

        def before_codegen(self, node: CSTNode) -> None:
            offsets.setdefault(node, (self.position, -1))

        def after_codegen(self, node: CSTNode) -> None:
            start, end = offsets[node]
            if end < 0:
                offsets[node] = (start, self.position)

        @contextlib.contextmanager
        def record_syntactic_position(
            self, node: CSTNode, *, start_node: CSTNode | None = None, end_node: CSTNode | None = None
        ) -> Iterator[None]:
            start = self.position
            yield
            offsets[node] = (
                start if start_node is None else offsets[start_node][0],
                self.position if end_node is None else offsets[end_node][1],
            )

    return Counting(default_indent=root.default_indent, default_newline=root.default_newline)
