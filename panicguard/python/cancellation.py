"""Cancellations in async code: where one can arrive, what shields from it, who asked for it, and who learns of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.blocks import statements
from panicguard.python.cst import cst
from panicguard.python.errors import gives_cancelled_class
from panicguard.python.handlers import caught_types, is_on_the_way_out
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeGuard

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler

_TAKING = frozenset((*apis.CANCELLED, "BaseException"))
"""The classes that catch a cancellation; Exception does not."""
_LIBRARIES = frozenset(("asyncio", "anyio", "trio"))
_SHIELDING = frozenset(f"{module}.{name}" for module in ("anyio", "trio") for name in ("CancelScope", "move_on_after"))
_ASKING_WHO = frozenset(("cancelling", "uncancel"))
_ASKING = _ASKING_WHO | {"cancelled"}
_DELIVERING = frozenset("append add put put_nowait set_exception throw".split())
"""Methods that pass an error on to somebody who picks it up later."""
_WRAPPING = re.compile(r"_*[A-Z]|cast$|_*(?:dump|serialize|pickle|wrap)")
"""The names of what an error can be got back from: classes, and functions that write objects down."""
_TEXTS = frozenset(("str", "repr", "format"))
"""What turns an error into text."""
_WAITING = frozenset(("gather", "shield", "wait", "wait_for"))
"""Functions that wait for their arguments."""
_MAIN = ("main", "amain", "async_main")


def own_context(function: CSTNode) -> str | None:
    """The name of the parameter by which a function learns that it should end; None if it has no such parameter."""
    params = getattr(function, "params", None)
    names = [p.name.value for p in params.params] if params is not None else []
    return "ctx" if "ctx" in names else None


def is_async(function: CSTNode | None) -> TypeGuard[cst.FunctionDef]:
    """Whether a function is an `async def`: a cancellation can arrive wherever it awaits."""
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None


def can_arrive(module: PythonFile, block: CSTNode) -> bool:
    """Whether a cancellation can arrive in the body of a statement: something in it is awaited."""
    return any(
        isinstance(node, cst.Await)
        or (isinstance(node, (cst.For, cst.With, cst.CompFor)) and node.asynchronous is not None)
        for node in module.tree.own(block)
    )


def is_cancellation(module: PythonFile, expression: CSTNode) -> bool:
    """Whether an expression is a class of cancellations, which catches no other error."""
    return module.names.qualified(expression) in apis.CANCELLED


def takes_cancellation(module: PythonFile, expression: CSTNode) -> bool:
    """Whether an expression is a class that catches cancellations, alone or with other errors."""
    return module.names.qualified(expression) in _TAKING


def catches_cancellation(module: PythonFile, handler: Handler) -> bool:
    """Whether a handler catches the cancellation of the task."""
    named = [t.func if isinstance(t, cst.Call) else t for t in caught_types(handler)]
    return not named or any(takes_cancellation(module, t) or gives_cancelled_class(module, t) for t in named)


def taking_cancellations(module: PythonFile, node: cst.Try | cst.TryStar) -> Iterator[Handler]:
    """The handlers of a `try` that cancellations come to: the first one that catches any, and those that name the class
    of another library."""
    libraries: set[str] = set()
    for handler in (h for h in node.handlers if catches_cancellation(module, h)):
        named = [t.func if isinstance(t, cst.Call) else t for t in caught_types(handler)]
        new = {(module.names.qualified(t) or "").partition(".")[0] for t in named}
        if not libraries or (new and new <= _LIBRARIES - libraries):
            yield handler
        libraries |= new or {""}


def is_expected(module: PythonFile, function: cst.FunctionDef, node: cst.Try | cst.TryStar) -> bool:
    """Whether the cancellation that a `try` of this function catches may end there: another error is on its way out, a
    shield lets no cancellation through, the module or the function itself asked for it, or the function is `main` and
    ends with the `try`."""
    return (
        is_on_the_way_out(module, node)
        or is_shielded(module, node)
        or awaits_cancelled(module, function, node)
        or _cancels_itself(module, function)
        or _ends_main(function, node)
    )


def is_heard(module: PythonFile, handler: Handler) -> bool:
    """Whether somebody learns of the cancellation that a handler catches: it checks who is cancelled, or keeps the
    error or passes it on."""
    return _asks_who(module, handler) or _passes_on(module, handler) or _raises_later(module, handler)


def _raises_later(module: PythonFile, handler: Handler) -> bool:
    """Whether a handler assigns something to a variable of which its function raises an error afterwards: that
    variable, or under a test of it."""
    function = module.tree.function(handler)
    binding = (n for n in module.tree.within(handler.body) if isinstance(n, (cst.AssignTarget, cst.NamedExpr)))
    bound = (node for target in binding for node in module.tree.within(target.target))
    noted = {node.value for node in bound if isinstance(node, cst.Name)}
    if not noted or function is None:
        return False
    asked: list[CSTNode] = []
    here = set(module.tree.within(handler))
    for node in (node for node in module.tree.own(function) if node not in here):
        if isinstance(node, cst.Raise) and isinstance(node.exc, cst.Name):
            asked.append(node.exc)
        elif isinstance(node, cst.If) and any(isinstance(n, cst.Raise) for n in module.tree.own(node)):
            asked.append(node.test)
    return any(isinstance(n, cst.Name) and n.value in noted for node in asked for n in module.tree.within(node))


def is_shielded(module: PythonFile, node: CSTNode) -> bool:
    """Whether no cancellation by anyio or trio gets through to the node."""
    return any(
        isinstance(above, cst.With) and any(_shields(module, item.item) for item in above.items)
        for above, _ in module.tree.around(node)
    )


def _shields(module: PythonFile, scope: CSTNode) -> bool:
    if not isinstance(scope, cst.Call) or module.names.qualified(scope.func) not in _SHIELDING:
        return False
    named = {arg.keyword.value: arg.value for arg in scope.args if arg.keyword is not None}
    return "shield" in named and last_name(named["shield"]) == "True"


def awaits_cancelled(module: PythonFile, function: cst.FunctionDef, block: CSTNode) -> bool:
    """Whether the body of a statement waits for something that this module itself cancels: that is how a task is
    stopped, and the CancelledError is the task's, not the waiter's."""
    stopped = module.cancelled | module.cancelled_by_loops.get(function, frozenset())
    return any(
        last_name(node) in stopped
        for awaited in module.tree.own(block)
        if isinstance(awaited, cst.Await)
        for node in _waited_for(awaited.expression)
    )


def waits_for_handle(module: PythonFile, block: CSTNode) -> bool:
    """Whether the body of a statement waits for something that was started before: a CancelledError may be that of what
    it waits for."""
    return any(isinstance(node, cst.Await) and _is_handle(node.expression) for node in module.tree.own(block))


def _is_handle(awaited: CSTNode) -> bool:
    if not isinstance(awaited, cst.Call):
        return True
    return last_name(awaited.func) in _WAITING and any(_is_handle(arg.value) for arg in awaited.args if not arg.keyword)


def ends_with(module: PythonFile, node: CSTNode) -> bool:
    """Whether nothing of its function stands behind a statement: not in its own block, nor in one around it."""
    for above, child in module.tree.around(node):
        body = statements(above) if isinstance(above, cst.BaseSuite) else ()
        if body and body[-1] is not child:
            return False
    return True


def is_in_loop(module: PythonFile, node: CSTNode) -> bool:
    """Whether a statement stands in a loop of its function."""
    return any(isinstance(above, (cst.For, cst.While)) for above, _ in module.tree.around(node))


def _waited_for(node: CSTNode) -> Iterator[CSTNode]:
    """The handles that an awaited expression waits for: itself, or the arguments of gather, wait, shield."""
    if isinstance(node, cst.Call):
        for arg in node.args:
            yield from _waited_for(arg.value)
    elif isinstance(node, (cst.List, cst.Set, cst.Tuple)):
        for element in node.elements:
            yield from _waited_for(element.value)
    else:
        yield node


def _cancels_itself(module: PythonFile, function: cst.FunctionDef) -> bool:
    """Whether a function asks for its own task, and cancels something: it has itself cancelled, as by a timer."""
    named = {last_name(n) for n in module.tree.within(function.body) if isinstance(n, (cst.Name, cst.Attribute))}
    return named.issuperset(("current_task", "cancel"))


def _ends_main(function: cst.FunctionDef, node: CSTNode) -> bool:
    return function.name.value in _MAIN and statements(function.body)[-1] is node


def _asks_who(module: PythonFile, handler: Handler) -> bool:
    """Whether the handler checks who is cancelled, or whether the error is a cancellation."""
    nodes = list(module.tree.within(handler))
    names = _ASKING if any(isinstance(node, cst.Raise) for node in nodes) else _ASKING_WHO
    return any(
        (isinstance(node, cst.Attribute) and node.attr.value in names) or _compares_class(module, node)
        for node in nodes
    )


def _compares_class(module: PythonFile, node: CSTNode) -> bool:
    """Whether a node is a call of `isinstance` with a class of cancellations."""
    if not isinstance(node, cst.Call) or module.names.qualified(node.func) != "isinstance" or len(node.args) < 2:
        return False
    classes = module.tree.within(node.args[1].value)
    return any(is_cancellation(module, c) for c in classes if type(c) in (cst.Name, cst.Attribute))


def _passes_on(module: PythonFile, handler: Handler) -> bool:
    """Whether the handler keeps the cancellation for later, or passes it to the caller or to whoever waits for the
    result."""
    if handler.name is None or not isinstance(handler.name.name, cst.Name):
        return False
    error = handler.name.name.value
    return any(
        isinstance(node, cst.Name) and node.value == error and _is_passed_on(module, node)
        for node in module.tree.within(handler.body)
    )


def _is_passed_on(module: PythonFile, error: cst.Name) -> bool:
    """Whether an error that is named here is assigned, returned, delivered, or made a part of something that is stored
    or given to whoever called."""
    parent = module.tree.parents[error]
    if isinstance(parent, cst.Arg) and parent.keyword is error:
        return False
    holder = parent
    while isinstance(holder, (cst.Element, cst.Tuple, cst.List)):
        holder = module.tree.parents[holder]
    if isinstance(holder, (cst.Assign, cst.AnnAssign, cst.NamedExpr, cst.Return)):
        return True
    if _is_given(module, error):
        return True
    call = module.tree.parents[parent]
    if not (isinstance(parent, cst.Arg) and isinstance(call, cst.Call)):
        return False
    if isinstance(call.func, cst.Attribute) and call.func.attr.value in _DELIVERING:
        return True
    return last_name(call.func) not in _TEXTS and _is_stored(module.tree.parents[call])


def _is_given(module: PythonFile, error: cst.Name) -> bool:
    """Whether a function returns or yields something that an error can be got back from."""
    for above in module.tree.ancestors(error):
        match above:
            case cst.Return() | cst.Yield():
                return True
            case cst.Call(func=func) if _WRAPPING.match(last_name(func)) is None:
                return False
            case cst.Call() | cst.Arg() | cst.Element() | cst.Tuple() | cst.List() | cst.ListComp():
                continue
            case _:
                return False
    return False


def _is_stored(assignment: CSTNode) -> bool:
    """Whether the target of an assignment outlives the function: an attribute, an item."""
    return isinstance(assignment, cst.Assign) and all(
        isinstance(target.target, (cst.Attribute, cst.Subscript)) for target in assignment.targets
    )
