"""Which statements outside functions say something of what is kept of the functions."""

from __future__ import annotations

import ast
from collections import defaultdict
from typing import TYPE_CHECKING

from panicguard.python.slice.facts import facts, own
from panicguard.python.slice.outline import is_import, is_variable_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

    from panicguard.python.slice.kept import Kept
    from panicguard.python.slice.outline import Block
    from panicguard.python.slice.unit import Unit
    from panicguard.python.slice.words import Marks

LONG = 8
"""Rows from which a table is worth leaving out: what it holds says nothing that a name needs."""
_TABLES = (ast.Dict, ast.List, ast.Set, ast.Tuple, ast.Constant, ast.JoinedStr)
_IMPORTS = (ast.Import, ast.ImportFrom)


class Toplevel:
    """The blocks that stay, functions as stubs if they are not kept, `tables` without what they hold; and all names
    that are read in what stays, attributes with a dot in front."""

    def __init__(self, marks: Marks, kept: Kept, names: Set[str]) -> None:
        self.blocks: set[Block] = set()
        self.tables: set[Block] = set()
        self.read: set[str] = set()
        self._outline, self._hits = marks.outline, marks.hits
        self._pending: list[str] = []
        self._mentions: dict[str, list[Block]] | None = None
        self._telling = set(self._outline.mentioning(kept.told))
        for block in kept.rows:
            self._keep_owners(block)
        self._read(kept.names(marks))
        for block in marks.outside:
            self._keep(block)
        for block in self._telling:
            self._keep(block)
        self._read(names)
        for block in self._outline.outside:
            if _joins_classes(block):
                self._keep(block)  # what an attribute of the one holds, the other may read
            if any(name in ("*", *names) for name in _imported(block)):
                self._keep(block)
        self._grow()

    def _grow(self) -> None:
        """Keep what binds what is read, until that reads nothing more."""
        bound = self._outline.bound_outside
        while self._pending:
            name = self._pending.pop()
            is_variable = False
            for block in bound.get(name.lstrip("."), ()):
                if name[0] != "." or block.is_in_class:
                    self._keep(block)
                    is_variable = is_variable or is_variable_of(block)
            for block in bound.get(name, ()) if name[0] == "." else ():
                self._keep(block)
            if is_variable:
                self._tell((name,))

    def _tell(self, names: Iterable[str]) -> None:
        """Keep the statements that give no name to anything and mention one of the names."""
        mentions = self._said()
        for name in names:
            for block in mentions.get(name, ()):
                self._keep(block)

    def _said(self) -> dict[str, list[Block]]:
        if self._mentions is None:
            self._mentions = defaultdict(list)
            for block in self._outline.outside:
                if not _is_assigned(block) and not is_import(block):
                    for name in {name for unit in block.units for name in unit.facts.names}:
                        self._mentions[name].append(block)
        return self._mentions

    def _keep(self, block: Block) -> None:
        if block in self.blocks:
            return
        self.blocks.add(block)
        self._keep_owners(block)
        if block.function is not None:
            self._read(block.units[0].facts.names if is_short(block) else _returned(block))
        elif is_table(block) and block not in self._hits and block not in self._telling:
            self.tables.add(block)
            self._read(facts((ast.arg(arg="_", annotation=getattr(block.statement.node, "annotation", None)),)).names)
        elif not is_import(block):
            self._read(name for unit in block.units for name in self._asked(block, unit))

    def _asked(self, block: Block, unit: Unit) -> Set[str]:
        """The names in a unit that a verdict may ask about."""
        return unit.facts.names if block in self._hits else unit.facts.leading | unit.facts.called

    def _keep_owners(self, block: Block) -> None:
        for owner in (*block.owners, *((block,) if block.head is not None else ())):
            for head in self._outline.heads[owner.statement]:
                self._keep(head)

    def _read(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.read:
                self.read.add(name)
                self._pending.append(name)


def is_table(block: Block) -> bool:
    """Whether a block is a long literal that is given a name."""
    node = block.statement.node
    return (
        block.head is None
        and block.last - block.first >= LONG
        and len(block.statement.nodes) == 1
        and isinstance(node, (ast.Assign, ast.AnnAssign))
        and isinstance(node.value, _TABLES)
        and isinstance(node.target if isinstance(node, ast.AnnAssign) else node.targets[0], ast.Name)
    )


def _is_assigned(block: Block) -> bool:
    """Whether a statement gives a name to something."""
    return (
        block.head is None
        and isinstance(block.statement.node, (ast.Assign, ast.AnnAssign))
        and any(name[0] != "." for name in block.bound)
    )


def _joins_classes(block: Block) -> bool:
    """Whether a block is of a class that derives from several."""
    node = block.head or block.statement.node
    return type(node) is ast.ClassDef and len(node.bases) > 1


def _imported(block: Block) -> Iterator[str]:
    """The last names of what a statement imports, as they are where they come from; what stands under it in its rows
    included."""
    nodes = block.statement.nodes if block.head is None and block.function is None else block.beside
    for node in nodes:
        if isinstance(node, _IMPORTS) or hasattr(node, "body") or hasattr(node, "cases"):
            for inner in own((node,)):
                if isinstance(inner, _IMPORTS):
                    yield from (alias.name.rpartition(".")[2] for alias in inner.names)


def is_short(block: Block) -> bool:
    """Whether a function stands in one row."""
    return block.last - block.first == 1


def _returned(block: Block) -> Set[str]:
    """The names in what a function is said to return."""
    returns = block.function.returns if block.function is not None else None
    if returns is None:
        return set()
    made = facts((ast.arg(arg="_", annotation=returns),))
    return made.names
