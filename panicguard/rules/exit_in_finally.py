"""Checks for `return`, `break` and `continue` in a `finally` of async or spawned code.

## What it does

Looks at async functions, at the functions that run as a task, a thread or a job, and at the functions of the same
module that these call. Reports a `return` in a `finally`, and a `break` or `continue` of a loop around it.

Not reported: the `break` and `continue` of a loop that itself stands in the `finally`; what stands in a function or
class that is defined there; a `finally` of ordinary synchronous code that nothing spawns; and one whose `try` has
handlers that take every error that comes, and raise none.

## Why is this bad

Whatever error was on its way ends there, without a trace: nobody waits for spawned code, so nobody will ever know of
it. In async code that goes for a cancellation too: the task cannot be stopped, and a timeout is reported as success.
From Python 3.14 on, the compiler warns of it.

## Example

```python
import asyncio


async def read(queue):
    while True:
        try:
            print(await queue.get())
        finally:
            queue.task_done()
            if queue.empty():
                break
```

## Use instead

```python
import asyncio


async def read(queue):
    while True:
        try:
            print(await queue.get())
        finally:
            queue.task_done()
        if queue.empty():
            break
```

Behind the `try` the statement runs only where there is no error. What is to end an error after all belongs in an
`except` that names it.

## References

- [PEP 765: disallow return, break and continue that exit a finally block](https://peps.python.org/pep-0765/)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import SPAWN_WORDS
from panicguard.python.blocks import finally_left_by
from panicguard.python.cancellation import catches_cancellation, is_async
from panicguard.python.cst import cst
from panicguard.python.evidence import Evidence
from panicguard.python.handlers import catches_all
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile


def check(file: PythonFile) -> Iterator[Finding]:
    for node in file.tree.all(cst.Return, cst.Break, cst.Continue):
        clause = finally_left_by(file.tree, node)
        function = file.tree.function(node)
        if clause is None or _takes_all(file, file.tree.parents[clause], is_async=is_async(function)):
            continue
        if is_async(function):
            lost = "any error that was on its way, a cancellation too"
        elif function in file.reached:
            lost = "any error of spawned code that was on its way"
        else:
            continue
        keyword = type(node).__name__.lower()
        start, _ = file.span(node)
        yield file.finding_at(
            start, start + len(keyword), f"`{keyword}` in a `finally` drops {lost}; move it behind the `try`"
        )


def _takes_all(file: PythonFile, node: CSTNode, *, is_async: bool) -> bool:
    """Whether the handlers of a `try` leave no error on its way to its `finally`."""
    if not isinstance(node, (cst.Try, cst.TryStar)) or not any(catches_all(file, h) for h in node.handlers):
        return False
    if is_async and not any(catches_cancellation(file, h) for h in node.handlers):
        return False
    return not any(isinstance(inner, cst.Raise) for h in node.handlers for inner in file.tree.own(h))


RULE = Rule(
    "PNC305",
    python=Check(check, words=(*SPAWN_WORDS, "finally"), evidence={Evidence.FINALLY, Evidence.RUN_METHODS}),
)
