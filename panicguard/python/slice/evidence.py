"""The rows of a function that are evidence, by kind of `Evidence`: a No is certain, a Yes is for the rules to judge."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from panicguard.python.evidence import Evidence
from panicguard.python.slice.escapes import first_unguarded
from panicguard.python.slice.facts import last_name, own, within
from panicguard.python.slice.layout import TRIES
from panicguard.python.slice.words import words_in

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence, Set

    from panicguard.python.slice.outline import Block, Outline
    from panicguard.python.slice.unit import Unit

_WITHS = (ast.With, ast.AsyncWith)
_AWAITS = (ast.Await, ast.AsyncFor, ast.AsyncWith)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_STOPS = (ast.Break, ast.Return, ast.Raise)
_LEAVES = (ast.Return, ast.Break, ast.Continue)
_GOES_ON = (*_LEAVES, ast.Yield)

_IDLE = (ast.Pass, ast.Continue, ast.Break, ast.Return)
_IDLE_CALLS = ("print", "sleep")


def of_spawned(
    block: Block, definition: Unit, kinds: Set[Evidence], marked: Container[Unit], module: Outline
) -> set[int] | None:
    """The first rows of what decides about a spawned function; None where all of it may. The units that are `marked`
    hold a word: they may guard what is in them."""
    if Evidence.WHOLE_SPAWNED_BODY in kinds or (Evidence.TURNS in kinds and _is_in_loop_of_module(block)):
        return None
    units = block.units_in(definition.rows)
    rows = of_called(block, units, kinds, module.suppressing)
    if any("yield" in line for line in block.lines[definition.first : definition.rows.stop]):
        rows.update(unit.first for unit in units if unit.facts.yields)  # a call of a generator runs nothing
    if Evidence.ENDLESS_LOOPS in kinds:
        for stop in _stops(block, units):
            if stop is None:
                return None
            rows.add(stop)
    if Evidence.ESCAPES in kinds:
        unguarded = first_unguarded(block, definition, marked, module.unclear)
        if unguarded is None:
            return None
        rows.add(unguarded)
    return rows


def _is_in_loop_of_module(block: Block) -> bool:
    """Whether a function is defined anew by each turn of a loop outside functions."""
    return any(isinstance(owner.head, _LOOPS) for owner in block.owners)


def of_called(block: Block, units: Sequence[Unit], kinds: Set[Evidence], suppressing: Container[str]) -> set[int]:
    """The first rows of what decides about a function that a spawned one calls; `suppressing` are the names of
    `suppress`."""
    rows: set[int] = set()
    if Evidence.HANDLERS in kinds:
        rows.update(_hiding(units, suppressing))
    if Evidence.FINALLY in kinds:
        rows.update(_leaving(block, units))
    return rows


def _hiding(units: Iterable[Unit], suppressing: Container[str]) -> Iterator[int]:
    """The rows in which an error may be hidden: of each `try` of which a handler may do nothing, and of what stands
    under a `suppress`; what else there is in its block; and those that set a variable first that is set there."""
    units = tuple(units)
    for unit in units:
        node = unit.head
        if isinstance(node, TRIES):
            is_hiding = any(all(map(_is_idle, handler.body)) for handler in node.handlers)  # type: ignore[attr-defined]
        else:
            is_hiding = isinstance(node, _WITHS) and any(_suppressed(node, suppressing))
        if is_hiding:
            yield from range(unit.first, node.end_lineno)  # type: ignore[union-attr]
            yield from _beside(units, unit)
            targets = {target.id for target in _targets(node.body)}  # type: ignore[union-attr]
            yield from (other.first for other in units if targets and not targets.isdisjoint(other.facts.binds))


def _beside(units: Iterable[Unit], unit: Unit) -> Iterator[int]:
    """The rows of the loop that a unit stands in directly; else the first ones of what follows it."""
    above, around = unit.above, [*unit.around()]
    if above is not None and isinstance(above.head, (ast.While, ast.AsyncFor)):
        yield from range(above.first, above.head.end_lineno or above.end)
    else:
        yield from (other.first for other in units if other.first > unit.first and other.above in around)


def _targets(body: Iterable[ast.stmt]) -> Iterator[ast.Name]:
    """The variables that the assignments of a body set."""
    for statement in body:
        if isinstance(statement, ast.Assign):
            nodes = (node for target in statement.targets for node in within(target))
            yield from (node for node in nodes if isinstance(node, ast.Name))
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.NamedExpr):
            yield statement.value.target


def may_not_end(block: Block, definition: Unit) -> bool:
    """Whether a loop in a function may never be left."""
    return None in _stops(block, block.units_in(definition.rows))


def of_async(block: Block, caught: Set[str], kinds: Set[Evidence], suppressing: Container[str]) -> set[int]:
    """The first rows of what decides about the async functions in a block: about their handlers that name one of
    `caught`, where a cancellation can arrive; and about what leaves their `finally` clauses."""
    rows: set[int] = set()
    for unit in block.units:
        if not isinstance(unit.head, (*TRIES, *_WITHS)) or not _is_in_async(unit):
            continue
        if Evidence.FINALLY in kinds:
            rows.update(_leaving(block, (unit,)))
        if caught and _may_swallow(unit.head, caught, suppressing):
            definition = next(above for above in unit.around() if above.is_definition)
            rows.update(inner.first for inner in block.units_in(definition.rows))
    return rows


def _leaving(block: Block, units: Iterable[Unit]) -> Iterator[int]:
    """The rows of what may leave a `finally`, and of the handlers that an error comes to before."""
    for unit in units:
        leaving = [node for node in own(getattr(unit.head, "finalbody", ())) if isinstance(node, _LEAVES)]
        for node in leaving:
            yield from (at.first for at in block.units_at(node.lineno - 1))
        for handler in unit.head.handlers if leaving else ():  # type: ignore[union-attr]
            yield from range(handler.lineno - 1, handler.end_lineno)


def _is_idle(statement: ast.stmt) -> bool:
    """Whether a statement may do nothing with an error."""
    if isinstance(statement, _IDLE):
        return True
    value = statement.value if isinstance(statement, ast.Expr) else None
    if isinstance(value, ast.Await):
        value = value.value
    if isinstance(value, ast.Call):
        return last_name(value.func).lstrip(".").endswith(_IDLE_CALLS)
    return isinstance(value, (ast.Constant, ast.Name, ast.UnaryOp, ast.Tuple, ast.List, ast.Dict))


def _suppressed(node: ast.With | ast.AsyncWith, suppressing: Container[str]) -> Iterator[ast.Call]:
    """The calls of a `with` that suppress something."""
    for item in node.items:
        call = item.context_expr
        if isinstance(call, ast.Call) and last_name(call.func).lstrip(".") in suppressing:
            yield call


def _stops(block: Block, units: Sequence[Unit]) -> Iterator[int | None]:
    """For each endless loop the row of what leaves it or waits; None where there may be nothing of that."""
    for unit in units:
        if _is_endless(unit.head):
            inside = block.units_in(range(unit.first, unit.head.end_lineno))  # type: ignore[union-attr]
            yield next((inner.first for inner in inside if _is_run_by(inner, unit) and _may_stop(inner)), None)


def _is_run_by(unit: Unit, loop: Unit) -> bool:
    """Whether a unit runs in each turn of a loop, not in a definition there."""
    above = next((above for above in unit.around() if above is loop or above.is_definition), None)
    return above is loop and not unit.is_definition


def _may_stop(unit: Unit) -> bool:
    return unit.is_a(*_STOPS) or unit.facts.yields or unit.facts.awaits


def _is_endless(node: ast.AST | None) -> bool:
    if isinstance(node, ast.While):
        return isinstance(node.test, ast.Constant) and bool(node.test.value)
    return (
        isinstance(node, ast.For)
        and isinstance(node.iter, ast.Call)
        and last_name(node.iter.func).lstrip(".") == "count"
    )


def _is_in_async(unit: Unit) -> bool:
    definition = next((above for above in unit.around() if above.is_definition), None)
    return definition is not None and isinstance(definition.head, ast.AsyncFunctionDef)


def _may_swallow(node: Any, caught: Set[str], suppressing: Container[str]) -> bool:
    """Whether a `try` has a handler for one of `caught` that may end without `raise`, or a `with` suppresses one; and
    code that awaits is in it."""
    if isinstance(node, _WITHS):
        may = any(_names_any(call.args, caught) for call in _suppressed(node, suppressing))
    else:
        may = any(
            (not handler.type or _names_any((handler.type,), caught)) and not _raises_again(handler.body)
            for handler in node.handlers
        )
    return may and any(map(_is_awaiting, own(node.body)))


def _names_any(nodes: Iterable[ast.AST], caught: Set[str]) -> bool:
    return any(True for _ in words_in(nodes, caught))


def _raises_again(body: Sequence[ast.stmt]) -> bool:
    last = body[-1]
    return (
        isinstance(last, ast.Raise) and last.exc is None and not any(isinstance(node, _GOES_ON) for node in own(body))
    )


def _is_awaiting(node: ast.AST) -> bool:
    return isinstance(node, _AWAITS) or (isinstance(node, ast.comprehension) and bool(node.is_async))
