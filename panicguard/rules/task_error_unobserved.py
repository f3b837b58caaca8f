"""Checks for asyncio tasks that are kept, but whose error is never read.

## What it does

Reports a task whose handle is stored in an attribute, a global or a container, or is only polled and cancelled, when
nothing in the module awaits it, asks for its result or exception, or passes it on. These read nothing either: a done
callback that never looks at its task, an `await` under `suppress(Exception)` or of a `gather` whose errors are dropped,
the second set of `asyncio.wait`, and a function of the module that does no more than that. A task that only sleeps or
waits for an event, or that handles all of its errors itself, by a decorator of the module that logs them too, is not
reported. Nor is one that a done callback takes out of its set, in a project with `loop.set_exception_handler`: that is
called then. Nor is one that is given to an object of another module, which may read it, and that is not looked at here.
Nor is one that only closes something and is waited for.

With `low-confidence` only, a task is reported that provides for the errors to be expected, may fail by its name, or is
started anew where it is over, as `bare-thread` says.

Reports a task, too, that is awaited only by who cancels it, such as `stop()`, where the module shows that it may fail
before: then the error is heard when the service ends, and the message says so.

## Why is this bad

As long as a reference to a failed task exists, asyncio does not report its exception at all, and to cancel the task
then, or to wait for it, makes asyncio forget the exception for good. The service continues with a part of it dead.
A task that `add_done_callback(tasks.discard)` takes out of its set is collected some time later; asyncio logs the
exception then, without a component, and nobody can act on it. The message says which of the two it is.

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
- `error-hooks`: whether a handler tells of errors, whatever the project shows
- `strict-spawns`: report tasks that cannot fail too
- `low-confidence`: report tasks that provide for the errors to be expected

## References

- [Python documentation: asyncio.Task](https://docs.python.org/3/library/asyncio-task.html#task-object)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import TASK_WORDS, SpawnKind
from panicguard.python.confidence import would_be_missed
from panicguard.python.evidence import Evidence
from panicguard.python.fates import Fate
from panicguard.python.fixes.spawn import spawn_fix
from panicguard.python.guards import is_let_go
from panicguard.python.reads import Heard, lost_until
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        if spawn.kind not in (SpawnKind.TASK, SpawnKind.GATHER) or spawn.fate is Fate.DROPPED:
            continue
        when = lost_until(module, spawn)
        if when is not Heard.IN_TIME and would_be_missed(module, spawn):
            said = _LET_GO if when is Heard.NEVER and is_let_go(module, spawn) else _MESSAGES[when]
            message = said.format(spawn.api.rpartition(".")[2])
            yield module.finding(spawn.call.func, message, spawn_fix(module, spawn))


_LET_GO = (
    "The result of `{}` is kept, but its error is never read: asyncio logs it once the task is collected; "
    "await it, or use `SafeGo`"
)
_MESSAGES = {
    Heard.NEVER: "The result of `{}` is kept, but its error is never read; await it, or use `SafeGo`",
    Heard.AT_STOP: "What `{}` starts is read only where it is stopped: an earlier error goes unheard till then; "
    "use `SafeGo`",
}


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
