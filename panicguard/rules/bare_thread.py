"""Checks for threads whose exceptions go unreported.

## What it does

Reports a `threading.Thread`, or an instance of a subclass of it in the same module, that is started,
`_thread.start_new_thread`, and a function of `extend-spawners` that is passed a plain function. A thread is not
reported when what it runs handles every error itself: its whole body is a `try` with an `except Exception` that
does something with the error, or it is guarded by the runtime.

## Why is this bad

An exception ends the thread and nothing else: it is printed to standard error, past the log, and the process
goes on without the thread. `join()` does not raise it. `sys.exit()` in a thread is not even printed.

## Example

```python
import threading


def work(): ...


def main():
    threading.Thread(target=work, daemon=True).start()
```

## Use instead

```python
from panicguard import mruntime


def work(): ...


def main():
    mruntime.SafeGo("work", mruntime.KeepRunning, work, daemon=True)
```

## Fix safety

The fix is safe for `threading.Thread`: where the thread is started at once it becomes SafeGo, which returns the started
thread; elsewhere it becomes a SafeThread, a `threading.Thread` with the same arguments. The target runs under a copy of
the spawner's context variables. It is unsafe where the result of `start_new_thread` is used, since its value changes,
where a comment stands inside what is replaced, under `default-policy = "CrashProcess"`, and where it imports the
runtime for a `target-version` below 3.10. There is no fix for a subclass: derive it from SafeThread, or guard its
`run`. Nor is there one for a target that is an async function or a generator, which a thread would not run.

The runtime is imported where the code that needs it runs: at the top of the module; in a function that imports for
itself what it spawns with; and, in a notebook of marimo, in its setup or in a cell that already imports what is
spawned with, which then returns it. The fix is unsafe in a function that runs without its module, such as a component
of kfp, Airflow's `@task.virtualenv` and what ray or modal run: the runtime has to be installed there too. There is none
if such a function runs as its source alone and does not import for itself, or if no cell is right for the import.

## Options

- `runtime-module`, `default-policy`, `component`
- `spawn-exempt`
- `strict-spawns`: report guarded threads too
- `extend-spawners`: functions of the project that start a thread
- `extend-guards`: functions and decorators that report the errors of what is passed to them

## References

- [Python documentation: threading.excepthook](https://docs.python.org/3/library/threading.html#threading.excepthook)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.evidence import Evidence
from panicguard.python.fates import Fate
from panicguard.python.fixes.spawn import spawn_fix
from panicguard.python.guards import runs_guarded
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        if spawn.kind is not apis.SpawnKind.THREAD or (spawn.api == apis.THREAD and not spawn.started):
            continue
        if spawn.declared and spawn.fate >= Fate.OBSERVED:
            continue
        if module.settings.strict_spawns or not runs_guarded(module, spawn):
            name = module.text(spawn.call.func).rpartition(".")[2]
            message = f"`{name}` is bare: an exception ends the thread unreported; use `SafeGo` or `SafeThread`"
            yield module.finding(spawn.call.func, message, spawn_fix(module, spawn))


RULE = Rule(
    "PNC103",
    python=Check(
        check,
        words=(*apis.THREAD_WORDS, *apis.START_WORDS, "callInThread"),
        evidence={Evidence.ESCAPES, Evidence.RUN_METHODS},
    ),
    spawn=True,
    fix=Fixes.SOMETIMES,
)
