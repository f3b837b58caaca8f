"""Checks for handlers that swallow the cancellation of a task.

## What it does

Reports, in async functions, a handler for `asyncio.CancelledError`, `trio.Cancelled`, anyio's cancelled class,
`BaseException` or everything, around an `await`, by which a cancellation that somebody asked for gets lost:

- the loop that the `try` stands in has another turn; the same for `suppress(CancelledError)` in a loop;
- another error is raised in its place: `asyncio.timeout` lets that out, and `task.cancelled()` is false;
- the function waits for more, or returns to one that awaits it and does more, in this module or, where this module does
  not say who runs the function, presumably in another;
- a generator gives a value before it raises the cancellation again.

Not reported: the function of a task that ends with its cancellation, as was asked for; a `try` that waits for a task
or a future, of which the cancellation may be, only to be cancelled (`Event().wait()`, a bare `Future`), or to close
and stop things, and one in a `finally` or in a function called `stop` or `close`; a handler that keeps the error,
returns it or sets it on a future, that asks who is cancelled, or whether to stop, before it raises (`if not
self._stopping: raise`), or that calls something that always raises (`-> NoReturn`, `reraise(...)`); one after a
handler that re-raises the cancellation or inside one that re-raises another error; shielded code; the last statement
of `main`; and tests.

## Why is this bad

Cancellation is how asyncio stops a task: on shutdown, at a timeout, when a task group fails. A task that swallows it
continues, and whoever waits for it waits forever; a timeout that was swallowed is reported as success.

## Example

```python
import asyncio


async def worker(queue):
    while True:
        try:
            print(await queue.get())
        except asyncio.CancelledError:
            print("stopped")
```

## Use instead

```python
import asyncio


async def worker(queue):
    while True:
        try:
            print(await queue.get())
        except asyncio.CancelledError:
            print("stopped")
            raise
```

## Fix safety

The fix adds a `raise` at the end of the handler, where the handler takes only cancellations and does not leave by
itself. It is unsafe: the task now ends, which is the point, but may not be what the program relies on. There is no fix

- where the `try` would do nothing but raise again what it caught;
- for a handler that raises another error, or that also takes other errors, such as `except BaseException`, which it may
  be right to end, or that assigns something, for what runs after it to see;
- where more of the function stands behind the `try`: the `raise` would leave it out;
- where the function ends with the handler anyway, and may be meant to: the handler awaits something, or the function is
  decorated, or the module awaits or runs it;
- where the module cancels tasks, and awaits some or reads their results where nothing handles the cancellation: the
  error would come out there.

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
    is_async,
    is_expected,
    is_heard,
    takes_cancellation,
    taking_cancellations,
)
from panicguard.python.cst import cst
from panicguard.python.endings import waits_to_end
from panicguard.python.evidence import Evidence
from panicguard.python.fixes.reraise import reraise_fix
from panicguard.python.handlers import head, suppressed_types
from panicguard.python.loops import innermost_loop
from panicguard.python.outcomes import chooses, exits
from panicguard.python.swallowing import is_lost, replaces
from panicguard.python.testcode import is_test_code
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler


def check(module: PythonFile) -> Iterator[Finding]:
    for node in module.tree.all(cst.Try, cst.TryStar):
        function = module.tree.function(node)
        if is_async(function) and can_arrive(module, node):
            for handler in taking_cancellations(module, node):
                yield from _swallowing(module, function, node, handler)
    for block in module.tree.all(cst.With):
        function = module.tree.function(block)
        if is_async(function) and innermost_loop(module, block) is not None:
            yield from _suppressing(module, function, block)


def _swallowing(
    module: PythonFile, function: cst.FunctionDef, node: cst.Try | cst.TryStar, handler: Handler
) -> Iterator[Finding]:
    if is_heard(module, handler) or is_expected(module, function, node):
        return
    ways = exits(module, handler)
    if chooses(module, handler, ways) or waits_to_end(module, function, node) or is_test_code(module, function):
        return
    if replaces(ways):
        message = "This handler raises another error in place of the cancellation of the task; raise that again"
        yield module.finding_at(*head(module, handler), message)
    elif is_lost(module, function, node, handler, ways):
        message = "This handler swallows the cancellation of the task; raise it again"
        yield module.finding_at(*head(module, handler), message, reraise_fix(module, node, handler))


def _suppressing(module: PythonFile, function: cst.FunctionDef, block: cst.With) -> Iterator[Finding]:
    for item in block.items:
        takes = any(takes_cancellation(module, t) for t in suppressed_types(module, item.item))
        if takes and can_arrive(module, block) and not _is_expected_there(module, function, block):
            message = "`suppress` swallows the cancellation of the task, so its loop continues; let it through"
            yield module.finding(item.item, message)


def _is_expected_there(module: PythonFile, function: cst.FunctionDef, block: cst.With) -> bool:
    return (
        awaits_cancelled(module, function, block)
        or waits_to_end(module, function, block)
        or is_test_code(module, function)
    )


RULE = Rule(
    "PNC304",
    python=Check(
        check,
        words=tuple(sorted(apis.CAUGHT_WORDS)),
        evidence={Evidence.CANCELLATION_HANDLERS},
    ),
    fix=Fixes.SOMETIMES,
)
