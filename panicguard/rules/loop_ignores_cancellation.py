"""Checks for endless loops in spawned code that nothing can stop.

## What it does

Reports `while True`, `while 1` and `for ... in itertools.count()` in a function that runs as a task, a thread or a job,
when nothing in the loop checks a context, an event or a flag, awaits, leaves the loop or raises, and no exception that
is named around the loop ends it. What may be a daemon thread, also one of a class that only other modules use, ends
with the process, and is not reported; with `low-confidence` it is, unless it waits for something to read in each turn.
Nor is a loop that waits so inside a `try` that catches everything.

In Go: a `for` without a condition, or over `time.Tick`, in a function passed to the runtime's SafeGo, Supervise or
Group, when nothing in it leaves the loop or uses a context.

## Why is this bad

The loop runs until the process is killed: at shutdown, the process hangs on it. A daemon thread may be cut off in the
middle of its work.

## Example

```python
import queue
import threading


def drain(jobs: queue.Queue):
    while True:
        print(jobs.get())


threading.Thread(target=drain, args=(queue.Queue(),)).start()
```

## Use instead

```python
import queue
import threading


def drain(jobs: queue.Queue, stop: threading.Event):
    while not stop.is_set():
        print(jobs.get(timeout=1))


threading.Thread(target=drain, args=(queue.Queue(), threading.Event())).start()
```

In Go:

```go
package p

import (
        "context"
        "time"

        "example.com/app/mruntime"
)

func poll() {}

func f(ctx context.Context) {
        mruntime.SafeGoWithContextAndComponent(ctx, "poller", mruntime.KeepRunning, func(_ context.Context) {
                for {
                        poll()
                        time.Sleep(time.Second)
                }
        })
}
```

and instead:

```go
package p

import (
        "context"
        "time"

        "example.com/app/mruntime"
)

func poll() {}

func f(ctx context.Context) {
        mruntime.SafeGoWithContextAndComponent(ctx, "poller", mruntime.KeepRunning, func(ctx context.Context) {
                for {
                        poll()
                        select {
                        case <-ctx.Done():
                                return
                        case <-time.After(time.Second):
                        }
                }
        })
}
```

## Fix safety

The fix is only shown, and only where the function has a context: what has to happen when that is done is for you to
decide.

## Options

- `low-confidence`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Edit, Fix
from panicguard.go import loops as go_loops
from panicguard.go.nodes import callee, own
from panicguard.go.spawns import SpawnKind
from panicguard.python.apis import SPAWN_WORDS
from panicguard.python.cancellation import own_context
from panicguard.python.cst import cst
from panicguard.python.evidence import Evidence
from panicguard.python.loops import ends, is_endless, is_fed, may_run_as_daemon
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    for loop in module.tree.all(cst.While, cst.For):
        function = module.tree.function(loop)
        if function not in module.spawned or not is_endless(module, loop) or ends(module, loop):
            continue
        is_asked_for = module.settings.low_confidence and not is_fed(module, loop)
        if is_asked_for or not may_run_as_daemon(module, function):
            start, _ = module.span(loop)
            _, end = module.span(loop.test if isinstance(loop, cst.While) else loop.iter)
            message = "This endless loop in spawned code cannot be stopped; check a context, an event or a flag in it"
            yield module.finding_at(start, end, message, _fix(module, function, loop))


def _fix(module: PythonFile, function: CSTNode, loop: cst.While | cst.For) -> Fix | None:
    context = own_context(function)
    if context is None or not isinstance(loop, cst.While):
        return None
    edit = Edit(*module.span(loop.test), f"not {context}.done()")
    return Fix("Stop when the context is done", (edit,), Applicability.DISPLAY_ONLY)


def check_go(module: GoFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        if spawn.kind is not SpawnKind.SAFE or spawn.function is None:
            continue
        loops = (node for node in own(spawn.function) if node.type == "for_statement")
        if any(go_loops.is_endless(module, loop) and not go_loops.ends(module, loop) for loop in loops):
            message = "The loop of the spawned function cannot be stopped; leave it when the context is done"
            yield module.finding(callee(spawn.node) or spawn.node, message)


RULE = Rule(
    "PNC401",
    python=Check(check, words=SPAWN_WORDS, evidence={Evidence.ENDLESS_LOOPS, Evidence.RUN_METHODS}),
    go=Check(check_go, words=("SafeGo", "Supervise", "Group")),
    fix=Fixes.SOMETIMES,
)
