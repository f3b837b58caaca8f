"""What a whole text says of its awaits: whether a cancellation of a task may come out where nothing handles it.

A rule sees a slice of a module, in which statements may be missing; here all of them count.
"""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING

from panicguard.python.apis import CANCELLED
from panicguard.python.plain import plain
from panicguard.python.slice.facts import children, last_name
from panicguard.python.slice.parse import parsed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_CANCEL = re.compile(r"\.\s*cancel\b")
_TAKING = frozenset((*(name.rpartition(".")[2] for name in CANCELLED), "BaseException"))
_PASSING = frozenset(("gather", "shield", "wait_for"))
"""What raises the cancellation of a task that it waits for."""
_READING = frozenset(("result", "exception"))
"""Methods of a task that raise its cancellation."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_WITHS = (ast.With, ast.AsyncWith)


@functools.lru_cache(maxsize=4)
def cancels_and_waits(text: str) -> bool:
    """Whether a module may cancel something and somewhere waits for a task, or reads its result, where nothing handles
    a cancellation; yes, if its text cannot be parsed."""
    if not _CANCEL.search(text):
        return False
    tree = parsed(plain(text))
    return tree is None or any(_is_waiting(node) for node in _unhandled(tree))


def _waits_for_handle(node: ast.AST) -> bool:
    """Whether an awaited expression is something that was started before, and that may have been cancelled."""
    if isinstance(node, ast.Call):
        name = last_name(node.func).lstrip(".")
        return name in _PASSING and not _returns_errors(node) and any(map(_waits_for_handle, node.args))
    return True


def _returns_errors(call: ast.Call) -> bool:
    return any(word.arg == "return_exceptions" and getattr(word.value, "value", None) is True for word in call.keywords)


def _is_waiting(node: ast.AST) -> bool:
    if isinstance(node, ast.Await):
        return _waits_for_handle(node.value)
    return isinstance(node, ast.Call) and not node.args and last_name(node.func).lstrip(".") in _READING


def _unhandled(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes that stand in no statement that handles a cancellation."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, _WITHS) and any(_suppresses(item.context_expr) for item in node.items):
            stack += _functions_in(node.body)
        elif handlers := getattr(node, "handlers", None):
            handled = any(map(_handles, handlers))
            rest = (*handlers, *node.orelse, *node.finalbody)  # type: ignore[attr-defined]
            body = node.body  # type: ignore[attr-defined]
            stack += (*(_functions_in(body) if handled else body), *rest)
        else:
            stack += children(node)


def _functions_in(body: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """The functions in statements: what is around them does not handle what they raise."""
    return (node for statement in body for node in ast.walk(statement) if isinstance(node, _FUNCTIONS))


def _suppresses(context: ast.AST) -> bool:
    return isinstance(context, ast.Call) and last_name(context.func).lstrip(".") == "suppress" and _names_one(context)


def _handles(handler: ast.ExceptHandler) -> bool:
    if any(isinstance(node, ast.Raise) for node in ast.walk(handler)):
        return False
    return handler.type is None or _names_one(handler.type)


def _names_one(node: ast.AST) -> bool:
    """Whether a class that catches cancellations is named in an expression."""
    return any(getattr(inner, "attr", getattr(inner, "id", None)) in _TAKING for inner in ast.walk(node))
