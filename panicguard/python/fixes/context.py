"""The runtime's Context that a spawn passes to its target as the first argument: SafeGoWithContextAndComponent does
that by itself."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit
from panicguard.python.cst import cst
from panicguard.python.fixes.rewrite import insert

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_CONTEXT = "mruntime.Context"
_MAKERS = frozenset(
    f"mruntime.{name}"
    for name in (
        *("background", "todo", "root", "current_context", "without_cancel", "with_value"),
        *("with_cancel", "with_deadline", "with_timeout"),
    )
)
"""What returns a Context, or a pair of one and what cancels it."""


def taken_from_args(module: PythonFile, spawn: Spawn) -> tuple[str, list[Edit]] | None:
    """The Context that stands first in the `args=` tuple of a thread, as it is written, and the edits that remove it
    from there; None if there is no such Context."""
    before, args = next(
        (pair for pair in itertools.pairwise(spawn.call.args) if pair[1].keyword and pair[1].keyword.value == "args"),
        (None, None),
    )
    if before is None or args is None or not isinstance(args.value, cst.Tuple) or not args.value.elements:
        return None
    elements = args.value.elements
    if not is_handed_on(module, spawn, elements[0].value):
        return None
    context = module.text(elements[0].value)
    if len(elements) == 1:
        return context, [Edit(module.span(before)[1], module.span(args)[1], "")]
    edits = [Edit(module.span(elements[0])[0], module.span(elements[1])[0], "")]
    if len(elements) == 2 and not isinstance(module.tree.written(elements[1]).comma, cst.Comma):
        edits.append(insert(module.span(elements[1])[1], ","))
    return context, edits


def is_handed_on(module: PythonFile, spawn: Spawn, argument: CSTNode) -> bool:
    """Whether the first argument for the target is a Context that it accepts: its first parameter is annotated as one;
    or is called `ctx`, and the argument is known to be one."""
    function, target = spawn.definition, spawn.target
    if not (
        isinstance(function, cst.FunctionDef)
        and isinstance(target, (cst.Name, cst.Attribute))
        and isinstance(argument, (cst.Name, cst.Attribute))
    ):
        return False
    params = [*function.params.posonly_params, *function.params.params]
    if module.names.method_class(function) is not None:
        params = params[1:]
    if not params or module.names.type_of(argument) not in (None, _CONTEXT):
        return False
    annotation = params[0].annotation
    if annotation is not None:
        return module.names.annotation(annotation.annotation, module.names.scope(function)) == _CONTEXT
    return params[0].name.value == "ctx" and _is_context(module, argument)


def _is_context(module: PythonFile, node: CSTNode) -> bool:
    """Whether an expression is certainly a Context: by its annotation, or by the call of the runtime that gave it."""
    if module.names.type_of(node) == _CONTEXT:
        return True
    _, bindings = (
        module.names.lookup(node.value, module.names.scope(node)) if isinstance(node, cst.Name) else (None, [])
    )
    values = (getattr(binding.node, "item", getattr(binding.node, "value", None)) for binding in bindings)
    return bool(bindings) and all(
        isinstance(value, cst.Call) and module.names.qualified(value.func) in _MAKERS for value in values
    )
