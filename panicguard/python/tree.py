"""The parsed module: an index over libcst's nodes built in one walk, and the spans of its nodes.

libcst's own metadata copies the tree and visits it once a provider, which costs two to ten times the parse
(measured: 167 us a line for the copy, 123-193 for positions, 618 for qualified names; this walk: 14).
Spans are computed on demand, by writing out the statement at the top level that the node is in.
"""

from __future__ import annotations

import bisect
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, overload

from panicguard.python.cst import cst
from panicguard.python.nodes import children, parents_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.places import Places

    N = TypeVar("N", bound=CSTNode)
    M = TypeVar("M", bound=CSTNode)

_FUNCTIONS = frozenset(("FunctionDef", "Lambda"))
_OWN_BODY = _FUNCTIONS | {"ClassDef"}


@dataclass(frozen=True)
class Tree:
    """A module's nodes by type in the order of the text, and each node's parent.

    `line_starts[i]` is the offset, in the original text, of the parsed text's line i: a parsed text may lack lines of
    the original, but what was kept keeps its columns.
    """

    root: cst.Module
    parents: dict[CSTNode, CSTNode]
    by_type: dict[type[CSTNode], list[CSTNode]]
    line_starts: Sequence[int]
    places: Places

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
        return within(node)

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
        parentheses around it. Raises UnplacedError."""
        start, end = self.places.span(node)
        return self._original(start), self._original(end)

    def written(self, node: N) -> N:
        """The node with its whitespace and punctuation. Raises UnplacedError."""
        return self.places.written(node)

    def _original(self, offset: int) -> int:
        row = bisect.bisect_right(self.places.line_starts, offset) - 1
        return self.line_starts[row] + offset - self.places.line_starts[row]


def last_name(node: CSTNode) -> str:
    """`c` of `a.b.c`, the name of a name; empty for what is neither."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def index(root: cst.Module, line_starts: Sequence[int], places: Callable[[dict[CSTNode, CSTNode]], Places]) -> Tree:
    """The tree of a module; `places` makes what knows its places from the parents of its nodes."""
    by_type: dict[type[CSTNode], list[CSTNode]] = defaultdict(list)
    parents = parents_of(root, by_type)
    return Tree(root, parents, dict(by_type), line_starts, places(parents))
