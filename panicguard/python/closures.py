"""Closures: which are spawned, and what they read from the enclosing functions when they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, Union

from panicguard.python.cst import cst
from panicguard.python.loops import loops
from panicguard.python.scopes import BindingKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.scopes import Binding

Closure: TypeAlias = Union["cst.FunctionDef", "cst.Lambda"]

_DEFINING = (BindingKind.FUNCTION, BindingKind.CLASS, BindingKind.IMPORT)
"""The bindings that give a name the same value on every turn of a loop."""


def spawned_by_decorator(module: PythonFile) -> Iterator[cst.FunctionDef]:
    """The functions under a decorator of this module that spawns what it decorates."""
    spawners = _spawners(module)
    for function in module.tree.all(cst.FunctionDef):
        if any(module.names.definition(decorator.decorator) in spawners for decorator in function.decorators):
            yield function


def _spawners(module: PythonFile) -> set[CSTNode]:
    """The functions of this module that spawn their first parameter."""
    spawners: set[CSTNode] = set()
    for spawn in module.spawns:
        function = module.tree.function(spawn.call)
        if (
            isinstance(function, cst.FunctionDef)
            and function.params.params
            and isinstance(spawn.target, cst.Name)
            and spawn.target.value == function.params.params[0].name.value
        ):
            spawners.add(function)
    return spawners


def read_later(module: PythonFile, closure: Closure, site: CSTNode) -> list[str]:
    """The names that a closure reads when it runs and that a loop around its spawn, at `site`, rebinds on every turn:
    each once, in the order of the text."""
    around = frozenset(loops(module, site))
    if around.isdisjoint(above for above, _ in module.tree.frames(closure)):
        return []
    seen_from = {module.names.scope(closure), *around}  # comprehensions are scopes
    names: dict[str, None] = {}
    for node in module.tree.within(closure.body):
        if not isinstance(node, cst.Name) or not module.flow.is_read(node):
            continue
        scope, bindings = module.names.lookup(node.value, module.names.scope(node))
        is_outer = scope in seen_from and closure not in _with_frames(module, scope)
        if is_outer and not any(b.kind in _DEFINING for b in bindings) and _is_bound_in(module, around, bindings):
            names[node.value] = None
    return list(names)


def _is_bound_in(module: PythonFile, around: frozenset[CSTNode], bindings: list[Binding]) -> bool:
    """Whether one of these loops, or a statement in it, binds a name."""
    return any(not around.isdisjoint(_with_frames(module, b.node)) for b in bindings)


def _with_frames(module: PythonFile, node: CSTNode) -> Iterator[CSTNode]:
    yield node
    yield from (above for above, _ in module.tree.frames(node))
