"""A text without what is in its functions: most of them say nothing of a verdict, and need not be parsed.

Where functions begin and end is read from the rows alone. That may be wrong, in strings above all, so that it counts
only if Python's own parse of the rest has the same functions in the same rows; and a function that is asked for has to
be one by itself.
"""

from __future__ import annotations

import ast
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.python.margins import QUOTES
from panicguard.python.slice.layout import FUNCTIONS, Statement, is_blank, margin
from panicguard.python.slice.parse import as_older, is_newer, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence, Set

_DEF = re.compile(r"\n([ \t]*)(?:async[ \t]+)?def[ \t]")
_HEADER_END = re.compile(r"(?:(?!.*:[ \t]*(?:#.*)?\n).*\n(?![ \t]*(?:@|def\b|class\b|async\b))){0,60}.*\n")
"""From the `def` on: up to the row that ends with a colon."""
_NEAR = 10_000
"""Empty rows above a function that are parsed sooner than all its nodes are told another row."""


class MisreadError(Exception):
    """What stands in these rows is not the function that it looked like."""


class Module(NamedTuple):
    """A tree, and what returns a statement of it with all that is in it."""

    tree: ast.Module
    fill: Callable[[Statement], Statement]


class Hollow(NamedTuple):
    """A text in which `...` is all that functions do, in one row."""

    text: str
    rows: Sequence[int]
    """The row (from 0) of the whole text that each of its rows is, and the one below: the `...` stands for the last row
    of a function."""
    functions: Set[tuple[int, int]]
    """Of each function that lost its body, the rows of the whole text that its `def` and the last of its code are."""


def hollow(text: str, lines: Sequence[str]) -> Hollow:
    """A text (newlines all `\\n`, those between `lines`) without what is in functions, as far as that can be told."""
    pieces: list[str] = []
    rows: list[int] = []
    functions: set[tuple[int, int]] = set()
    done = done_row = row = counted = 0
    for before, start, end in _bodies(text):
        first = row + text.count("\n", counted, before + 1)
        body = first + text.count("\n", before + 1, start)
        row = last = body + text.count("\n", start, end) + (text[end - 1] != "\n")
        counted = end
        while is_blank(lines[last - 1]):
            last -= 1
        if last > body:
            pieces += (text[done:start], margin(lines[first]), " ...\n")
            rows += (*range(done_row, body), last - 1)
            functions.add((first, last - 1))
            done, done_row = end, row
    return Hollow("".join((*pieces, text[done:])), [*rows, *range(done_row, len(lines) + 1)], functions)


def _bodies(text: str) -> Iterator[tuple[int, int, int]]:
    """Of each outermost function the offsets of the newline before its `def`, of its body, and of the row behind it."""
    counts = {quotes: 0 for quotes in QUOTES if quotes in text}
    done = 0
    found = _DEF.search(text)
    while found is not None:
        for quotes in counts:
            counts[quotes] += text.count(quotes, done, found.start())
        done = found.start()
        if any(count % 2 for count in counts.values()):  # an example in a string
            found = _DEF.search(text, found.end())
            continue
        header = _HEADER_END.match(text, found.end())
        if header is None:
            return
        dedent = _no_deeper(len(found[1])).search(text, header.end() - 1)
        end = len(text) if dedent is None else dedent.start() + 1
        is_open = any(text.count(quotes, header.end(), end) % 2 for quotes in counts)
        # The row that looks like the next one may be part of this one: then nothing is left out.
        if end > header.end() and not is_open and text[end - 2] != "\\":
            yield found.start(), header.end(), end
        found = _DEF.search(text, end - 1)


@functools.cache
def _no_deeper(width: int) -> re.Pattern[str]:
    """The newline before a row of code with a margin of `width` characters at most."""
    return re.compile(rf"\n(?=[ \t]{{0,{width}}}[^\s#])")


def module(text: str, lines: Sequence[str]) -> Module:
    """A text (newlines all `\\n`, those between `lines`) with functions parsed as they are asked for. Raises
    MisreadError here, or at such a question, where what the rows look like is not what Python reads."""
    older = as_older(text).text if is_newer(text) else text
    rows = lines if older is text else older.split("\n")
    hollowed = hollow(older, rows)
    outer = _outer(hollowed.text)
    if outer is None or not hollowed.functions <= outer.placed(hollowed.rows):
        raise MisreadError

    def fill(statement: Statement) -> Statement:
        return _whole(rows, statement) if isinstance(statement.node, FUNCTIONS) else statement

    return Module(outer.tree, fill)


@dataclass(frozen=True)
class _Outer:
    """The tree of a hollow text, and the rows (from 1) in that of its statements, handlers and decorators."""

    tree: ast.Module
    nodes: Sequence[tuple[Any, int, int]]

    def placed(self, rows: Sequence[int]) -> Set[tuple[int, int]]:
        """Give the nodes their rows in the whole text; of its functions, return the first and the last (from 0)."""
        found: set[tuple[int, int]] = set()
        for node, first, last in self.nodes:
            node.lineno, node.end_lineno = rows[first - 1] + 1, rows[last - 1] + 1
            if type(node) in FUNCTIONS:
                found.add((node.lineno - 1, node.end_lineno - 1))
        return found


@functools.lru_cache(maxsize=1)
def _outer(text: str) -> _Outer | None:
    """The last one is kept: a keystroke or a fix in a function leaves a hollow text as it is."""
    tree = tree_of(text)
    if tree is None:
        return None
    nodes: list[Any] = []
    stack: list[Any] = [*tree.body]
    while stack:
        node = stack.pop()
        nodes += getattr(node, "decorator_list", ())
        if type(node) not in FUNCTIONS:
            for field in ("body", "orelse", "finalbody", "handlers", "cases"):
                stack += getattr(node, field, ())
        if hasattr(node, "lineno"):  # a case has none
            nodes.append(node)
    return _Outer(tree, [(node, node.lineno, node.end_lineno) for node in nodes])


def _whole(rows: Sequence[str], statement: Statement) -> Statement:
    first, last = statement.first, statement.last
    is_inner = rows[first][:1].isspace()
    far, near = divmod(first - is_inner, _NEAR)
    above = "\n" * near + "if 1:\n" * is_inner
    tree = tree_of(above + "\n".join(rows[first:last]) + "\n")
    if tree is not None and far:
        ast.increment_lineno(tree, far * _NEAR)
    body: Sequence[ast.stmt] = [] if tree is None else tree.body
    if is_inner and len(body) == 1 and isinstance(body[0], ast.If):
        body = body[0].body
    if len(body) != 1 or not isinstance(body[0], FUNCTIONS) or body[0].end_lineno != last:
        raise MisreadError
    return Statement((body[0],), body[0], first, last)
