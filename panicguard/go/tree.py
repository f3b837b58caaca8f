"""The tree of a Go file as tree-sitter has it, asked by the types of nodes.

Nodes count bytes of the file as UTF-8; `span` turns them into offsets of `Source.text`. A tree may hold ERROR
nodes, where the syntax is wrong or newer than the grammar: what is beside them is sound.
"""

from __future__ import annotations

import bisect
import functools
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


@functools.lru_cache(maxsize=1)
def parsed(text: str) -> Tree:
    """The tree of a file. The last one is kept: rules and suppression ask for the same text."""
    data = text.encode()
    if not data.endswith(b"\n"):
        data += b"\n"  # the grammar fails on some last lines without one
    return Tree(_parser().parse(data).root_node, data)


def faults(text: str) -> int:
    """How many places of a file the grammar does not understand."""
    from tree_sitter import Query, QueryCursor

    found = QueryCursor(Query(_language(), "(ERROR) @fault (MISSING) @fault")).captures(parsed(text).root)
    return len(found.get("fault", ()))
