"""A module as the slicer goes through it: its functions, each whole, and what stands outside them.

A function is looked into when something is asked of it: then it is a row of units, each a statement without those
under it.
"""

from __future__ import annotations

import ast
import bisect
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

from panicguard.python.screen import places_of
from panicguard.python.slice.facts import facts, header, own, within
from panicguard.python.slice.layout import DEFINITIONS, FUNCTIONS, Statement, clauses, is_compound, statements
from panicguard.python.slice.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Sequence, Set


_IMPORTS = (ast.Import, ast.ImportFrom)


def _as_it_is(statement: Statement) -> Statement:
    return statement


@dataclass(eq=False)
class Block:
    """What is kept or left out by itself: a function, whole; or what stands outside functions: a statement, or the
    header of a class or of another compound statement. `owners` are the headers around it, the outermost first."""

    lines: Sequence[str]
    statement: Statement
    """Maybe without what is in it, if it is a function."""
    first: int
    last: int
    owners: tuple[Block, ...]
    head: ast.AST | None = None
    """The node whose header the block is; None for a statement."""
    keyword: str = ""
    """The `else` or `finally` that the block is: its head has no name."""
    beside: Sequence[ast.stmt] = ()
    """The statements that share the row of the header that the block is."""
    fill: Callable[[Statement], Statement] = _as_it_is

    @cached_property
    def whole(self) -> Statement:
        """The statement with all that is in it."""
        return self.fill(self.statement)

    @property
    def function(self) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        node = self.statement.node
        return node if self.head is None and isinstance(node, FUNCTIONS) else None

    @property
    def name(self) -> str:
        """The name of a function or class."""
        return getattr(self.head or self.statement.node, "name", "") or ""

    @property
    def names(self) -> tuple[str, ...]:
        """How a function is called by others: as a variable, as an attribute."""
        return (self.name, f".{self.name}") if self.function is not None else ()

    @cached_property
    def bound(self) -> Set[str]:
        """What is bound outside functions: by a long table no more than its name is looked at."""
        if isinstance(self.head, DEFINITIONS):
            return frozenset((self.name,))
        if self.head is not None:
            return frozenset(name for unit in self.units for name in unit.facts.binds)
        nodes = self.statement.nodes
        if len(nodes) == 1:
            node = nodes[0]
            if isinstance(node, DEFINITIONS):
                return frozenset((node.name,))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                return frozenset()
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                return frozenset(alias.asname or alias.name.partition(".")[0] for alias in node.names)
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = _targets(node)
                if len(targets) == 1 and isinstance(targets[0], ast.Name):
                    return frozenset((targets[0].id,))
                return facts(targets).binds
        return frozenset(name for unit in self.units for name in unit.facts.binds)

    @property
    def is_in_class(self) -> bool:
        return any(type(owner.head) is ast.ClassDef for owner in self.owners)

    @cached_property
    def units(self) -> list[Unit]:
        """The header first."""
        found: list[Unit] = []
        if self.head is not None:
            unit = Unit(self.first, self.last, self.head, header(self.head), None, self.last)
            found.append(unit)
            _collect(self.lines, statements(self.lines, self.beside), unit, found, range(self.first, self.last))
        else:
            _collect(self.lines, [self.whole], None, found)
        return found

    @cached_property
    def mentions(self) -> dict[str, list[Unit]]:
        """Name -> the units that mention it."""
        found = defaultdict(list)
        for unit in self.units:
            for name in unit.facts.names:
                found[name].append(unit)
        return found

    @cached_property
    def bindings(self) -> dict[str, list[Unit]]:
        """Name -> the units that bind it or put something into it."""
        found = defaultdict(list)
        for unit in self.units:
            for name in unit.facts.binds:
                found[name].append(unit)
        return found

    @cached_property
    def starts(self) -> list[int]:
        return [unit.first for unit in self.units]

    def units_at(self, row: int) -> Iterator[Unit]:
        """The units that a row is a part of: more than one where a body stands in the row of its header."""
        at = bisect.bisect_right(self.starts, row) - 1
        first = self.starts[at] if at >= 0 else -1
        while at >= 0 and self.starts[at] == first:
            if self.units[at].last > row:
                yield self.units[at]
            at -= 1

    def units_in(self, rows: range) -> Sequence[Unit]:
        """The units that start in a range of rows."""
        return self.units[bisect.bisect_left(self.starts, rows.start) : bisect.bisect_left(self.starts, rows.stop)]


@dataclass(frozen=True)
class Outline:
    """A module's blocks in the order of the text; they do not overlap."""

    text: str
    lines: Sequence[str]
    tree: ast.Module
    """Maybe without what is in functions."""
    blocks: Sequence[Block]

    @cached_property
    def heads(self) -> dict[Statement, list[Block]]:
        """Compound statement outside functions -> the headers of its clauses: they stay or go together."""
        found = defaultdict(list)
        for block in self.blocks:
            if block.head is not None:
                found[block.statement].append(block)
        return found

    @cached_property
    def functions(self) -> list[Block]:
        return [block for block in self.blocks if block.function is not None]

    @cached_property
    def outside(self) -> list[Block]:
        return [block for block in self.blocks if block.function is None]

    @cached_property
    def bound_outside(self) -> dict[str, list[Block]]:
        """Name -> what binds it outside functions: statements and headers, in classes too."""
        found = defaultdict(list)
        for block in self.blocks:
            for name in block.bound:
                found[name].append(block)
        return found

    @cached_property
    def by_name(self) -> dict[str, list[Block]]:
        """Name -> the functions, those in classes too."""
        found = defaultdict(list)
        for block in self.functions:
            found[block.name].append(block)
        return found

    @cached_property
    def renamed(self) -> dict[str, str]:
        """The names that imports outside functions give in place of a thing's own, which stands beside them: `p` of
        `from functools import partial as p`."""
        outside = (block for block in self.standing(("import",)) if block.function is None)
        nodes = (node for block in outside for unit in block.units for node in own(unit.nodes))
        aliases = (alias for node in nodes if isinstance(node, _IMPORTS) for alias in node.names)
        return {alias.asname: alias.name.rpartition(".")[2] for alias in aliases if alias.asname}

    @cached_property
    def unclear(self) -> Set[str]:
        """The names that say nothing of what they stand for: of functions of the module, and of what imports rename."""
        return {*self.by_name, *self.renamed}

    @cached_property
    def suppressing(self) -> Set[str]:
        """The names of `contextlib.suppress`."""
        return {"suppress", *(name for name, of in self.renamed.items() if of == "suppress")}

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *accumulate(len(line) + 1 for line in self.lines)]

    @cached_property
    def _firsts(self) -> list[int]:
        return [block.first for block in self.blocks]

    def row(self, offset: int) -> int:
        return bisect.bisect_right(self._line_starts, offset) - 1

    def block(self, row: int) -> Block | None:
        """The block that a row is in."""
        at = bisect.bisect_right(self._firsts, row) - 1
        return self.blocks[at] if at >= 0 and self.blocks[at].last > row else None

    def standing(self, words: Collection[str]) -> dict[Block, set[int]]:
        """The blocks in whose text one of the words stands, and the rows there: a comment or a string counts too."""
        return self.at(places_of(self.text, words))

    def mentions_of(self, names: Collection[str]) -> Iterator[ast.AST]:
        """All nodes of the blocks in whose text one of the names stands."""
        for block in self.standing(names):
            for unit in block.units:
                for node in unit.nodes:
                    yield from within(node)

    def mentioning(self, names: Iterable[str]) -> Iterator[Block]:
        """What mentions one of the names outside functions, but for imports: the names of attributes have a dot in
        front."""
        names = frozenset(names)
        for block in self.standing(names):
            is_outside = block.function is None and not is_import(block)
            if is_outside and any(not names.isdisjoint(unit.facts.names) for unit in block.units):
                yield block

    def at(self, offsets: Iterable[int]) -> dict[Block, set[int]]:
        """The blocks at offsets, and the rows there."""
        found: dict[Block, set[int]] = defaultdict(set)
        for offset in offsets:
            row = self.row(offset)
            block = self.block(row)
            if block is not None:
                found[block].add(row)
        return found


def is_import(block: Block) -> bool:
    """Whether a block imports, and nothing else."""
    return block.head is None and all(isinstance(node, _IMPORTS) for node in block.statement.nodes)


def is_variable_of(block: Block) -> bool:
    """Whether a block binds variables: what is assigned, not what is defined or imported."""
    head = block.statement.node if block.head is None else block.head
    return not (isinstance(head, DEFINITIONS) or is_import(block))


def _targets(node: ast.stmt) -> Sequence[ast.expr]:
    if isinstance(node, ast.Assign):
        return node.targets
    return (node.target,) if isinstance(node, ast.AnnAssign) else ()


def outline(
    text: str, lines: Sequence[str], tree: ast.Module, fill: Callable[[Statement], Statement] = _as_it_is
) -> Outline:
    """The blocks of a tree; `fill` is asked for functions that it has without what is in them."""
    found: list[Block] = []
    _sort(lines, fill, tree.body, (), found)
    return Outline(text, lines, tree, found)


def _sort(
    lines: Sequence[str],
    fill: Callable[[Statement], Statement],
    body: Sequence[ast.stmt],
    owners: tuple[Block, ...],
    found: list[Block],
) -> None:
    """Sort what is in a body: the insides of classes and of other statements by themselves."""
    for statement in statements(lines, body):
        inside = [] if isinstance(statement.node, FUNCTIONS) else clauses(lines, statement)
        if not inside or all(clause.is_inline for clause in inside):
            found.append(Block(lines, statement, statement.first, statement.last, owners, fill=fill))
            continue
        for clause in inside:
            last, beside = (clause.last, clause.body) if clause.is_inline else (clause.body_first, ())
            head = Block(
                lines, statement, clause.first, last, owners, clause.head or ast.Pass(), clause.keyword, beside
            )
            found.append(head)
            if not clause.is_inline:
                _sort(lines, fill, clause.body, (*owners, head), found)


def _collect(
    lines: Sequence[str], body: Sequence[Statement], above: Unit | None, units: list[Unit], inline: range | None = None
) -> None:
    """The units of statements, in the order of the text; `inline` are the rows that they share with their header."""
    for statement in body:
        if not is_compound(statement):
            first, last = (inline.start, inline.stop) if inline else (statement.first, statement.last)
            units.append(Unit(first, last, statement.node, statement.nodes, above, last))
            continue
        for clause in clauses(lines, statement):
            own = [] if clause.head is None else header(clause.head)
            last = clause.last if clause.is_inline else clause.body_first
            end = statement.last if isinstance(clause.head, DEFINITIONS) else last
            unit = Unit(clause.first, last, clause.head, own, above, end, clause.keyword)
            units.append(unit)
            rows = range(clause.first, clause.last) if clause.is_inline else None
            _collect(lines, statements(lines, clause.body), unit, units, rows)
