"""The tree of a Go file as tree-sitter has it, asked by the types of nodes.

Nodes count bytes of the file as UTF-8; `span` turns them into offsets of `Source.text`. A tree may hold ERROR
nodes, where the syntax is wrong or newer than the grammar: what is beside them is sound.
"""

from __future__ import annotations

import bisect
import functools
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import tree_sitter
    from tree_sitter import Language, Node, Parser, Query

_COMMON = frozenset(
    "assignment_statement call_expression dec_statement defer_statement go_statement import_declaration import_spec "
    "inc_statement index_expression method_declaration package_clause range_clause receive_statement "
    "selector_expression short_var_declaration slice_expression type_spec unary_expression".split()
)
"""The types that are asked for most: one walk finds them all, and takes hardly longer than one that finds some."""


@functools.cache
def _language() -> Language:
    import tree_sitter_go
    from tree_sitter import Language

    return Language(tree_sitter_go.language())


@functools.cache
def _parser() -> Parser:
    from tree_sitter import Parser

    return Parser(_language())


@functools.cache
def _query(types: frozenset[str]) -> Query:
    """What captures each type under its own name."""
    from tree_sitter import Query

    return Query(_language(), " ".join(f"({name}) @{name}" for name in types))


@dataclass(frozen=True)
class Tree:
    root: Node
    data: bytes
    """The file as UTF-8, with a last newline that it may lack."""
    _found: dict[tuple[str, ...], list[Node]] = field(default_factory=dict)

    def all(self, *types: str) -> list[Node]:
        """The nodes of these types, in the order of the text."""
        if types not in self._found:
            asked = frozenset(types)
            by_type = self._common if asked <= _COMMON else self._captures(asked)
            nodes = (node for name in types for node in by_type.get(name, ()))
            self._found[types] = sorted(nodes, key=lambda node: (node.start_byte, -node.end_byte))
        return self._found[types]

    def within(self, node: Node, *types: str) -> list[Node]:
        """Those of the nodes of these types that start in a node, in the order of the text."""
        found = self.all(*types)
        start, end = (
            bisect.bisect_left(found, byte, key=lambda one: one.start_byte) for byte in (node.start_byte, node.end_byte)
        )
        return found[start:end]

    @cached_property
    def _common(self) -> dict[str, list[Node]]:
        return self._captures(_COMMON)

    def _captures(self, types: frozenset[str]) -> dict[str, list[Node]]:
        from tree_sitter import QueryCursor

        return QueryCursor(_query(types)).captures(self.root)

    def span(self, node: Node) -> tuple[int, int]:
        return self.offset(node.start_byte), self.offset(node.end_byte)

    def offset(self, byte: int) -> int:
        """The offset, in code points, of one in bytes."""
        if self._lines is None:
            return byte
        starts, offsets = self._lines
        row = bisect.bisect_right(starts, byte) - 1
        return offsets[row] + len(self.data[starts[row] : byte].decode())

    @cached_property
    def _lines(self) -> tuple[list[int], list[int]] | None:
        """Where each line starts, in bytes and in code points; None where the two are the same."""
        if self.data.isascii():
            return None
        starts, offsets = [0], [0]
        for line in self.data.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
            offsets.append(offsets[-1] + len(line.decode()) + 1)
        return starts, offsets


_last: deque[tuple[bytes, tree_sitter.Tree]] = deque(maxlen=1)
"""The last text and its tree, of which most holds for the next keystroke."""
_SHARE = 8
"""One part of so many is what may have changed of a text that is thought to be the same."""


@functools.lru_cache(maxsize=1)
def parsed(text: str) -> Tree:
    """The tree of a file. The last one is kept: rules and suppression ask for the same text."""
    data = text.encode()
    if not data.endswith(b"\n"):
        data += b"\n"  # the grammar fails on some last lines without one
    tree = (_last and _reparsed(*_last[0], data)) or _parser().parse(data)
    _last.append((data, tree))
    return Tree(tree.root_node, data)


def _reparsed(before: bytes, tree: tree_sitter.Tree, data: bytes) -> tree_sitter.Tree | None:
    """The tree of a text out of that of one before. None where the two have little in common, or the text is broken:
    how the parser recovers depends on what it knew before, and a file has to come to the same wherever it is read."""
    shorter = min(len(before), len(data))
    if _SHARE * abs(len(before) - len(data)) > shorter:
        return None
    start = _longest(shorter, lambda n: before.startswith(data[:n]))
    end = _longest(shorter - start, lambda n: before.endswith(data[len(data) - n :]))
    if _SHARE * (shorter - start - end) > shorter:
        return None
    ends = len(before) - end, len(data) - end
    known = tree.copy()
    known.edit(start, *ends, _point(data, start), _point(before, ends[0]), _point(data, ends[1]))
    found = _parser().parse(data, known)
    return None if found.root_node.has_error else found


def _longest(limit: int, holds: Callable[[int], bool]) -> int:
    """The greatest number up to a limit for which something holds, as it does for all below."""
    return bisect.bisect_left(range(1, limit + 1), True, key=lambda n: not holds(n))


def _point(data: bytes, at: int) -> tuple[int, int]:
    """Row and column of a byte."""
    return data.count(b"\n", 0, at), at - data.rfind(b"\n", 0, at) - 1


def faults(text: str) -> int:
    """How many places of a file the grammar does not understand."""
    from tree_sitter import Query, QueryCursor

    found = QueryCursor(Query(_language(), "(ERROR) @fault (MISSING) @fault")).captures(parsed(text).root)
    return len(found.get("fault", ()))
