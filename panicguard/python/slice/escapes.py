"""What decides whether an error can leave a spawned function: a No is certain, a Yes is for the rules to judge."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING, Any

from panicguard.python.harmless import HANDING, SPAWNING_METHODS, may_be_harmless
from panicguard.python.slice.facts import children, last_name, own
from panicguard.python.slice.layout import DEFINITIONS, TRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator, Sequence

    from panicguard.python.slice.outline import Block
    from panicguard.python.slice.unit import Unit
    from panicguard.python.slice.words import Marks

    Function = tuple[Block, Unit]

_WITHS = (ast.With, ast.AsyncWith)
_BRANCHES = (ast.If, ast.While)
_LOOPS = (*_BRANCHES, ast.For)
_UNSAFE = (ast.Raise, ast.Assert, ast.AsyncFor)
"""Statements that may let an error out, whatever is in them, but for assertions about types."""
_STARTING = SPAWNING_METHODS | HANDING
_EVERYTHING = frozenset(("Exception", "BaseException"))


def called(
    spawned: Sequence[Function], marks: Marks, named: Callable[[str, Block], Iterable[Function]]
) -> Iterator[tuple[Block, Iterable[int]]]:
    """Rows of the functions that spawned ones call where nothing catches what these raise, and of those that these
    call in turn; and all of what decorates them. `named` finds the functions of a name, as seen in a block."""
    defined = marks.outline.unclear
    pending, seen = list(spawned), {unit for _, unit in spawned}
    while pending:
        block, unit = pending.pop()
        decorators = set(_decorators(unit))
        names = set(decorators)
        if first_unguarded(block, unit, marks.hits.get(block, ()), defined) is None:
            names.update(_called_outside_guards(block, unit))
        for name in names:
            for inner, function in named(name, block):
                if function in seen:
                    continue
                seen.add(function)
                pending.append((inner, function))
                row = first_unguarded(inner, function, marks.hits.get(inner, ()), defined)
                yield inner, function.rows if row is None or name in decorators else (function.first, row)


def first_unguarded(block: Block, definition: Unit, marked: Container[Unit], defined: Container[str]) -> int | None:
    """The first row of a function that may let an error out, for certain; None where there is none for certain. What
    its calls of what is `defined`, or renamed, in the module do is not certain."""
    units = block.units_in(definition.rows)
    nested = {unit.head.name for unit in units if unit.is_definition}  # type: ignore[union-attr]
    nested |= {name for unit in units if unit.is_a(ast.Import, ast.ImportFrom) for name in unit.facts.binds}
    handed = set(_handed_on(units))
    may_be_beside = isinstance(definition.head, ast.AsyncFunctionDef) and any(map(_catches_all, units))
    risky = _risky_awaited if may_be_beside else _risky
    return next(
        (
            unit.first
            for unit in units
            if _is_bare(unit, definition)
            and any(name not in defined and name not in nested for name in _unsafe(unit, marked, handed, risky))
        ),
        None,
    )


def _called_outside_guards(block: Block, definition: Unit) -> Iterator[str]:
    """The names of what a function may call where no handler catches everything."""
    for unit in block.units_in(definition.rows):
        if not any(_catches_all(above) for above in _up_to(unit, definition)):
            yield from (last_name(node.func).lstrip(".") for node in own(unit.nodes) if isinstance(node, ast.Call))


def _up_to(unit: Unit, definition: Unit) -> Iterator[Unit]:
    return itertools.takewhile(lambda above: above is not definition, unit.around())


def _catches_all(unit: Unit) -> bool:
    """Whether a unit is the header of a `try` with a handler for every error."""
    return isinstance(unit.head, TRIES) and any(
        (handler.type is None or last_name(handler.type) in _EVERYTHING)
        for handler in unit.head.handlers  # type: ignore[attr-defined]
    )


def _decorators(definition: Unit) -> Iterator[str]:
    head: Any = definition.head
    return (last_name(node).lstrip(".") for node in own(head.decorator_list))


def _is_bare(unit: Unit, definition: Unit) -> bool:
    """Whether a statement stands in nothing but branches and loops of its function."""
    above = unit.above
    while above is not None and above is not definition and isinstance(above.head, _LOOPS):
        above = above.above
    return above is definition


def _handed_on(units: Iterable[Unit]) -> Iterator[str]:
    """The variables that hold a coroutine which is handed on."""
    for node in (inner for unit in units for inner in own(unit.nodes)):
        if isinstance(node, ast.Call) and _name(node) in HANDING and node.args:
            yield last_name(node.args[0])


def _unsafe(
    unit: Unit,
    marked: Container[Unit],
    handed: Container[str],
    risky: Callable[[Iterable[ast.AST]], Iterator[ast.Call]],
) -> Iterator[str]:
    """The names of what may let an error out of a statement: empty ones are nobody's. What gives a value to one of the
    variables in `handed` may only make a coroutine; of the other calls those are asked about that are `risky`."""
    node = unit.head
    if isinstance(node, ast.Assign) and last_name(node.targets[0]) in handed:
        return
    if isinstance(node, _BRANCHES):
        yield from (_name(call) for call in risky(unit.nodes) if call.args)
    elif isinstance(node, (*TRIES, *DEFINITIONS, ast.Import, ast.ImportFrom)):
        if isinstance(node, ast.ClassDef):
            yield ""
    elif isinstance(node, _UNSAFE):
        if not _is_of_kind(node):
            yield ""
    elif not isinstance(node, _WITHS) or unit not in marked:
        yield from map(_name, risky(unit.nodes))


def _is_of_kind(node: ast.AST) -> bool:
    """Whether a statement may be one that asserts of what kind a value is, or raises what says to stop."""
    if isinstance(node, ast.Assert):
        return isinstance(node.test, (ast.Name, ast.Attribute, ast.Compare, ast.Call))
    return isinstance(node, ast.Raise) and isinstance(node.exc, (ast.Name, ast.Attribute))


def _name(call: ast.Call) -> str:
    return last_name(call.func).lstrip(".")


def _risky_awaited(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """The calls that are awaited and may raise."""
    awaited = {id(node.value) for node in own(nodes) if isinstance(node, ast.Await)}
    return (call for call in _risky(nodes) if id(call) in awaited)


def _risky(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """The calls that may raise."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if type(node) is ast.Call and not may_be_harmless(last_name(node.func)):
            yield node
        is_handed_on = type(node) is ast.Call and _name(node) in _STARTING
        if type(node) is not ast.Lambda:
            stack += [node.func] if is_handed_on else children(node)  # type: ignore[attr-defined]
