"""How the runtime is named where a fix calls it, and the import that this needs: one insertion that every fix of the
module shares."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.apis import DEFAULT_RUNTIME
from panicguard.python.cst import cst
from panicguard.python.fixes.imports import insertion
from panicguard.python.scopes import BindingKind

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.diagnostic import Edit
    from panicguard.python.file import PythonFile


class Reference(NamedTuple):
    """How the runtime is written at a place: `prefix` goes before SafeGo, after `edits` have been made."""

    prefix: str
    edits: tuple[Edit, ...]


def reference(module: PythonFile, node: CSTNode) -> Reference | None:
    """How a node would name the runtime; None if the name means something else there, or no import can go before the
    code that would use it."""
    runtime = module.settings.runtime_module or DEFAULT_RUNTIME
    bound = existing(module, before=module.span(node)[0])
    if bound is not None and _means_runtime(module, bound, node):
        return Reference(f"{bound}.", ())
    package, _, name = runtime.rpartition(".")
    if not _means_runtime(module, name, node):
        return None
    statement = f"from {package} import {name}" if package else f"import {name}"
    edit = insertion(module.source, statement, module.span(node)[0])
    return None if edit is None else Reference(f"{name}.", (edit,))


def existing(module: PythonFile, before: int | None = None) -> str | None:
    """The name under which a plain import at the top level, and before an offset, already binds the runtime."""
    tree = module.tree
    for name, bindings in module.names.bindings[tree.root].items():
        for binding in bindings:
            if (
                binding.kind is BindingKind.IMPORT
                and _is_runtime(str(binding.value))
                and isinstance(tree.parents[tree.parents[binding.node]], cst.Module)
                and (before is None or module.span(binding.node)[0] < before)
            ):
                return name
    return None


def _is_runtime(qualified: str) -> bool:
    return qualified == "mruntime" or qualified.endswith(".mruntime")


def _means_runtime(module: PythonFile, name: str, node: CSTNode) -> bool:
    """Whether a name is free at a place, or bound to the runtime at the module level."""
    scope, bindings = module.names.lookup(name, module.names.scope(node))
    if scope is None:
        return True
    runtime = module.settings.runtime_module or DEFAULT_RUNTIME
    return scope is module.tree.root and all(
        b.kind is BindingKind.IMPORT and (_is_runtime(str(b.value)) or b.value == runtime) for b in bindings
    )
