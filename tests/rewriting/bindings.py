"""Rewritings of how a Python module gives names to values."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from rewriting.edits import Edit, Rewriting, insert
from rewriting.names import Uses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rewriting.module import Module

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef)


def _assigned(module: Module) -> Iterator[tuple[ast.Assign, ast.Name]]:
    """The assignments of one value to one name that have their rows to themselves."""
    for node in module.nodes(ast.Assign):
        assert isinstance(node, ast.Assign)
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Name) and module.margin(node) is not None:
            yield node, target


def _bracketed(module: Module, value: ast.expr, before: str = "", behind: str = "") -> Iterator[Edit]:
    start, end = module.span(value)
    yield insert(start, f"{before}(")
    yield insert(end, f"){behind}")


def first_of_a_tuple(module: Module) -> Iterator[Edit]:
    for node, target in _assigned(module):
        yield insert(module.span(target)[1], ", spare_")
        yield from _bracketed(module, node.value, behind=", None")


def last_of_a_tuple(module: Module) -> Iterator[Edit]:
    for node, target in _assigned(module):
        yield insert(module.span(target)[0], "spare_, ")
        yield from _bracketed(module, node.value, before="None, ")


def in_a_nested_tuple(module: Module) -> Iterator[Edit]:
    for node, target in _assigned(module):
        start, end = module.span(target)
        yield insert(start, "spare_, [")
        yield insert(end, "]")
        yield from _bracketed(module, node.value, before="None, (", behind=",)")


def first_of_a_chain(module: Module) -> Iterator[Edit]:
    return (insert(module.span(target)[1], " = spare_") for _, target in _assigned(module))


def last_of_a_chain(module: Module) -> Iterator[Edit]:
    return (insert(module.span(target)[0], "spare_ = ") for _, target in _assigned(module))


def by_walrus(module: Module) -> Iterator[Edit]:
    for node, target in _assigned(module):
        start, end = module.span(target)
        equals = module.text.index("=", end)
        yield insert(start, "(")
        yield insert(equals, ":")
        yield from _bracketed(module, node.value)
        yield insert(module.span(node)[1], ")")


def by_another_name(module: Module) -> Iterator[Edit]:
    for number, (node, target) in enumerate(_assigned(module)):
        yield Edit(*module.span(target), f"made_{number}")
        yield insert(module.span(node)[1], f"; {target.id} = made_{number}")


def by_another_name_in_a_row_of_its_own(module: Module) -> Iterator[Edit]:
    for number, (node, target) in enumerate(_assigned(module)):
        yield Edit(*module.span(target), f"made_{number}")
        at = module.row_end(module.span(node)[1])
        yield insert(at, f"\n{module.margin(node)}{target.id} = made_{number}")


def joined(module: Module) -> Iterator[Edit]:
    """`a, b = x, y` for two assignments in a row, of which the second does not ask for the first."""
    done: set[ast.stmt] = set()
    for body in module.bodies():
        for a, b in itertools.pairwise(body):
            pair = [(node, target) for node, target in _pairable(module, a, b)]
            if len(pair) < 2 or a in done or isinstance(b, ast.AnnAssign):
                continue
            (first, name), (second, other) = pair
            reads = {node.id for node in ast.walk(second.value) if isinstance(node, ast.Name)}
            if name.id in reads or name.id == other.id or (_runs_code(first.value) and _runs_code(second.value)):
                continue
            done.add(b)
            yield insert(module.span(name)[1], f", {other.id}")
            yield from _bracketed(module, first.value)
            yield Edit(module.span(first)[1], module.span(second.value)[0], ", (")
            yield insert(module.span(second.value)[1], ")")


def _pairable(module: Module, *nodes: ast.stmt) -> Iterator[tuple[ast.Assign, ast.Name]]:
    assigned = dict(_assigned(module))
    end = module.span(nodes[0])[1]
    if not module.text[end : module.span(nodes[1])[0]].strip():
        for node in nodes:
            if isinstance(node, ast.Assign) and node in assigned and module.span(node)[1] == module.span(node.value)[1]:
                yield node, assigned[node]


def _runs_code(value: ast.expr) -> bool:
    return any(isinstance(node, (ast.Call, ast.Await, ast.Yield, ast.YieldFrom)) for node in ast.walk(value))


def split(module: Module) -> Iterator[Edit]:
    """`a = x; b = y` for `a, b = x, y`, where no value asks for one of the names."""
    for node in module.nodes(ast.Assign):
        assert isinstance(node, ast.Assign)
        targets, values = node.targets[0], node.value
        if not (len(node.targets) == 1 and isinstance(targets, ast.Tuple) and isinstance(values, ast.Tuple)):
            continue
        names = {target.id for target in targets.elts if isinstance(target, ast.Name)}
        read = {name.id for name in ast.walk(values) if isinstance(name, ast.Name)}
        start = module.span(values)[0]
        if (
            len(names) == len(targets.elts) == len(values.elts) > 1
            and not names & read
            and module.text[start] != "("
            and not any(isinstance(value, ast.Starred) for value in values.elts)
            and module.margin(node) is not None
        ):
            yield Edit(module.span(node)[0], start, f"{targets.elts[0].id} = ")  # type: ignore[attr-defined]
            for (a, b), target in zip(itertools.pairwise(values.elts), targets.elts[1:], strict=True):
                low, high = module.span(a)[1], module.span(b)[0]
                if module.text[low:high].strip() == ",":
                    yield Edit(low, high, f"; {target.id} = ")  # type: ignore[attr-defined]


def declared_global(module: Module) -> Iterator[Edit]:
    """`global` for the names of the module that each function reads."""
    uses = Uses(module)
    nested = {
        inner for outer in module.nodes(*_SCOPES, ast.ClassDef) for inner in ast.walk(outer) if inner is not outer
    }
    for function in module.nodes(*_SCOPES):
        if function in nested:
            continue
        read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
        names = sorted(name for name in read if uses.is_only_global(name))
        first = function.body[0]  # type: ignore[attr-defined]
        if names and (margin := module.margin(first)) is not None and not isinstance(first, (*_SCOPES, ast.ClassDef)):
            yield insert(module.span(first)[0], f"global {', '.join(names)}\n{margin}")


def set_by_a_function(module: Module) -> Iterator[Edit]:
    """What the module assigns in a function that declares the name `global`, and that is called at once."""
    top = set(module.tree.body)
    for number, (node, target) in enumerate(_assigned(module)):
        if node in top and module.span(node)[0] != 0:
            start, end = module.span(node)
            yield insert(start, f"def set_{number}():\n    global {target.id}\n    ")
            yield insert(module.row_end(end), f"\nset_{number}()")


_ALL: tuple[Callable[[Module], Iterator[Edit]], ...] = (
    first_of_a_tuple,
    last_of_a_tuple,
    in_a_nested_tuple,
    first_of_a_chain,
    last_of_a_chain,
    by_walrus,
    by_another_name,
    by_another_name_in_a_row_of_its_own,
    joined,
    split,
    declared_global,
    set_by_a_function,
)
BINDINGS = tuple(Rewriting(f"bound_{function.__name__}", function, same_tree=False) for function in _ALL)
