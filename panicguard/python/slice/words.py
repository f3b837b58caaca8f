"""Where the words stand in the code of a module, and the other names that the module gives to what they stand for."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panicguard.python.apis import AWAITED, METHODS_ELSEWHERE
from panicguard.python.screen import hits
from panicguard.python.slice.facts import children, last_name, own

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Set

    from panicguard.python.slice.outline import Block, Outline
    from panicguard.python.slice.unit import Unit

_ASSIGNMENTS = (ast.Assign, ast.AnnAssign, ast.NamedExpr)
_ANNOTATED = frozenset((ast.arg, ast.AnnAssign))


@dataclass(frozen=True)
class Marks:
    """The blocks of a module in which words stand as code: their units, each with the nodes that are one."""

    outline: Outline
    hits: dict[Block, dict[Unit, list[ast.AST]]] = field(default_factory=lambda: defaultdict(dict))
    classes: set[Block] = field(default_factory=set)
    """The classes with a word in their header, or with the name of such a class."""

    @property
    def functions(self) -> list[Block]:
        return [block for block in self.hits if block.function is not None]

    @property
    def outside(self) -> list[Block]:
        return [block for block in self.hits if block.function is None]


def mark(outline: Outline, words: Set[str], outside_handlers: Set[str]) -> Marks:
    """Mark what holds one of the words, of `outside_handlers` only where it stands in no handler."""
    marks = Marks(outline)
    known: set[str] = set()
    new = set(words)
    while new:
        known |= new
        standing = outline.standing(new) if marks.hits else outline.at(hits(outline.text, new))
        found = list(_hits(standing, new, outside_handlers))
        for block, unit, node in found:
            marks.hits[block].setdefault(unit, []).append(node)
        new = {name for block, unit, node in found for name in _other_names(marks, block, unit, node)} - known
    return marks


def _hits(
    standing: Mapping[Block, Set[int]], words: Set[str], outside_handlers: Set[str]
) -> Iterator[tuple[Block, Unit, ast.AST]]:
    for block, rows in standing.items():
        seen = set()
        for unit in (unit for row in sorted(rows) for unit in block.units_at(row)):
            if unit in seen:
                continue
            seen.add(unit)
            for name, node in words_in(unit.nodes, words):
                if not (name in outside_handlers and _is_in_handler(unit)):
                    yield block, unit, node


def words_in(nodes: Iterable[ast.AST], words: Set[str]) -> Iterator[tuple[str, ast.AST]]:
    """The nodes that are a word, with it; but for annotations, the callee of an `await`, and what is a method of other
    things than the one that is meant."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        kind = type(node)
        if kind is ast.Name:
            if node.id in words:  # type: ignore[attr-defined]
                yield node.id, node  # type: ignore[attr-defined]
        elif kind is ast.Attribute:
            name = node.attr  # type: ignore[attr-defined]
            word = name if name in words else f".{name}"
            if word in words and _is_meant(node):  # type: ignore[arg-type]
                yield word, node
            stack.append(node.value)  # type: ignore[attr-defined]
        elif kind is ast.alias:
            last = node.name.rpartition(".")[2]  # type: ignore[attr-defined]
            if last in words:
                yield last, node
        elif kind is ast.Await and type(node.value) is ast.Call:  # type: ignore[attr-defined]
            call = node.value  # type: ignore[attr-defined]
            func = call.func
            if type(func) is ast.Attribute and func.attr not in AWAITED:
                stack.append(func.value)
            elif type(func) is not ast.Name:
                stack.append(func)
            stack += [*call.args, *call.keywords]
        elif kind is ast.Call and (name := _asked(node)) in words:  # type: ignore[arg-type]
            yield name, node
            stack += children(node)
        elif kind in _ANNOTATED:
            stack += [child for child in children(node) if child is not node.annotation]  # type: ignore[attr-defined]
        elif kind is not ast.Constant:
            stack += children(node)


def _asked(call: ast.Call) -> str:
    """The name that a `getattr` asks for."""
    if type(call.func) is ast.Name and call.func.id == "getattr" and len(call.args) > 1:
        name = call.args[1]
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return name.value
    return ""


def _is_meant(node: ast.Attribute) -> bool:
    return node.attr not in METHODS_ELSEWHERE or last_name(node.value).lstrip(".") in METHODS_ELSEWHERE[node.attr]


def _is_in_handler(unit: Unit) -> bool:
    """Whether a unit stands in a handler, or in a `finally`, of its function."""
    for above in unit.around():
        if isinstance(above.head, ast.ExceptHandler) or above.keyword == "finally":
            return True
        if above.is_definition:
            return False
    return False


def _other_names(marks: Marks, block: Block, unit: Unit, node: ast.AST) -> Iterator[str]:
    """The names that what stands outside functions gives to what a word in it stands for."""
    if block.function is not None:
        return
    if type(unit.head) is ast.ClassDef:
        marks.classes.add(block)
        yield unit.head.name
    elif type(node) is ast.alias:
        if node.asname:
            yield node.asname
    else:
        for value in _assigned(unit):
            if not _is_called(value, node):
                yield from (name for name in unit.facts.binds if not name.startswith("."))


def renamed(unit: Unit, words: Set[str]) -> Iterator[str]:
    """The names that a unit gives to what one of the words stands for, or to what holds that."""
    for node in own(unit.nodes):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname for alias in node.names if alias.asname and alias.name.rpartition(".")[2] in words)
    if any(True for value in _assigned(unit) if value is not None for _ in words_in((value,), words)):
        yield from (name for name in unit.facts.binds if not name.startswith("."))


def _assigned(unit: Unit) -> Iterator[ast.AST | None]:
    """The values that a unit gives names to."""
    for statement in unit.nodes if unit.facts.assigns else ():
        yield from (inner.value for inner in own((statement,)) if isinstance(inner, _ASSIGNMENTS))


def _is_called(value: ast.AST | None, func: ast.AST) -> bool:
    stack = [] if value is None else [value]
    while stack:
        node = stack.pop()
        if type(node) is ast.Call and node.func is func:
            return True
        stack += children(node)
    return False
