"""The fix of a handler that swallows a cancellation: a `raise` at its end, where the program can only gain by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Fix
from panicguard.python.awaits import cancels_and_waits
from panicguard.python.blocks import statements
from panicguard.python.callers import runners
from panicguard.python.cancellation import ends_with, is_cancellation, is_in_loop, waits_for_handle
from panicguard.python.cst import cst
from panicguard.python.handlers import caught_types, is_idle, raise_at_end
from panicguard.settings import is_test

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler

_ASSIGNMENTS = frozenset(("Assign", "AnnAssign", "AugAssign"))


def reraise_fix(module: PythonFile, node: cst.Try | cst.TryStar, handler: Handler) -> Fix | None:
    """The fix of a handler of a `try`; None where it could hurt.

    That is in a test, which may raise the error to end a loop; where the handler takes other errors too, or notes
    something for what runs after it; where more of the function stands behind the `try`, or of its callers behind the
    call; where the error may be that of a task which is awaited; and where the module cancels tasks and awaits some
    with nothing around it that expects the error.
    """
    if _does_nothing_else(node, handler):
        return None
    types = caught_types(handler)
    if not types or not all(is_cancellation(module, t) for t in types) or _notes_something(module, handler):
        return None
    if is_test(module.settings, module.source.path) or waits_for_handle(module, node) or not ends_with(module, node):
        return None
    edit = raise_at_end(module, handler)
    if edit is None or _is_end_of_more(module, node, handler) or cancels_and_waits(module.source.text):
        return None
    return Fix("Raise the cancellation again", (edit,), Applicability.UNSAFE)


def _does_nothing_else(node: cst.Try | cst.TryStar, handler: Handler) -> bool:
    """Whether a `try` would do nothing but raise again what it caught: it is better taken away, by hand."""
    return len(node.handlers) == 1 and node.orelse is None and all(map(is_idle, statements(handler.body)))


def _is_end_of_more(module: PythonFile, node: CSTNode, handler: Handler) -> bool:
    """Whether a function that ends with a `try`, and so far always did, may be meant to: its handler waits until all is
    put away, or it has callers that do something afterwards. A loop would not end without the `raise`."""
    if is_in_loop(module, node):
        return False
    function = module.tree.function(node)
    if not isinstance(function, cst.FunctionDef) or function.decorators:
        return True
    if any(isinstance(inner, cst.Await) for inner in module.tree.own(handler)):
        return True
    return bool(runners(module.source.text, function.name.value))


def _notes_something(module: PythonFile, handler: Handler) -> bool:
    return any(type(node).__name__ in _ASSIGNMENTS for node in module.tree.within(handler.body))
