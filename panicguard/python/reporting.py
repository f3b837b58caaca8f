"""Whether a handler tells somebody of the error that it has caught, before it ends or raises it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python import apis, harmless
from panicguard.python.blocks import statements
from panicguard.python.called import called_name
from panicguard.python.cst import cst
from panicguard.python.handlers import caught_types
from panicguard.python.nodes import children

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler

_REPORTS = harmless.LOGGING | frozenset(("print_exc", "print_exception", "capture_exception", "excepthook"))
STOPPING = frozenset((*apis.CANCELLED, "SystemExit", "KeyboardInterrupt", "GeneratorExit"))
"""The errors that say to stop: no failure gets lost with them."""


def keeps(module: PythonFile, handler: Handler) -> bool:
    """Whether a handler lets nothing out, unless it has reported it, or it is a request to stop."""
    types = caught_types(handler)
    if types and all(module.names.qualified(kind) in STOPPING for kind in types):
        return True
    return reports(module, handler) or not any(isinstance(node, cst.Raise) for node in module.tree.own(handler))


def reports(module: PythonFile, handler: Handler) -> bool:
    """Whether a handler logs, or gives the error to something."""
    name = handler.name.name.value if handler.name is not None and isinstance(handler.name.name, cst.Name) else None
    return any(_is_reported(module, statement, name) for statement in statements(handler.body))


def _is_reported(module: PythonFile, node: CSTNode, name: str | None) -> bool:
    """Whether something under a node logs, or uses the error of this name other than to raise it."""
    match node:
        case cst.Raise():
            return False
        case cst.Call(func=func) if called_name(module, func) in _REPORTS:
            return True
        case cst.Name(value=value):
            return value == name
    return any(_is_reported(module, child, name) for child in children(node))
