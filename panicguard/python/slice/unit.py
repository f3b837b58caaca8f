"""A statement without those under it: what the slicer keeps or leaves out of a function."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from panicguard.python.slice.facts import Facts, facts
from panicguard.python.slice.layout import DEFINITIONS, FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NAMED = frozenset((*DEFINITIONS, ast.ExceptHandler))


class Unit:
    """A statement, or the header of a clause, without the statements under it.

    `nodes` are what the unit says; `head` is the statement or handler itself. `above` is the header it stands under.
    """

    __slots__ = ("above", "end", "facts", "first", "head", "keyword", "last", "nodes")

    def __init__(
        self,
        first: int,
        last: int,
        head: ast.AST | None,
        nodes: Sequence[ast.AST],
        above: Unit | None,
        end: int,
        keyword: str = "",
    ) -> None:
        self.first, self.last, self.end = first, last, end
        self.head, self.nodes, self.above, self.keyword = head, nodes, above, keyword

    if TYPE_CHECKING:
        facts: Facts
    else:

        def __getattr__(self, name: str) -> Facts:
            """The facts of the unit, found at the first question."""
            found = self.facts = self._facts()
            return found

    @property
    def rows(self) -> range:
        """The rows of the whole statement, where it is a definition; else of the unit."""
        return range(self.first, self.end)

    def _facts(self) -> Facts:
        found, head = facts(self.nodes), self.head
        if type(head) in _NAMED and (name := head.name):  # type: ignore[union-attr]
            found.binds.add(name)
            found.names.add(name)
        if isinstance(head, FUNCTIONS):
            found.spawns_late = True
        if isinstance(head, (ast.AsyncFor, ast.AsyncWith)):
            found.awaits = True
        return found

    @property
    def is_definition(self) -> bool:
        return isinstance(self.head, DEFINITIONS)

    def is_a(self, *types: type[ast.AST]) -> bool:
        """Whether the unit, or a statement that shares its rows, is of one of the types."""
        return isinstance(self.head, types) or any(isinstance(node, types) for node in self.nodes)

    def around(self) -> Iterator[Unit]:
        """The headers that the unit stands under, the nearest first."""
        above = self.above
        while above is not None:
            yield above
            above = above.above
