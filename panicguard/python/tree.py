"""The parsed module: an index over libcst's nodes built in one walk, and the spans of its nodes.

libcst's own metadata copies the tree and visits it once a provider, which costs two to ten times the parse
(measured: 167 us a line for the copy, 123-193 for positions, 618 for qualified names; this walk: 14).
Spans are computed on demand, by writing out the statement at the top level that the node is in.
"""

from __future__ import annotations

import bisect
import itertools
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar, overload

from panicguard.python.cst import cst
from panicguard.python.nodes import children, parents_of, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from libcst import CSTNode

    from panicguard.python.places import Places

    N = TypeVar("N", bound=CSTNode)
    M = TypeVar("M", bound=CSTNode)

_FUNCTIONS = frozenset(("FunctionDef", "Lambda"))
_OWN_BODY = _FUNCTIONS | {"ClassDef"}
_FRAMES = _OWN_BODY | frozenset(
    "Module IndentedBlock SimpleStatementSuite For While With Try TryStar ExceptHandler ExceptStarHandler Finally "
    "ListComp SetComp GeneratorExp DictComp StarredDictComp FormattedString".split()
)
"""The types of frames: all but branches and parts of expressions, of which thousands may be nested."""


class Frame(NamedTuple):
    """What a node stands in, and the child of it that the node is or is in."""

    node: CSTNode
    child: CSTNode


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
    _frames: dict[CSTNode, Frame | None] = field(default_factory=dict)

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

    def frames(self, node: CSTNode) -> Iterator[Frame]:
        """The ancestors that are frames, from the nearest up to the module: no more than blocks and functions can be
        nested, however long a chain of `elif`s the node is in."""
        while (frame := self._frame(node)) is not None:
            yield frame
            node = frame.node

    def _frame(self, node: CSTNode) -> Frame | None:
        """The nearest frame, noted for all that is passed on the way to it."""
        parents, known = self.parents, self._frames
        passed: list[CSTNode] = []
        frame: Frame | None = None
        while node not in known:
            passed.append(node)
            above = parents.get(node)
            if above is None:
                break
            if type(above).__name__ in _FRAMES:
                frame = Frame(above, node)
                break
            node = above
        else:
            frame = known[node]
        for node in passed:
            known[node] = frame
        return frame

    def is_in(self, node: CSTNode, above: CSTNode) -> bool:
        """Whether a node is somewhere under another one."""
        if type(above).__name__ in _FRAMES:
            return any(frame.node is above for frame in self.frames(node))
        return any(ancestor is above for ancestor in self.ancestors(node))

    def around(self, node: CSTNode) -> Iterator[Frame]:
        """The frames up to the function that the node is in, excluding that."""
        for frame in self.frames(node):
            if type(frame.node).__name__ in _FUNCTIONS:
                return
            yield frame

    def enclosing(self, node: CSTNode, *types: type[N]) -> N | None:
        """The nearest ancestor of one of these (exact) types, which are types of frames."""
        return next((above for above, _ in self.frames(node) if type(above) in types), None)  # type: ignore[return-value]

    def statement(self, node: CSTNode) -> CSTNode:
        """The small or compound statement that the node is a part of."""
        kinds = (cst.BaseSmallStatement, cst.BaseCompoundStatement)
        return next(a for a in (node, *self.ancestors(node)) if isinstance(a, kinds))

    def function(self, node: CSTNode) -> cst.FunctionDef | cst.Lambda | None:
        """The function or lambda in whose body the node is."""
        for above, child in self.frames(node):
            if type(above).__name__ in _FUNCTIONS and above.body is child:  # type: ignore[attr-defined]
                return above  # type: ignore[return-value]
        return None

    @cached_property
    def following(self) -> dict[CSTNode, CSTNode]:
        """Statement of a block -> the one behind it."""
        blocks: Iterator[Any] = self.all(cst.Module, cst.IndentedBlock)
        return {line: below for block in blocks for line, below in itertools.pairwise(block.body)}

    @cached_property
    def named(self) -> dict[str, list[cst.Name]]:
        """Each name, be it a variable's, an attribute's or a keyword's, wherever it stands."""
        named: dict[str, list[cst.Name]] = defaultdict(list)
        for node in self.all(cst.Name):
            named[node.value].append(node)
        return named

    @cached_property
    def named_in(self) -> dict[tuple[CSTNode | None, str], list[cst.Name]]:
        """The same by the function in whose body it stands."""
        named: dict[tuple[CSTNode | None, str], list[cst.Name]] = defaultdict(list)
        for node in self.all(cst.Name):
            named[self.function(node), node.value].append(node)
        return named

    def children(self, node: CSTNode) -> list[CSTNode]:
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
                stack += reversed(children(node))

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
