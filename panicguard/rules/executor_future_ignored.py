"""Checks for jobs of an executor or a pool whose future nobody reads.

## What it does

Reports `submit`, `run_in_executor`, `apply_async` and its kin, and Ray's `remote()`, when their result is dropped or
kept without its error being read, and `Executor.map` whose results are not iterated. Only receivers whose type is known
count, from this module or from the module of the project that they are imported from: many other things have a
`submit`. A job that handles all of its errors itself is not reported. With `low-confidence` only, one is that provides
for the errors to be expected, may fail by its name, or closes something, as `bare-thread` says.

## Why is this bad

The error of a job is stored in its future. If nobody reads the future, it is lost without a trace, even inside a
`with ThreadPoolExecutor()` block, which waits for the jobs but does not check them.

## Example

```python
from concurrent.futures import ThreadPoolExecutor


def work(item): ...


def main(items):
    with ThreadPoolExecutor() as pool:
        for item in items:
            pool.submit(work, item)
```

## Use instead

```python
from concurrent.futures import ThreadPoolExecutor

from panicguard import mruntime


def work(item): ...


def main(items):
    with ThreadPoolExecutor() as pool:
        for item in items:
            mruntime.SafeGo("work", mruntime.KeepRunning, work, args=(item,), executor=pool)
```

## Fix safety

The fix is safe for a `ThreadPoolExecutor` and for `run_in_executor` on one: SafeGo returns the pool's own future, and
the job runs under a copy of the spawner's context variables. It is unsafe where the executor is computed by a call,
where a comment stands inside what is replaced, under `default-policy = "CrashProcess"`, and where it imports the
runtime for a `target-version` below 3.10. There is no fix for process pools, whose jobs are pickled, for async
functions and generators, which a pool would not run, for `map`, and for pools that are not executors: pass
`error_callback=` there.

The runtime is imported where the code that needs it runs: at the top of the module; in a function that imports for
itself what it spawns with; and, in a notebook of marimo, in its setup or in a cell that already imports what is
spawned with, which then returns it. The fix is unsafe in a function that runs without its module, such as a component
of kfp, Airflow's `@task.virtualenv` and what ray or modal run: the runtime has to be installed there too. There is none
if such a function runs as its source alone and does not import for itself, or if no cell is right for the import.

## Options

- `runtime-module`, `default-policy`, `component`
- `spawn-exempt`
- `strict-spawns`: report every submitted job
- `low-confidence`: report jobs that provide for the errors to be expected

## References

- [Python documentation: concurrent.futures](https://docs.python.org/3/library/concurrent.futures.html#future-objects)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.confidence import would_be_missed
from panicguard.python.evidence import Evidence
from panicguard.python.fates import Fate
from panicguard.python.fixes.spawn import spawn_fix
from panicguard.python.guards import runs_guarded
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn


def check(module: PythonFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        message = _message(spawn, strict=module.settings.strict_spawns)
        if message and not _is_handled(module, spawn) and would_be_missed(module, spawn):
            yield module.finding(spawn.place, message, spawn_fix(module, spawn))


def _message(spawn: Spawn, *, strict: bool) -> str | None:
    name = spawn.api.rpartition(".")[2]
    if spawn.kind is apis.SpawnKind.MAP:
        lost = f"The results of `{name}` are never read, so errors of its jobs are lost; iterate over them"
        return lost if spawn.fate is Fate.DROPPED else None
    if spawn.kind is not apis.SpawnKind.FUTURE:
        return None
    if spawn.fate in (Fate.DROPPED, Fate.RETAINED):
        return f"The future of `{name}` is never read, so an error of the job is lost; read it, or use `SafeGo`"
    return f"`{name}` is a raw spawn without a component and a policy; use `SafeGo`" if strict else None


def _is_handled(module: PythonFile, spawn: Spawn) -> bool:
    """Whether a callback gets the errors, or, unless every job is to be reported, the job handles them itself."""
    if any(a.keyword is not None and a.keyword.value in apis.ERROR_CALLBACKS for a in spawn.call.args):
        return True
    return not module.settings.strict_spawns and runs_guarded(module, spawn)


RULE = Rule(
    "PNC107",
    python=Check(
        check,
        words=(".submit", ".map", "run_in_executor", "apply_async", "map_async", "starmap_async", ".remote"),
        evidence={Evidence.ESCAPES},
    ),
    spawn=True,
    fix=Fixes.SOMETIMES,
)
