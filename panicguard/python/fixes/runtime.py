"""How the runtime is named where a fix calls it, and the import that this needs: one insertion that every fix of the
module shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.apis import DEFAULT_RUNTIME
from panicguard.python.cst import cst
from panicguard.python.fixes.cells import edits_for_cell
from panicguard.python.fixes.imports import insertion
from panicguard.python.fixes.local_import import insertion_below, is_run_before, origin
from panicguard.python.scopes import BindingKind, is_runtime
from panicguard.python.travel import Travel, travel_of

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.diagnostic import Edit
    from panicguard.python.file import PythonFile


class Reference(NamedTuple):
    """How the runtime is written at a place: `prefix` goes before SafeGo, after `edits` have been made."""

    prefix: str
    edits: tuple[Edit, ...]
    unsafe: bool = False
    """Whether the code may run where the runtime cannot be imported."""


def reference(module: PythonFile, node: CSTNode) -> Reference | None:
    """How a node would name the runtime; None if the name means something else there, or no import can go before the
    code that would use it."""
    runtime = module.settings.runtime_module or DEFAULT_RUNTIME
    package, _, name = runtime.rpartition(".")
    statement = f"from {package} import {name}" if package else f"import {name}"
    if module.names.scopes.apps:
        edits = None if _is_shadowed(module, name, node) else edits_for_cell(module, node, name, statement)
        return None if edits is None else Reference(f"{name}.", edits)
    travel = travel_of(module, node)
    local = _local_reference(module, node, name, statement)
    if local is not None:
        return local._replace(unsafe=travel is not Travel.NONE)
    if travel is Travel.SOURCE or _may_be_sent(module, node):
        return None
    bound = existing(module, before=module.span(node)[0])
    if bound is not None and _means_runtime(module, bound, node):
        return Reference(f"{bound}.", (), unsafe=travel is not Travel.NONE)
    if not _means_runtime(module, name, node):
        return None
    edit = module.imports.get(statement)
    if edit is None:
        edit = module.imports[statement] = insertion(module.source, statement)
    is_above = edit.start <= module.span(node)[0]
    return Reference(f"{name}.", (edit,), unsafe=travel is not Travel.NONE) if is_above else None


def _local_reference(module: PythonFile, node: CSTNode, name: str, statement: str) -> Reference | None:
    """The runtime as a function names it that imports what it spawns with by itself: it may run without its module. One
    that nothing decorates uses the import of the module, if there is one."""
    bound = _bound_in_function(module, node)
    if bound is not None:
        return Reference(f"{bound}.", ())
    found = origin(module, node)
    if found is None or not isinstance(found.scope, cst.FunctionDef) or not is_run_before(module, *found[1:], node):
        return None
    shared = existing(module, before=module.span(node)[0])
    if not _means_runtime(module, name, node) or (shared is not None and not _is_decorated(module, node)):
        return None
    edit = insertion_below(module.source, module.source.location(module.span(found.statement)[0])[0], statement)
    return None if edit is None else Reference(f"{name}.", (edit,))


def _may_be_sent(module: PythonFile, node: CSTNode) -> bool:
    """Whether a decorated function imports what it spawns with by itself: a decorator may send it elsewhere."""
    found = origin(module, node)
    return found is not None and isinstance(found.scope, cst.FunctionDef) and _is_decorated(module, node)


def _is_decorated(module: PythonFile, node: CSTNode) -> bool:
    return any(isinstance(above, cst.FunctionDef) and above.decorators for above, _ in module.tree.frames(node))


def _bound_in_function(module: PythonFile, node: CSTNode) -> str | None:
    """The name by which a function around a node imports the runtime, if that has run."""
    for scope, _ in module.tree.frames(node):
        if isinstance(scope, cst.FunctionDef):
            for name, bindings in module.names.scopes.runtimes.get(scope, {}).items():
                if all(is_runtime(b) and is_run_before(module, b.node, node) for b in bindings):
                    return name if module.names.lookup(name, module.names.scope(node))[0] is scope else None
    return None


def existing(module: PythonFile, before: int | None = None) -> str | None:
    """The name under which a plain import at the top level, and before an offset, already binds the runtime."""
    tree = module.tree
    for name, bindings in module.names.scopes.runtimes.get(tree.root, {}).items():
        for binding in bindings:
            if (
                is_runtime(binding)
                and isinstance(tree.parents[tree.parents[binding.node]], cst.Module)
                and (before is None or module.span(binding.node)[0] < before)
            ):
                return name
    return None


def _means_runtime(module: PythonFile, name: str, node: CSTNode) -> bool:
    """Whether a name is free at a place, or bound to the runtime at the module level."""
    scope, bindings = module.names.lookup(name, module.names.scope(node))
    if scope is None:
        return True
    runtime = module.settings.runtime_module or DEFAULT_RUNTIME
    return scope is module.tree.root and all(
        is_runtime(b) or (b.kind is BindingKind.IMPORT and b.value == runtime) for b in bindings
    )


def _is_shadowed(module: PythonFile, name: str, node: CSTNode) -> bool:
    """Whether a function in a cell of a notebook means something else by the name."""
    scope, _ = module.names.lookup(name, module.names.scope(node))
    return not (scope is None or scope is module.tree.root or scope in module.names.scopes.cells)
