"""Checks for handlers in spawned code that swallow every exception.

## What it does

Looks at the functions that run as a task, a thread or a job, and at the functions of the same module that they
call. Reports a bare `except:`, `except Exception` or `except BaseException` that does nothing with the error,
and `contextlib.suppress(Exception)`. Not reported: what only closes or stops something, and a handler that returns a
value to a caller or to who awaits the task.

## Why is this bad

Nobody waits for spawned code. An error that it swallows is an error that nobody will ever know of.

## Example

```python
import threading


def work(): ...


def loop():
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
    try:
        work()
    except Exception:
        logging.exception("loop failed")


threading.Thread(target=loop).start()
```

A handler is fine when it raises, logs, keeps or passes on the error, sets a flag, or calls anything that might:
only one that is idle is reported. So is one around nothing but a cleanup (`close`, `cancel`, `unlink`, ...).

## Options

- `reporters`: functions that report the exception being handled, such as `print` where the output is the log
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python.apis import SPAWN_WORDS
from panicguard.python.bodies import catches_all, is_idle, statements
from panicguard.python.lazy import cst
from panicguard.python.tree import last_name
from panicguard.rule import Check, Evidence, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.model import Finding
    from panicguard.python.module import Module

_CLEANUP = re.compile(
    r"_*(?:force_?)?(?:clean_?up|a?close|wait_closed|shutdown|disconnect|terminate|kill|cancel|stop|unlink|remove|rmtree|"
    r"release|join|flush|unsubscribe|unregister|logout|quit|destroy|dispose|detach|reset|send_eof|write_eof|a?exit)(?:_|$)"
)
"""How the name of what only ends something starts."""
_IDLE_CALLS = frozenset(("print", "time.sleep", "asyncio.sleep", "trio.sleep", "anyio.sleep"))


def check(module: Module) -> Iterator[Finding]:
    tree = module.tree
    for node in (*tree.all(cst.Try, cst.TryStar), *tree.all(cst.With)):
        # The nearest one is a handler where an error came first.
        function = tree.enclosing(node, cst.ExceptHandler, cst.FunctionDef, cst.Lambda)
        if function not in module.reached:
            continue
        if isinstance(node, (cst.Try, cst.TryStar)):
            yield from _handlers(module, node, answers=_is_asked(module, function))
        elif _suppresses_all(module, node) and not _is_cleanup(module, node.body):
            message = "`suppress` hides every error of spawned code"
            yield module.finding(node.items[0].item, message)


def _is_asked(module: Module, function: CSTNode) -> bool:
    """Whether somebody gets what a function returns: its caller, or who awaits the task."""
    spawn = module.spawned.get(function)
    if function in module.spawned:
        return spawn is not None and any(use.kind == "awaited" or use.name == "result" for use in spawn.uses)
    return True


def _handlers(module: Module, node: cst.Try | cst.TryStar, *, answers: bool) -> Iterator[Finding]:
    """`answers`: a value that a handler returns is an answer to somebody."""
    if _is_cleanup(module, node.body):
        return
    for handler in node.handlers:
        does = statements(handler.body)
        if answers and any(isinstance(statement, cst.Return) and statement.value is not None for statement in does):
            continue
        if catches_all(module, handler) and all(_is_idle(module, statement) for statement in does):
            start, _ = module.span(handler)
            end = module.span(handler.type)[1] if handler.type is not None else start + len("except")
            yield module.finding_at(start, end, "This handler swallows every error of spawned code")


def _is_idle(module: Module, statement: CSTNode) -> bool:
    """Whether a statement does nothing with the error, waiting and printing something else included."""
    if is_idle(statement):
        return True
    value = statement.value if isinstance(statement, cst.Expr) else None
    if isinstance(value, cst.Await):
        value = value.expression
    name = module.names.qualified(value.func) if isinstance(value, cst.Call) else None
    if not isinstance(value, cst.Call) or name not in _IDLE_CALLS or name in module.settings.reporters:
        return False
    return all(isinstance(arg.value, (cst.SimpleString, cst.Integer, cst.Float)) for arg in value.args)


def _suppresses_all(module: Module, node: cst.With) -> bool:
    item = node.items[0].item
    return (
        isinstance(item, cst.Call)
        and module.names.qualified(item.func) == "contextlib.suppress"
        and any(module.names.qualified(a.value) in ("Exception", "BaseException") for a in item.args)
    )


def _is_cleanup(module: Module, body: CSTNode) -> bool:
    """Whether a block does nothing but close, cancel or remove something, or wait for what this module cancels."""

    def is_cleanup(statement: CSTNode) -> bool:
        if isinstance(statement, cst.If) and statement.orelse is None:
            return all(map(is_cleanup, statements(statement.body)))
        value = statement.value if isinstance(statement, cst.Expr) else None
        if isinstance(value, cst.Await):
            value = value.expression
            if last_name(value) in module.cancelled:
                return True
        return isinstance(value, cst.Call) and _CLEANUP.match(last_name(value.func)) is not None

    found = statements(body)
    return bool(found) and all(is_cleanup(s) for s in found)


RULE = Rule(
    "PNC303",
    python=Check(check, words=SPAWN_WORDS, evidence={Evidence.HANDLERS, Evidence.RUN_METHODS}),
)
