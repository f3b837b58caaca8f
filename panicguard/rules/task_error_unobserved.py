"""Checks for asyncio tasks that are kept, but whose error is never read.

## What it does

Reports a task whose handle is stored in an attribute, a global or a container, or is only polled and cancelled,
when nothing in the module awaits it, asks for its result or exception, or passes it on. A done callback that
only takes the task out of a set keeps it as silent. A task that only sleeps or waits for an event, or that
handles all of its errors itself, by a decorator of the module that logs them too, is not reported. Nor is one that a
done callback takes out of its set, in a module with `loop.set_exception_handler`: that is called then.

## Why is this bad

As long as a reference to a failed task exists, asyncio does not report its exception at all. The service continues with
a part of it dead.

## Example

```python
import asyncio


class Poller:
    def start(self):
        self._task = asyncio.create_task(self._poll())

    def stop(self):
        self._task.cancel()

    async def _poll(self): ...
```

## Use instead

```python
import asyncio

from panicguard import mruntime


class Poller:
    def start(self):
        self._task = mruntime.SafeGo("poll", mruntime.KeepRunning, self._poll())

    def stop(self):
        self._task.cancel()

    async def _poll(self): ...
```

## Fix safety

As for `bare-asyncio-task`: safe where the API is resolved. The handle stays an `asyncio.Task`, so everything that is
done with it still works; SafeGo reports the exception at the raise. It is unsafe for `run_coroutine_threadsafe`, whose
future may be of another type afterwards.

## Options

- `runtime-module`, `default-policy`, `component`
- `spawn-exempt`
- `strict-spawns`: report tasks that cannot fail too

## References

- [Python documentation: asyncio.Task](https://docs.python.org/3/library/asyncio-task.html#task-object)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import TASK_WORDS, SpawnKind
from panicguard.python.evidence import Evidence
from panicguard.python.fates import Fate
from panicguard.python.fixes.spawn import spawn_fix
from panicguard.python.guards import has_nothing_to_lose, is_heard
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        if spawn.kind not in (SpawnKind.TASK, SpawnKind.GATHER) or spawn.fate is not Fate.RETAINED:
            continue
        if module.settings.strict_spawns or not (has_nothing_to_lose(module, spawn) or is_heard(module, spawn)):
            name = spawn.api.rpartition(".")[2]
            message = f"The result of `{name}` is kept, but its error is never read; await it, or use `SafeGo`"
            yield module.finding(spawn.call.func, message, spawn_fix(module, spawn))


RULE = Rule(
    "PNC102",
    python=Check(
        check,
        words=TASK_WORDS,
        evidence={Evidence.ESCAPES},
    ),
    spawn=True,
    fix=Fixes.SOMETIMES,
)
