"""Checks for handlers that swallow the cancellation of a task.

## What it does

Reports, in async functions, a handler for `asyncio.CancelledError`, `trio.Cancelled`, anyio's cancelled class,
`BaseException` or everything, around an `await`, that on some path does not raise again; and
`suppress(CancelledError)` around an `await` in a loop.

Not reported: waiting for a task that the module cancels, a handler that keeps the error, returns it or gives it to a
future, one that asks `cancelling()`, calls `uncancel()` or what raises itself (`-> NoReturn`, `reraise(...)`), one
behind a handler that raises the cancellation again or within one that raises another error again, what is shielded,
and the last statement of `main`.

## Why is this bad

Cancellation is how asyncio stops a task: on shutdown, at a timeout, when a task group fails. A task that
swallows it goes on, and who waits for it waits for ever; a timeout that was swallowed is reported as success.

## Example

```python
import asyncio


async def worker():
    while True:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            pass
```

## Use instead

```python
import asyncio


async def worker():
    while True:
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            raise
```

## Fix safety

The fix adds a `raise` at the end of the handler, where the handler takes cancellations only and does not leave by
itself. It is unsafe: the task now ends, which is the point, but may not be what the program relies on. A handler of
other errors too, as `except BaseException`, has no fix: it may be right to end those.

## References

- [Python documentation: task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.model import Applicability, Edit, Fix
from panicguard.python import apis
from panicguard.python.bodies import always_leaves_by_raise, caught_types, leaves, statements
from panicguard.python.lazy import cst
from panicguard.python.tree import last_name
from panicguard.rule import Check, Evidence, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.model import Finding
    from panicguard.python.module import Module

_EVERYTHING = "BaseException"
_CANCELLED_CLASS = "anyio.get_cancelled_exc_class"
_DELIVERING = frozenset("append add put put_nowait set_exception throw".split())
_RAISES = re.compile(r"_*(?:re_?)?raise", re.IGNORECASE)
_NEVER = frozenset(("NoReturn", "Never"))
_SCOPES = frozenset(f"{module}.{name}" for module in ("anyio", "trio") for name in ("CancelScope", "move_on_after"))
_TOLD = frozenset(("str", "repr", "format"))
"""What makes a text of an error."""
_KNOWS = frozenset(("cancelling", "uncancel"))
_ASKS = _KNOWS | {"cancelled"}


def check(module: Module) -> Iterator[Finding]:
    for node in module.tree.all(cst.Try, cst.TryStar):
        function = module.tree.function(node)
        if isinstance(function, cst.FunctionDef) and function.asynchronous is not None and _awaits(module, node.body):
            yield from _swallowing(module, function, node)
    for block in module.tree.all(cst.With):
        function = module.tree.function(block)
        if isinstance(function, cst.FunctionDef) and function.asynchronous is not None:
            yield from _suppressing(module, function, block)


def _swallowing(module: Module, function: cst.FunctionDef, node: cst.Try | cst.TryStar) -> Iterator[Finding]:
    for handler in node.handlers:
        if not _catches_cancellation(module, handler):
            continue
        body = statements(handler.body)
        if always_leaves_by_raise(body):
            return
        if (
            _raises_elsewhere(module, handler)
            or _is_on_the_way_out(module, node)
            or _is_shielded(module, node)
            or _knows(module, handler)
            or _passes_on(module, handler)
            or _awaits_cancelled(module, function, node.body)
            or _ends_main(function, node)
        ):
            return
        start, _ = module.span(handler)
        end = module.span(handler.type)[1] if handler.type is not None else start + len("except")
        message = "This handler swallows the cancellation of the task"
        yield module.finding_at(start, end, message, _raise_fix(module, handler))
        return


def _suppressing(module: Module, function: cst.FunctionDef, block: cst.With) -> Iterator[Finding]:
    for item in block.items:
        call = item.item
        if (
            isinstance(call, cst.Call)
            and module.names.qualified(call.func) == "contextlib.suppress"
            and any(module.names.qualified(a.value) in (*apis.CANCELLED, _EVERYTHING) for a in call.args)
            and _in_loop(module, block)
            and _awaits(module, block.body)
            and not _awaits_cancelled(module, function, block.body)
        ):
            yield module.finding(call, "`suppress` swallows the cancellation of the task, and its loop goes on")


def _catches_cancellation(module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    types = caught_types(handler)
    if not types:
        return True
    for caught in types:
        name = module.names.qualified(caught.func if isinstance(caught, cst.Call) else caught)
        if name in (*apis.CANCELLED, _EVERYTHING) or name == _CANCELLED_CLASS:
            return True
    return False


def _own(module: Module, block: CSTNode) -> Iterator[CSTNode]:
    """What runs when the block runs: nested functions left out."""
    for statement in getattr(block, "body", ()):
        stack = [statement]
        while stack:
            node = stack.pop()
            yield node
            if not isinstance(node, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
                stack.extend(module.tree.children(node))


def _awaits(module: Module, block: CSTNode) -> bool:
    """Whether a cancellation can arrive in the block."""
    return any(
        isinstance(node, cst.Await)
        or (isinstance(node, (cst.For, cst.With, cst.CompFor)) and node.asynchronous is not None)
        for node in _own(module, block)
    )


def _raises_elsewhere(module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether the handler calls what raises: by its name, or since it never returns."""
    for node in _own(module, handler.body):
        if not isinstance(node, cst.Call):
            continue
        if _RAISES.match(last_name(node.func)):
            return True
        function = module.names.definition(node.func)
        if isinstance(function, cst.FunctionDef) and function.returns is not None:
            name = module.names.qualified(function.returns.annotation) or ""
            if name.rpartition(".")[2] in _NEVER:
                return True
    return False


def _is_on_the_way_out(module: Module, node: CSTNode) -> bool:
    """Whether it is a handler of another error, which is raised again, that the node stands in."""
    return any(
        isinstance(ancestor, cst.ExceptHandler) and always_leaves_by_raise(statements(ancestor.body))
        for ancestor in module.tree.around(node)
    )


def _is_shielded(module: Module, node: CSTNode) -> bool:
    """Whether no cancellation of anyio's or trio's gets through to the node."""
    return any(
        isinstance(ancestor, cst.With) and any(_shields(module, item.item) for item in ancestor.items)
        for ancestor in module.tree.around(node)
    )


def _shields(module: Module, scope: CSTNode) -> bool:
    if not isinstance(scope, cst.Call) or module.names.qualified(scope.func) not in _SCOPES:
        return False
    named = {arg.keyword.value: arg.value for arg in scope.args if arg.keyword is not None}
    return "shield" in named and last_name(named["shield"]) == "True"


def _knows(module: Module, handler: CSTNode) -> bool:
    """Whether the handler asks who is cancelled, or if the error is a cancellation."""
    raises = any(isinstance(node, cst.Raise) for node in module.tree.within(handler))
    for node in module.tree.within(handler):
        if isinstance(node, cst.Attribute) and node.attr.value in (_ASKS if raises else _KNOWS):
            return True
        if isinstance(node, cst.Call) and module.names.qualified(node.func) == "isinstance" and len(node.args) > 1:
            asked = module.tree.within(node.args[1].value)
            if any(module.names.qualified(n) in apis.CANCELLED for n in asked if type(n) in (cst.Name, cst.Attribute)):
                return True
    return False


def _passes_on(module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether the handler keeps the cancellation for later, or hands it to the caller or who waits for the result."""
    if handler.name is None or not isinstance(handler.name.name, cst.Name):
        return False
    for node in module.tree.within(handler.body):
        if isinstance(node, cst.Name) and node.value == handler.name.name.value:
            parent = module.tree.parents[node]
            if isinstance(parent, (cst.Assign, cst.Return)):
                return True
            call = module.tree.parents[parent]
            if not (isinstance(parent, cst.Arg) and isinstance(call, cst.Call)):
                continue
            if isinstance(call.func, cst.Attribute) and call.func.attr.value in _DELIVERING:
                return True
            if last_name(call.func) not in _TOLD and _is_stored(module.tree.parents[call]):
                return True
    return False


def _is_stored(assignment: CSTNode) -> bool:
    """Whether something is assigned to what outlives the function: an attribute, an item."""
    return isinstance(assignment, cst.Assign) and all(
        isinstance(target.target, (cst.Attribute, cst.Subscript)) for target in assignment.targets
    )


def _awaits_cancelled(module: Module, function: cst.FunctionDef, block: CSTNode) -> bool:
    """Whether the block waits for what this module itself cancels: that is how a task is stopped, and the
    CancelledError is the task's, not the waiter's."""
    looped = {
        last_name(node.iter)
        for node in module.tree.own(function)
        if isinstance(node, cst.For) and isinstance(node.target, cst.Name) and node.target.value in module.cancelled
    }
    stopped = (module.cancelled | looped) - {""}
    return any(
        last_name(node) in stopped
        for awaited in _own(module, block)
        if isinstance(awaited, cst.Await)
        for node in _waited_for(awaited.expression)
    )


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


def _ends_main(function: cst.FunctionDef, node: CSTNode) -> bool:
    return function.name.value in ("main", "amain", "async_main") and statements(function.body)[-1] is node


def _in_loop(module: Module, node: CSTNode) -> bool:
    return any(isinstance(ancestor, (cst.While, cst.For)) for ancestor in module.tree.around(node))


def _raise_fix(module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> Fix | None:
    """A `raise` behind the last statement of the handler, in the place of a lone `pass`; none where the handler takes
    other errors too, which may be right to end there."""
    body = statements(handler.body)
    types = caught_types(handler)
    if not body or leaves(body) or not types or any(module.names.qualified(t) not in apis.CANCELLED for t in types):
        return None
    last = body[-1]
    start, end = module.span(last)
    if isinstance(last, cst.Pass):
        edit = Edit(start, end, "raise")
    else:
        row, column = module.source.location(module.span(body[0])[0])
        indent = module.source.line(row)[: column - 1]
        if indent.strip() or not isinstance(handler.body, cst.IndentedBlock):
            return None
        end_row, _ = module.source.location(end)
        line_end = module.source.offset(end_row, 1) + len(module.source.line(end_row))
        edit = Edit(line_end, line_end, f"{module.source.newline}{indent}raise")
    return Fix("Raise the cancellation again", (edit,), Applicability.UNSAFE)


RULE = Rule(
    "PNC304",
    python=Check(check, words=tuple(sorted(apis.CAUGHT_WORDS)), evidence={Evidence.CANCELLATION_HANDLERS}),
    fix=Fixes.SOMETIMES,
)
