"""Checks for handlers that swallow the cancellation of a task.

## What it does

Reports, in async functions, a handler for `asyncio.CancelledError`, `trio.Cancelled`, anyio's cancelled class,
`BaseException` or everything, around an `await`, that on some path does not re-raise; and `suppress(CancelledError)`
around an `await` in a loop.

Not reported: waiting for a task that the module cancels, a function that ends with the handler and runs only as a task
which its owner in the same module cancels, a handler that keeps the error, returns it or sets it on a future, one that
checks `cancelling()`, calls `uncancel()` or something that always raises (`-> NoReturn`, `reraise(...)`), one after a
handler that re-raises the cancellation or inside one that re-raises another error, shielded code, the last statement of
`main`, and tests of which a mock raises the error.

## Why is this bad

Cancellation is how asyncio stops a task: on shutdown, at a timeout, when a task group fails. A task that swallows it
continues, and whoever waits for it waits forever; a timeout that was swallowed is reported as success.

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

The fix adds a `raise` at the end of the handler, where the handler takes only cancellations and does not leave by
itself. It is unsafe: the task now ends, which is the point, but may not be what the program relies on. There is no fix

- for a handler that also takes other errors, such as `except BaseException`, which it may be right to end, or that
  assigns something, for what runs after it to see;
- where more of the function stands behind the `try`: the `raise` would leave it out;
- where the function ends with the handler anyway, and may be meant to: the handler awaits something, or the function is
  decorated, or the module awaits or runs it;
- where a task is awaited in the `try`: the cancellation may be that task's;
- where the module cancels tasks, and awaits some or reads their results where nothing handles the cancellation: the
  error would come out there;
- in tests, which are known by their names and by `spawn-exempt`: they raise the error to end a loop.

## Options

- `spawn-exempt`

## References

- [Python documentation: task cancellation](https://docs.python.org/3/library/asyncio-task.html#task-cancellation)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.cancellation import (
    awaits_cancelled,
    can_arrive,
    catches_cancellation,
    function_ends_after,
    is_async,
    is_expected,
    is_heard,
    mocks_raise_it,
    takes_cancellation,
)
from panicguard.python.cst import cst
from panicguard.python.evidence import Evidence
from panicguard.python.fixes.reraise import reraise_fix
from panicguard.python.handlers import head, suppressed_types
from panicguard.python.loops import innermost_loop
from panicguard.python.owners import is_stopped_by_its_owner
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    for node in module.tree.all(cst.Try, cst.TryStar):
        function = module.tree.function(node)
        if is_async(function) and can_arrive(module, node):
            yield from _swallowing(module, function, node)
    for block in module.tree.all(cst.With):
        function = module.tree.function(block)
        if is_async(function) and innermost_loop(module, block) is not None:
            yield from _suppressing(module, function, block)


def _swallowing(module: PythonFile, function: cst.FunctionDef, node: cst.Try | cst.TryStar) -> Iterator[Finding]:
    handler = next((h for h in node.handlers if catches_cancellation(module, h)), None)
    if handler is None or is_heard(module, handler) or is_expected(module, function, node) or mocks_raise_it(module):
        return
    if not (function_ends_after(module, node, handler) and is_stopped_by_its_owner(module, function)):
        message = "This handler swallows the cancellation of the task; raise it again"
        yield module.finding_at(*head(module, handler), message, reraise_fix(module, node, handler))


def _suppressing(module: PythonFile, function: cst.FunctionDef, block: cst.With) -> Iterator[Finding]:
    for item in block.items:
        takes = any(takes_cancellation(module, t) for t in suppressed_types(module, item.item))
        if takes and can_arrive(module, block) and not awaits_cancelled(module, function, block):
            message = "`suppress` swallows the cancellation of the task, so its loop continues; let it through"
            yield module.finding(item.item, message)


RULE = Rule(
    "PNC304",
    python=Check(
        check,
        words=tuple(sorted(apis.CAUGHT_WORDS)),
        evidence={Evidence.CANCELLATION_HANDLERS},
        context=("create_task", "ensure_future", "SafeGo", "SafeGoWithContextAndComponent"),
    ),
    fix=Fixes.SOMETIMES,
)
