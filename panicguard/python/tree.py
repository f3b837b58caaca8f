"""The parsed module: an index over libcst's nodes built in one walk, and the spans of its nodes.

libcst's own metadata copies the tree and visits it once a provider, which costs two to ten times the parse
(measured: 167 us a line for the copy, 123-193 for positions, 618 for qualified names; this walk: 14).
Spans are computed on demand, by writing out the statement at the top level that the node is in.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
import re
import sys
from collections import defaultdict
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload

from panicguard.python.cst import cst
from panicguard.python.lex import scan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from libcst import CSTNode

    N = TypeVar("N", bound=CSTNode)
    M = TypeVar("M", bound=CSTNode)

# Fields that hold punctuation, or that no rule needs; and all that start with "whitespace".
_SKIPPED = frozenset(
    "lpar rpar lbracket rbracket lbrace rbrace comma equal semicolon colon dot separator first_colon "
    "second_colon posonly_ind operator asynchronous conversion relative header footer leading_lines "
    "lines_after_decorators leading_whitespace trailing_whitespace trailing_comma".split()
)
# Nodes for which the order of libcst's fields is not the order of the text.
_FIELDS = {
    "FunctionDef": ("decorators", "name", "type_parameters", "params", "returns", "body"),
    "ClassDef": ("decorators", "name", "type_parameters", "bases", "keywords", "body"),
    "IfExp": ("body", "test", "orelse"),
    "Arg": ("keyword", "value"),
    "Parameters": ("posonly_params", "params", "star_arg", "kwonly_params", "star_kwarg"),
}


_BODIES = frozenset(
    "IndentedBlock FunctionDef ClassDef If Else Try TryStar ExceptHandler ExceptStarHandler Finally For While With "
    "Match MatchCase".split()
)
_FUNCTIONS = frozenset(("FunctionDef", "Lambda"))
_OWN_BODY = _FUNCTIONS | {"ClassDef"}
_LINES = _BODIES - {"IndentedBlock"} | {"SimpleStatementLine"}
"""The nodes that start a logical line."""
_MARGIN = re.compile(r"[ \t\f]*")
_RECURSION = 8_000
"""Frames that libcst may use to write out a module: enough for a chain of 1,500 `elif`s."""


def _child_fields(cls: type[CSTNode]) -> tuple[str, ...]:
    if cls.__name__ in _FIELDS:
        return _FIELDS[cls.__name__]
    return tuple(f.name for f in fields(cls) if f.name not in _SKIPPED and not f.name.startswith("whitespace"))


@dataclass(frozen=True)
class Tree:
    """A module's nodes by type in the order of the text, and each node's parent.

    `line_starts[i]` is the offset, in the original text, of the parsed text's line i: a parsed text may lack lines of
    the original, but what was kept keeps its columns.
    """

    root: cst.Module
    parents: dict[CSTNode, CSTNode]
    by_type: dict[type[CSTNode], list[CSTNode]]
    text: str
    """The parsed text, newlines all `\\n`."""
    line_starts: Sequence[int]
    _offsets: dict[CSTNode, tuple[int, int]] = field(default_factory=dict)

    @overload
    def all(self, one: type[N], /) -> Iterator[N]: ...
    @overload
    def all(self, one: type[N], other: type[M], /) -> Iterator[N | M]: ...
    @overload
    def all(self, *types: type[CSTNode]) -> Iterator[CSTNode]: ...
    def all(self, *types: type[CSTNode]) -> Iterator[CSTNode]:
        """The nodes of these types, those of the first type first."""
        for cls in types:
            yield from self.by_type.get(cls, ())

    def ancestors(self, node: CSTNode) -> Iterator[CSTNode]:
        """From the parent up to the module."""
        parents = self.parents
        while (parent := parents.get(node)) is not None:
            yield parent
            node = parent

    def around(self, node: CSTNode) -> Iterator[CSTNode]:
        """The ancestors up to the function that the node is in, excluding that."""
        for ancestor in self.ancestors(node):
            if type(ancestor).__name__ in _FUNCTIONS:
                return
            yield ancestor

    def enclosing(self, node: CSTNode, *types: type[N]) -> N | None:
        """The nearest ancestor of one of these (exact) types."""
        parents = self.parents
        above = parents.get(node)
        while above is not None and type(above) not in types:
            above = parents.get(above)
        return above  # type: ignore[return-value]

    def statement(self, node: CSTNode) -> CSTNode:
        """The small or compound statement that the node is a part of."""
        kinds = (cst.BaseSmallStatement, cst.BaseCompoundStatement)
        return next(a for a in (node, *self.ancestors(node)) if isinstance(a, kinds))

    def function(self, node: CSTNode) -> cst.FunctionDef | cst.Lambda | None:
        """The function or lambda in whose body the node is."""
        child = node
        for ancestor in self.ancestors(node):
            if type(ancestor).__name__ in _FUNCTIONS and ancestor.body is child:  # type: ignore[attr-defined]
                return ancestor  # type: ignore[return-value]
            child = ancestor
        return None

    def children(self, node: CSTNode) -> Iterator[CSTNode]:
        """The child nodes that are code, in the order of the text."""
        return children(node)

    def within(self, node: CSTNode) -> Iterator[CSTNode]:
        """The node and everything under it, in the order of the text."""
        stack = [node]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(list(children(node))))

    def own(self, function: CSTNode) -> Iterator[CSTNode]:
        """What runs when the body of this function or statement runs, without nested functions and classes."""
        stack: list[CSTNode] = [function.body]  # type: ignore[attr-defined]
        while stack:
            node = stack.pop()
            yield node
            if type(node).__name__ not in _OWN_BODY:
                stack.extend(reversed(list(children(node))))

    def span(self, node: CSTNode) -> tuple[int, int]:
        """Start and end offset (code points) of a node in the original text, without the whitespace and the
        parentheses around it."""
        if node not in self._offsets:
            statement = node
            while statement not in self._starts and statement is not self.root:
                statement = self.parents[statement]
            self._offsets.update(self._written(statement))
        start, end = self._offsets[node]
        return self._original(start), self._original(end)

    def _written(self, statement: CSTNode) -> dict[CSTNode, tuple[int, int]]:
        """The offsets, in the parsed text, of the nodes of a statement: only writing it out reveals them."""
        offsets: dict[CSTNode, tuple[int, int]] = {}
        start, margin = self._starts.get(statement, (0, ""))
        state = _counting_state(offsets, self.root)
        state.increase_indent(margin)
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _RECURSION))
        try:
            statement._codegen(state)
        finally:
            sys.setrecursionlimit(limit)
        if statement is not self.root:
            decorators = getattr(statement, "decorators", ())
            first = offsets[decorators[0] if decorators else statement][0]
            written = "".join(state.tokens)[first:].rstrip("\n")
            if not self.text.startswith(written, start):
                return self._written(self.root)
            start -= first
        return {node: (start + low, start + high) for node, (low, high) in offsets.items()}

    @cached_property
    def _starts(self) -> dict[CSTNode, tuple[int, str]]:
        """Where in the parsed text each statement and handler starts, and the margin before it; empty if that is
        ambiguous."""
        starts: dict[CSTNode, tuple[int, str]] = {}
        lines = [line for line in scan(self.text).lines if not line.blank]
        at = 0
        stack: list[CSTNode] = list(reversed(self.root.body))
        while stack:
            node = stack.pop()
            name = type(node).__name__
            if name in _LINES:
                if at == len(lines):
                    return {}
                margin = _MARGIN.match(self.text, lines[at].start)
                assert margin is not None
                starts[node] = (margin.end(), margin[0])
                at += 1 + len(getattr(node, "decorators", ()))
            if name in _BODIES:
                stack.extend(reversed(list(children(node))))
        return starts if at == len(lines) else {}

    @cached_property
    def _parsed_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def _original(self, offset: int) -> int:
        row = bisect.bisect_right(self._parsed_starts, offset) - 1
        return self.line_starts[row] + offset - self._parsed_starts[row]


_FIELD_CACHE: dict[type, tuple[str, ...]] = {}


@functools.cache
def _plain() -> frozenset[type]:
    """The types of field values that are not nodes: exact types, because isinstance() with libcst's abstract classes is
    slow."""
    return frozenset((str, bool, int, type(None), cst.MaybeSentinel))


def children(node: CSTNode) -> Iterator[CSTNode]:
    """The child nodes that are code, in the order of the text."""
    cls = type(node)
    names = _FIELD_CACHE.get(cls)
    if names is None:
        names = _FIELD_CACHE[cls] = _child_fields(cls)
    for name in names:
        value = getattr(node, name)
        kind = type(value)
        if kind is tuple or kind is list:
            yield from value
        elif kind not in _plain():
            yield value


def last_name(node: CSTNode) -> str:
    """`c` of `a.b.c`, the name of a name; empty for what is neither."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def index(root: cst.Module, text: str, line_starts: Sequence[int]) -> Tree:
    """The tree of a parsed module."""
    parents: dict[CSTNode, CSTNode] = {}
    by_type: dict[type[CSTNode], list[CSTNode]] = defaultdict(list)
    cache = _FIELD_CACHE
    plain = _plain()
    stack: list[CSTNode] = [root]
    pop = stack.pop
    while stack:
        node = pop()
        cls = type(node)
        by_type[cls].append(node)
        names = cache.get(cls)
        if names is None:
            names = cache[cls] = _child_fields(cls)
        at = len(stack)
        for name in names:
            value = getattr(node, name)
            kind = type(value)
            if kind is tuple or kind is list:
                for child in value:
                    parents[child] = node
                    stack.append(child)
            elif kind not in plain:
                parents[value] = node
                stack.append(value)
        if len(stack) - at > 1:
            stack[at:] = stack[: at - 1 : -1] if at else stack[::-1]
    return Tree(root, parents, dict(by_type), text, line_starts)


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
