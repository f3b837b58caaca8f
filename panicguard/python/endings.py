"""What only ends something, or waits for its own end: by its name (`aclose()`, `_stop_all`), or by what it awaits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python.blocks import statements
from panicguard.python.cst import cst
from panicguard.python.naming import is_end, is_ending
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Container

    from libcst import CSTNode

    from panicguard.python.file import PythonFile

_WAITS_FOR_ALL = frozenset(("gather", "wait", "shield", "wait_for"))
"""Functions that wait for all that they are given."""
_ENDLESS = frozenset(("sleep_forever", "wait_forever", "create_future", "Future"))
"""Functions of which the result never comes by itself."""
_HANDLES = re.compile(r"task|fut|job|handle|runner", re.IGNORECASE)
"""What the names of parameters have in them that are handles, not coroutines."""


def only_ends(awaited: CSTNode, coroutines: Container[str] = ()) -> bool:
    """Whether what is awaited is a handle, not one of the coroutines, or a call that only ends something."""
    if isinstance(awaited, (cst.ListComp, cst.GeneratorExp)):
        return only_ends(awaited.elt, coroutines)
    if not isinstance(awaited, cst.Call):
        return not isinstance(awaited, cst.Name) or awaited.value not in coroutines
    name = last_name(awaited.func)
    if name in _WAITS_FOR_ALL and awaited.args:
        handles = (arg.value for arg in awaited.args[: 1 if name == "wait_for" else None] if not arg.keyword)
        return all(only_ends(handle, coroutines) for handle in handles)
    if is_ending(name) or any(is_ending(last_name(arg.value)) for arg in awaited.args[:1]):
        return True
    return isinstance(awaited.func, cst.Attribute) and is_ending(last_name(awaited.func.value))


def waits_to_end(module: PythonFile, function: cst.FunctionDef, block: CSTNode) -> bool:
    """Whether the body of a statement waits for a handle, of which the cancellation may be; for ends alone; or for
    nothing but to be cancelled. The same where the statement stands in what only ends something: a `finally`, or a
    function that is called so."""
    if is_end(function.name.value) or any(isinstance(above, cst.Finally) for above, _ in module.tree.around(block)):
        return True
    own = list(module.tree.own(block))
    awaited = [node.expression for node in own if isinstance(node, cst.Await)]
    given = {p.name.value for p in function.params.params if _HANDLES.search(p.name.value) is None}
    if any(not isinstance(value, cst.Call) and only_ends(value, given) for value in awaited):
        return True
    if any(isinstance(node, (cst.For, cst.With)) and node.asynchronous is not None for node in own):
        return False
    return _waits_forever(block) or all(only_ends(value, given) for value in awaited)


def _waits_forever(block: CSTNode) -> bool:
    """Whether the body of a statement only waits for what never comes."""
    match list(statements(block.body)):  # type: ignore[attr-defined]
        case [cst.While(body=body)]:
            turn = [_awaited_call(statement) for statement in statements(body)]
            return len(turn) == 1 and turn[0] is not None and last_name(turn[0].func) == "sleep"
        case [statement] if (call := _awaited_call(statement)) is not None:
            if last_name(call.func) in _ENDLESS:
                return True
            made = call.func.value if isinstance(call.func, cst.Attribute) else None
            return last_name(call.func) == "wait" and isinstance(made, cst.Call) and last_name(made.func) == "Event"
    return False


def only_sleeps(block: CSTNode) -> bool:
    """Whether the body of a statement does nothing but sleep for a time."""
    calls = [_awaited_call(statement) for statement in statements(block.body)]  # type: ignore[attr-defined]
    return len(calls) == 1 and calls[0] is not None and last_name(calls[0].func) == "sleep"


def _awaited_call(statement: CSTNode) -> cst.Call | None:
    value = statement.value if isinstance(statement, cst.Expr) else None
    call = value.expression if isinstance(value, cst.Await) else None
    return call if isinstance(call, cst.Call) else None
