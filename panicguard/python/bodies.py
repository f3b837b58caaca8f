"""What functions and handlers say of errors, in Python's own tree."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from panicguard.python.harmless import LOGGING
from panicguard.python.slice.facts import last_name, own, within
from panicguard.python.slice.layout import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

EVERYTHING = frozenset(("Exception", "BaseException"))
STOPPING = frozenset(("CancelledError", "KeyboardInterrupt", "GeneratorExit", "SystemExit"))


def functions_in(root: ast.AST, name: str) -> Iterator[Any]:
    """The functions of a name in a tree, itself too."""
    return (node for node in within(root) if isinstance(node, FUNCTIONS) and node.name == name)


def is_declared(function: Any) -> bool:
    """Whether a function says no more than that it is there."""
    return all(
        isinstance(statement, (ast.Pass, ast.Raise))
        or (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        for statement in function.body
    )


def error_name(node: ast.expr) -> str:
    """The last name of a class of errors, or of that of an error that is made."""
    return last_name(node.func if isinstance(node, ast.Call) else node).lstrip(".")


def classes(kind: ast.expr | None) -> Sequence[ast.expr | None]:
    """The classes that a handler names; None stands for a bare one's."""
    return kind.elts if isinstance(kind, ast.Tuple) else (kind,)


def catches(kind: ast.expr | None, is_meant: Callable[[str], bool] = EVERYTHING.__contains__) -> bool:
    """Whether one of the classes that a handler names is meant; a bare one names all."""
    return any(one is None or is_meant(error_name(one)) for one in classes(kind))


def reports(handler: ast.ExceptHandler) -> bool:
    """Whether a handler logs, or gives the error to something, before it raises."""
    nodes = [node for statement in handler.body if not isinstance(statement, ast.Raise) for node in own((statement,))]
    return any(
        (isinstance(node, ast.Call) and last_name(node.func).lstrip(".") in LOGGING)
        or (isinstance(node, ast.Name) and node.id == handler.name)
        for node in nodes
    )
