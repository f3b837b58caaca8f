"""Checks for handlers in spawned code that swallow every exception.

## What it does

Examines the functions that run as a task, a thread or a job, and the functions of the same module that they call.
Looks for a bare `except:`, `except Exception` or `except BaseException` that does nothing with the error, and for
`contextlib.suppress(Exception)`. Reports them

- around all the work of a turn of a `while` or `async for`, so that the loop goes on as if nothing had happened;
- around a loop that is the rest of the spawned function, so that it ends without a word.

With `low-confidence` those are reported too that are around anything else, but not around something that only closes
or stops something, nor a handler that returns a value to a caller or to whoever awaits the task.

## Why is this bad

Nobody waits for spawned code. An error that it swallows is an error that nobody will ever know about: a loop that
fails in each turn looks like one that works.

## Example

```python
import threading


def work(): ...


def loop():
    while True:
        try:
            work()
        except Exception:
            pass


threading.Thread(target=loop).start()
```

## Use instead

```python
import logging
import threading


def work(): ...


def loop():
    while True:
        try:
            work()
        except Exception:
            logging.exception("loop failed")


threading.Thread(target=loop).start()
```

A handler is fine when it raises, logs, keeps or passes on the error, sets a flag, or calls anything that might: only
one that does nothing is reported. One around nothing but a cleanup (`close`, `cancel`, `unlink`, ...) is fine too, and
so are those where the error is provided for: the body is tried until it succeeds, the variables that it sets have a
value already, one item of a loop is parsed and skipped, a loop copies data until there is no more, or the name of the
function or its class says that it may fail (`_try_login`, `close_quietly`, `send_telemetry`).

## Options

- `low-confidence`
- `reporters`: functions that report the exception being handled, such as `print` where the output is the log
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import SPAWN_WORDS
from panicguard.python.blocks import statements
from panicguard.python.cst import cst
from panicguard.python.evidence import Evidence
from panicguard.python.expendable import is_expendable
from panicguard.python.handlers import head, suppresses_all, swallows_all
from panicguard.python.uses import UseKind
from panicguard.python.workers import dies, loses_turns
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    tree = module.tree
    for node in (*tree.all(cst.Try, cst.TryStar), *tree.all(cst.With)):
        # If the nearest is a handler, another error came first.
        function = tree.enclosing(node, cst.ExceptHandler, cst.FunctionDef, cst.Lambda)
        if function not in module.reached or is_expendable(module, node, function):
            continue
        if not (module.settings.low_confidence or loses_turns(module, node) or dies(module, function, node)):
            continue
        if isinstance(node, (cst.Try, cst.TryStar)):
            yield from _swallowing(module, node, answers=_is_asked(module, function))
        elif suppresses_all(module, node.items[0].item):
            message = "`suppress` hides every error of spawned code; name the expected ones"
            yield module.finding(node.items[0].item, message)


def _is_asked(module: PythonFile, function: CSTNode) -> bool:
    """Whether somebody gets what a function returns: its caller, or whoever awaits the task."""
    spawn = module.spawned.get(function)
    if function in module.spawned:
        return spawn is not None and any(use.kind is UseKind.AWAITED or use.name == "result" for use in spawn.uses)
    return True


def _swallowing(module: PythonFile, node: cst.Try | cst.TryStar, *, answers: bool) -> Iterator[Finding]:
    """`answers`: a value that a handler returns is an answer to somebody."""
    for handler in node.handlers:
        is_answer = answers and any(isinstance(s, cst.Return) and s.value is not None for s in statements(handler.body))
        if not is_answer and swallows_all(module, handler):
            message = "This handler swallows every error of spawned code; log it or raise it"
            yield module.finding_at(*head(module, handler), message)


RULE = Rule(
    "PNC303",
    python=Check(check, words=SPAWN_WORDS, evidence={Evidence.HANDLERS, Evidence.RUN_METHODS}),
)
