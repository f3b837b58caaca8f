"""Checks for asyncio tasks whose handle is dropped.

## What it does

Reports `create_task`, `ensure_future`, `run_coroutine_threadsafe` and a `gather` that is not awaited, when the
task or future they return goes nowhere: the call is a statement of its own, its result is assigned to a name
that is never read, it ends in a container that nothing outside the function sees, or the function is handed to an event
loop that calls it, as by `loop.call_soon(asyncio.create_task, send())`. So it does for a function that is
imported from another module of the project and does nothing but hand its first argument to one of these and return the
task.

Not reported is what loses nothing: waiting for an event; closing an object of another module, or one in its `__del__`;
a coroutine that `run_coroutine_threadsafe` only hands on to a task group or to an unbounded queue of the module, or
that handles all of its errors itself; and a task that does so and that a `while` loop keeps in a container of its
function. What logs, or hands on, all of its errors is reported with `low-confidence` only: its task may be collected,
but that is rare for one that waits for a timer or the network. So is what provides for the errors to be expected, may
fail by its name, or only closes or puts something, as `bare-thread` says.

Reports as well a call of a function of the module that starts a task and returns it, where the result goes nowhere,
the function itself reads no error, and what runs may fail. There is no fix: the function decides how it starts tasks.

## Why is this bad

The event loop keeps only a weak reference to a task. A task that nothing else refers to may be garbage-collected before
it has finished. And an exception in it reaches nobody: asyncio logs "Task exception was never retrieved" when the task
is collected, whenever that is; the future of `run_coroutine_threadsafe` loses it silently.

## Example

```python
import asyncio


async def send(message): ...


async def main():
    asyncio.create_task(send("hello"))
```

## Use instead

```python
import asyncio

from panicguard import mruntime


async def send(message): ...


async def main():
    mruntime.SafeGo("send", mruntime.KeepRunning, send("hello"))
```

## Fix safety

The fix is safe where the API is resolved: SafeGo returns a real `asyncio.Task`, keeps a strong reference to it until it
is done, and reports its exception at the raise. It is unsafe where a comment stands inside what is replaced, where the
receiver is computed by a call, for `ensure_future` without `loop=` outside an async function, since SafeGo does not
accept a loop that is not running, where the future of `run_coroutine_threadsafe` is kept, since its type may change,
under `default-policy = "CrashProcess"`, and where it imports the runtime for a `target-version` below 3.10. There is no
fix where the receiver is known to be a loop only by its name, for `gather` (await it), for arguments passed with `*`,
or where the runtime's name means something else.

The runtime is imported where the code that needs it runs: at the top of the module; in a function that imports for
itself what it spawns with; and, in a notebook of marimo, in its setup or in a cell that already imports what is
spawned with, which then returns it. The fix is unsafe in a function that runs without its module, such as a component
of kfp, Airflow's `@task.virtualenv` and what ray or modal run: the runtime has to be installed there too. There is none
if such a function runs as its source alone and does not import for itself, or if no cell is right for the import.

## Options

- `runtime-module`, `default-policy`, `component`
- `spawn-exempt`
- `strict-spawns`: report every raw spawn, awaited ones too
- `low-confidence`: report tasks that tell of their errors themselves, or provide for those to be expected
- `extend-spawners`: functions of the project that start a task; a call is reported if its first argument is a coroutine
  or an async function, and its result goes nowhere

## References

- [Python documentation: asyncio.create_task](https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import TASK_WORDS, SpawnKind
from panicguard.python.confidence import would_be_missed
from panicguard.python.evidence import Evidence
from panicguard.python.fates import Fate
from panicguard.python.fixes.spawn import spawn_fix
from panicguard.python.givers import dropped_calls
from panicguard.python.guards import (
    has_nothing_to_lose,
    is_handed_on,
    is_heard,
    is_held_while_it_runs,
    tells_of_its_errors,
)
from panicguard.python.reads import Heard, lost_until
from panicguard.python.tree import last_name
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn


def check(module: PythonFile) -> Iterator[Finding]:
    strict = module.settings.strict_spawns
    for spawn in module.spawns:
        if spawn.kind not in (SpawnKind.TASK, SpawnKind.GATHER):
            continue
        name = spawn.api.rpartition(".")[2]
        if spawn.fate is Fate.DROPPED and (strict or _is_lost(module, spawn)):
            message = f"`{name}` is bare: nothing keeps the {_handle(spawn.api)} or reads its error; {_advice(spawn)}"
        elif strict and spawn.fate is not Fate.RETAINED and spawn.kind is SpawnKind.TASK:
            message = f"`{name}` is a raw spawn without a component and a policy; use `SafeGo`"
        else:
            continue
        yield module.finding(spawn.place, message, spawn_fix(module, spawn))
    for spawn in module.spawns:
        if spawn.fate is Fate.OBSERVED and lost_until(module, spawn) is Heard.IN_TIME:
            for call in dropped_calls(module, spawn):
                name = last_name(call.func)
                message = f"`{name}` returns a task, and nothing reads its error; await it, or spawn with `SafeGo`"
                yield module.finding(call.func, message)


def _is_lost(module: PythonFile, spawn: Spawn) -> bool:
    """Whether the task may end too soon, or its error be lost."""
    if has_nothing_to_lose(module, spawn) or is_handed_on(module, spawn):
        return False
    if tells_of_its_errors(module, spawn) and not module.settings.low_confidence:
        return False
    if is_held_while_it_runs(module, spawn) and is_heard(module, spawn):
        return False
    return would_be_missed(module, spawn)


def _handle(api: str) -> str:
    return "future" if api in ("asyncio.run_coroutine_threadsafe", "asyncio.gather") else "task"


def _advice(spawn: Spawn) -> str:
    return "await it" if spawn.kind is SpawnKind.GATHER else "use `SafeGo`"


RULE = Rule(
    "PNC101",
    python=Check(
        check,
        words=TASK_WORDS,
        evidence={Evidence.ESCAPES},
    ),
    spawn=True,
    fix=Fixes.SOMETIMES,
)
