"""Whether a value is a task or a future already: then `ensure_future` returns it, and starts nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.cst import cst
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.names import Names
    from panicguard.python.scopes import Binding

_CLASSES = frozenset(("asyncio.Task", "asyncio.Future", "asyncio.futures.Future"))
_MAKERS = _CLASSES | frozenset(
    (
        *("asyncio.create_task", "asyncio.ensure_future", "asyncio.gather", "asyncio.shield", "asyncio.wrap_future"),
        *(f"{apis.LOOP}.{method}" for method in ("create_task", "create_future", "run_in_executor")),
        f"{apis.GROUP}.create_task",
    )
)
_CALLED_ONE = re.compile(r"(?:^|_)(?:task|fut|future|waiter)\d*$")


def is_ready(names: Names, node: CSTNode) -> bool:
    """Whether an expression is a task or a future: by its type or what made it, or else by what it is called, unless it
    holds the coroutine of a function of this module."""
    values = list(_values(names, node))
    if names.type_of(node) in _CLASSES or any(_is_made(names, value) for value in values):
        return True
    is_called_one = isinstance(node, (cst.Name, cst.Attribute)) and _CALLED_ONE.search(last_name(node)) is not None
    return is_called_one and not any(_is_coroutine(names, value) for value in values)


def _values(names: Names, node: CSTNode) -> Iterator[CSTNode]:
    """An expression, and what it may hold, directly or by way of other variables."""
    pending, seen = [node], {node}
    while pending:
        node = pending.pop()
        yield node
        values = {binding.value for binding in _bindings(names, node) if isinstance(binding.value, cst.CSTNode)}
        pending += values - seen
        seen |= values


def _bindings(names: Names, node: CSTNode) -> Iterator[Binding]:
    match node:
        case cst.Name(value=name):
            yield from names.lookup(name, names.scope(node))[1]
        case cst.Attribute(value=value, attr=cst.Name(value=attr)) if isinstance(
            owner := names.type_of(value), cst.ClassDef
        ):
            yield from names.attribute_bindings(owner, attr)


def _is_made(names: Names, value: CSTNode) -> bool:
    return isinstance(value, cst.Call) and names.qualified(value.func) in _MAKERS


def _is_coroutine(names: Names, value: CSTNode) -> bool:
    function = names.definition(value.func) if isinstance(value, cst.Call) else None
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None
