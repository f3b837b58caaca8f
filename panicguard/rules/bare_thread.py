"""Checks for threads whose exceptions go unreported.

## What it does

Reports a `threading.Thread` that is started, `_thread.start_new_thread`, and a function of `extend-spawners` that is
passed a plain function. A class of threads with a `run` of its own is the matter of `thread-subclass-run-unguarded`.

A thread is not reported when what it runs handles every error itself: what may raise is in a `try` with an
`except Exception`, which logs or uses the error where it raises again (one that does nothing is the matter of
`swallowed-exception-in-spawned`); it is decorated with a function of the module that does so; or it is guarded by the
runtime. What cannot raise in practice may stand around the `try`: logging, waiting, flags, queues that wait for as long
as it takes, what ends something, and functions of the module of which that is true; so may what raises an error for
which there is a handler: `os.kill` in a `try` with `except OSError`. The target may be such a function's lambda,
`partial` or `Context.run`; what only waits (`process.wait`, `thread.join`, `loop.run_forever`) is not reported either,
nor is a server that handles the errors of its requests (`serve_forever`), nor Twisted's
`callInThread`, whose pool logs them, nor what is imported from another module of
the project, or is a method of an object that is made of a class from there, where that module shows that it lets no
error out. Nor is any thread of a project that sets `threading.excepthook`: in the module itself, in its outermost
package or a package right in that, or in a module that imports it at the root of the project.

With `low-confidence` only, those threads are reported of which hardly anybody would miss an error. What they run
provides for what is to be expected: it works under a handler for every error, the system's or a library's, and the rest
calls its own objects, or nothing in it is known to fail. It may fail by its name (telemetry, a check for updates,
prefetching); it closes something of another module; it is a command's (`cli`), whose user sees standard error; or the
function that starts it asks first whether the last one is still alive.

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
- `error-hooks`: whether a hook tells of errors, whatever the project shows
- `strict-spawns`: report guarded threads too
- `low-confidence`: report threads that provide for the errors to be expected
- `extend-spawners`: functions of the project that start a thread
- `extend-guards`: functions and decorators that report the errors of what is passed to them

## References

- [Python documentation: threading.excepthook](https://docs.python.org/3/library/threading.html#threading.excepthook)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.confidence import would_be_missed
from panicguard.python.cst import cst
from panicguard.python.evidence import Evidence
from panicguard.python.fates import Fate
from panicguard.python.fixes.spawn import spawn_fix
from panicguard.python.guards import has_nothing_to_lose, runs_guarded, runs_own_code
from panicguard.python.hooks import tells_of_threads
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_IN_REACTOR = "twisted.internet.reactor.callInThread"
"""Its errors are those of a pool, which logs them."""


def check(module: PythonFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        if spawn.kind is not apis.SpawnKind.THREAD or (spawn.api == apis.THREAD and not spawn.started):
            continue
        if spawn.declared and spawn.fate >= Fate.OBSERVED:
            continue
        if module.settings.strict_spawns or (not _is_told(module, spawn) and would_be_missed(module, spawn)):
            name = module.text(spawn.call.func).rpartition(".")[2]
            message = f"`{name}` is bare: an exception ends the thread unreported; use `SafeGo` or `SafeThread`"
            yield module.finding(spawn.call.func, message, spawn_fix(module, spawn))


def _is_told(module: PythonFile, spawn: Spawn) -> bool:
    """Whether somebody learns of the errors of a thread, if it has any, or its class is to blame: see PNC104."""
    started = module.names.definition(spawn.call.func)
    if spawn.api == _IN_REACTOR or (isinstance(started, cst.ClassDef) and runs_own_code(module, started)):
        return True
    return (
        has_nothing_to_lose(module, spawn)
        or runs_guarded(module, spawn)
        or tells_of_threads(module.source.text, module.settings)
    )


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
