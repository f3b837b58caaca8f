"""Write out what is kept: whole rows, and as little as possible in the place of what is not."""

from __future__ import annotations

import ast
import bisect
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.slice.depth import depth_of, is_long
from panicguard.python.slice.layout import clauses, margin, statements
from panicguard.python.slice.toplevel import is_short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Set

    from panicguard.python.slice.layout import Statement
    from panicguard.python.slice.outline import Block, Outline
    from panicguard.python.slice.toplevel import Toplevel

_EMPTY = {ast.Dict: "{}", ast.List: "[]", ast.Set: "set()", ast.Tuple: "()"}


class Slice(NamedTuple):
    """What is left of a text, and the row (from 0) in it that each row of what is left comes from."""

    text: str
    rows: Sequence[int]


def whole(text: str) -> Slice:
    return Slice(text, range(text.count("\n") + 1))


def render(
    outline: Outline,
    kept: Mapping[Block, Set[int]],
    outside: Toplevel,
    too_deep: Callable[[int, int, int], None],
) -> Slice:
    """The rows that are `kept` of functions; of the other blocks the statement, or a stub that binds its name.

    `too_deep` is told of each statement that is too deep to be parsed, by its rows and depth, before it is left out.
    """
    writer = _Writer(outline.lines, too_deep)
    header: Block | None = None  # one with nothing under it so far
    for block in outline.blocks:
        if block not in outside.blocks and block not in kept:
            continue
        if header is not None and header not in block.owners:
            writer.under(header)
        header = block if block.head is not None and not block.beside else None
        if block in kept:
            writer.body([block.whole], sorted(kept[block]))
        elif block.function is not None and not is_short(block):
            writer.line(block.first, f"{margin(outline.lines[block.first])}{''.join(_stub(block.function))}")
        elif block.keyword and not block.beside:
            writer.line(block.first, f"{margin(outline.lines[block.statement.first])}{block.keyword}:")
        elif block.head is not None:
            writer.copy(block.first, block.last)
        else:
            _statement(writer, block, outside)
    if header is not None:
        writer.under(header)
    return writer.slice()


def _statement(writer: _Writer, block: Block, outside: Toplevel) -> None:
    node = block.statement.node
    head = margin(writer.lines[block.first])
    if block in outside.tables:
        writer.line(block.first, f"{head}{_table(node)}")  # type: ignore[arg-type]
    elif isinstance(node, ast.ImportFrom) and block.last - block.first > 1 and len(block.statement.nodes) == 1:
        writer.line(block.first, f"{head}{_narrowed(node, outside.read)}")
    else:
        writer.body([block.whole], None)


class _Writer:
    def __init__(self, lines: Sequence[str], too_deep: Callable[[int, int, int], None]) -> None:
        self.lines = lines
        self._too_deep = too_deep
        self._texts: list[str] = []
        self._rows: list[int] = []

    def line(self, row: int, text: str) -> None:
        self._texts.append(text)
        self._rows.append(row)

    def copy(self, first: int, last: int) -> None:
        self._texts += self.lines[first:last]
        self._rows += range(first, last)

    def under(self, block: Block) -> None:
        """A placeholder for the body of a header."""
        self.line(block.first, f"{margin(self.lines[block.statement.first])} 0")

    def body(self, body: Sequence[Statement], wanted: Sequence[int] | None) -> None:
        """The statements without those in which no wanted row is; all of them with None. The handlers of a `try` that
        stays are whole: what they do with an error is a question about all of them."""
        is_left_out = False
        for statement in body:
            if wanted is not None and not _any_in(wanted, statement.first, statement.last):
                if not is_left_out:
                    self._placeholder(statement)
                is_left_out = True
                continue
            is_left_out = False
            inside = clauses(self.lines, statement)
            if not inside:
                self._simple(statement)
            for clause in inside:
                if clause.is_inline:
                    self.copy(clause.first, clause.last)
                    continue
                if clause.keyword:
                    self.line(clause.first, f"{margin(self.lines[statement.first])}{clause.keyword}:")
                else:
                    self.copy(clause.first, clause.body_first)
                is_whole = isinstance(clause.head, ast.ExceptHandler)
                self.body(statements(self.lines, clause.body), None if is_whole else wanted)

    def slice(self) -> Slice:
        rows = [*self._rows, self._rows[-1] if self._rows else 0]
        return Slice("".join(f"{text}\n" for text in self._texts), rows)

    def _simple(self, statement: Statement) -> None:
        if is_long(self.lines, statement) and (deep := depth_of(statement)):
            self._too_deep(statement.first, statement.last, deep)
            self._placeholder(statement)
        else:
            self.copy(statement.first, statement.last)

    def _placeholder(self, statement: Statement) -> None:
        self.line(statement.first, f"{margin(self.lines[statement.first])}0")


def _any_in(rows: Sequence[int], first: int, last: int) -> bool:
    at = bisect.bisect_left(rows, first)
    return at < len(rows) and rows[at] < last


def _stub(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """What stands for a function: its name, and what it returns, which a spawn may be a method of."""
    if isinstance(function, ast.AsyncFunctionDef):
        yield "async "
    yield f"def {function.name}(*_)"
    if function.returns is not None:
        yield f" -> {ast.unparse(function.returns)}"
    yield ": ..."


def _table(node: ast.Assign | ast.AnnAssign) -> str:
    """What stands for a long table: its name, and what it is."""
    value = _EMPTY.get(type(node.value), "...")
    if isinstance(node, ast.AnnAssign):
        return f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)} = {value}"
    return f"{ast.unparse(node.targets[0])} = {value}"


def _narrowed(node: ast.ImportFrom, read: Set[str]) -> str:
    """An import of several rows with only the names that are read."""
    names = [alias for alias in node.names if alias.name in read or alias.asname in read] or node.names
    return ast.unparse(ast.ImportFrom(node.module, names, node.level))
