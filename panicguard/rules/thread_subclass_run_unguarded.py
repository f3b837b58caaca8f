"""Checks for `run` methods of thread and process classes that let exceptions escape.

## What it does

Reports `run` in a subclass of `threading.Thread`, `multiprocessing.Process`, `QThread` or `QRunnable` when what may
raise in it is not inside a `try` with an `except Exception`. Methods and functions of the module that it calls, also by
`super()` or the name of a base, are judged by what they do, unless that is left to subclasses; waiting, logging, queues
and what ends something cannot hurt around the `try`. Threads of a project that sets `threading.excepthook` are not
reported: see `bare-thread`. With `low-confidence` only, a `run` is that provides for the errors to be expected, or may
fail by the name of its class, as `bare-thread` says.
The class may derive from one of these by way of a class that is imported from another module of the project.

## Why is this bad

`run` is where a thread begins: there is no caller to catch what it raises. The thread ends, and with PyQt the
process.

## Example

```python
import threading
import urllib.request


class Worker(threading.Thread):
    def run(self):
        self.work()

    def work(self):
        urllib.request.urlopen("http://localhost/jobs")
```

## Use instead

```python
import logging
import threading
import urllib.request


class Worker(threading.Thread):
    def run(self):
        try:
            self.work()
        except Exception:
            logging.exception("worker failed")

    def work(self):
        urllib.request.urlopen("http://localhost/jobs")
```

## Fix safety

The fix is only shown: it decorates `run` with the runtime's `guarded`, which reports every error and ends the
thread. Whether the thread should end there is for you to decide.

## Options

- `runtime-module`, `default-policy`, `component`
- `spawn-exempt`
- `error-hooks`: whether a hook tells of errors, whatever the project shows
- `low-confidence`: report a `run` that provides for the errors to be expected
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import THREAD, THREAD_CLASSES, TIMER
from panicguard.python.blocks import statements
from panicguard.python.confidence import run_would_be_missed
from panicguard.python.cst import cst
from panicguard.python.evidence import Evidence
from panicguard.python.fixes.guard import guard_fix
from panicguard.python.guards import is_guarded
from panicguard.python.hooks import tells_of_threads
from panicguard.python.stubs import is_stub
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    for definition in module.thread_classes:
        run = module.method(definition, "run")
        if run is None or is_stub(run) or is_guarded(module, run) or _is_told(module, definition):
            continue
        delegate = _delegate(module, run)
        if (delegate is None or not is_stub(delegate)) and run_would_be_missed(module, run):
            message = f"An exception in `{definition.name.value}.run` ends it unreported; catch it, or guard `run`"
            yield module.finding(run.name, message, guard_fix(module, definition, run))


def _is_told(module: PythonFile, definition: cst.ClassDef) -> bool:
    """Whether a hook of this module learns of errors of this class of threads."""
    is_thread = module.names.is_a(definition, THREAD, TIMER)
    return is_thread and not module.settings.strict_spawns and tells_of_threads(module.source.text, module.settings)


def _delegate(module: PythonFile, run: cst.FunctionDef) -> cst.FunctionDef | None:
    """The method, if `run` does nothing but call one."""
    match statements(run.body):
        case [cst.Expr(value=cst.Call(func=func)) | cst.Return(value=cst.Call(func=func))]:
            called = module.names.definition(func)
            return called if isinstance(called, cst.FunctionDef) else None
    return None


RULE = Rule(
    "PNC104",
    python=Check(
        check,
        words=tuple(name.rpartition(".")[2] for name in THREAD_CLASSES),
        evidence={Evidence.ESCAPES, Evidence.RUN_METHODS},
    ),
    spawn=True,
    fix=Fixes.SOMETIMES,
)
