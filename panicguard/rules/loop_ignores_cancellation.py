"""Checks for endless loops in spawned code that nothing can stop.

## What it does

Reports `while True`, `while 1` and `for ... in itertools.count()` in a function that runs as a task, a thread or a job,
when nothing on the way round looks at a context, an event or a flag, awaits, leaves the loop or raises, and no
exception that is named around the loop ends it. In Go: a `for` without a condition, or over `time.Tick`, in a function
handed to the runtime's SafeGo, when nothing in it leaves the loop or uses a context.

## Why is this bad

The loop goes on until the process is killed. At shutdown the process hangs on it, or a daemon thread is cut off
in the middle of what it does.

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

The fix is only shown, and only where the function has a context: what has to happen when it is done is yours to
say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import CONTEXT
from panicguard.go.nodes import ancestors, callee, own, plain, text, within
from panicguard.model import Applicability, Edit, Fix
from panicguard.python.apis import SPAWN_WORDS
from panicguard.python.lazy import cst
from panicguard.rule import Check, Evidence, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode
    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.model import Finding
    from panicguard.python.module import Module

_ASKING = frozenset(
    "done cancelled cancelling is_set wait err check is_alive isInterruptionRequested is_shutdown".split()
)

_EVERYTHING = frozenset(("Exception", "BaseException"))
_LEAVING = frozenset(("sys.exit", "os._exit", "os.kill", "os.abort", "exit", "quit", "next"))


def check(module: Module) -> Iterator[Finding]:
    for loop in module.tree.all(cst.While, cst.For):
        function = module.tree.function(loop)
        if function not in module.spawned or not _is_endless(module, loop):
            continue
        context = _context(function)
        if not _can_stop(module, loop, context):
            start, _ = module.span(loop)
            head = loop.test if isinstance(loop, cst.While) else loop.iter
            message = "This endless loop of spawned code cannot be stopped"
            yield module.finding_at(start, module.span(head)[1], message, _fix(module, loop, context))


def _context(function: CSTNode) -> str | None:
    """The name of the function's context parameter."""
    params = getattr(function, "params", None)
    names = [p.name.value for p in params.params] if params is not None else []
    return "ctx" if "ctx" in names else None


def _is_endless(module: Module, loop: CSTNode) -> bool:
    match loop:
        case cst.While(test=cst.Name(value="True") | cst.Integer(value="1")):
            return True
        case cst.For(iter=cst.Call(func=func)):
            return module.names.qualified(func) == "itertools.count"
    return False


def _can_stop(module: Module, loop: CSTNode, context: str | None) -> bool:
    """Whether something on the way round the loop leaves it, waits cancellably, or asks whether to stop; or an
    exception that is named around the loop is how it ends."""
    if _ends_by_an_exception(module, loop):
        return True
    stack = list(module.tree.children(loop.body))  # type: ignore[attr-defined]
    while stack:
        node = stack.pop()
        match node:
            case cst.Break() | cst.Return() | cst.Raise() | cst.Await() | cst.Yield():
                return True
            case cst.For(asynchronous=cst.Asynchronous()) | cst.With(asynchronous=cst.Asynchronous()):
                return True
            case cst.CompFor(asynchronous=cst.Asynchronous()):
                return True
            case cst.Attribute(attr=cst.Name(value=name)) if name in _ASKING:
                return True
            case cst.Name(value=name) if name == context:
                return True
            case cst.Call(func=func) if _may_leave(module, func):
                return True
            case cst.FunctionDef() | cst.Lambda() | cst.ClassDef():
                continue
        stack.extend(module.tree.children(node))
    return False


def _ends_by_an_exception(module: Module, loop: CSTNode) -> bool:
    child = loop
    for ancestor in module.tree.around(loop):
        if isinstance(ancestor, cst.Try) and ancestor.body is child:
            names = (module.names.qualified(h.type) for h in ancestor.handlers if h.type is not None)
            return any(name not in _EVERYTHING for name in names)
        child = ancestor
    return False


def _may_leave(module: Module, func: CSTNode) -> bool:
    """Whether a call may end the loop: it exits, or is a function of this module in which something raises or asks."""
    called = module.names.resolve(func)
    if isinstance(called, str):
        return called in _LEAVING
    return isinstance(called, cst.FunctionDef) and any(
        isinstance(node, cst.Raise)
        or (
            isinstance(node, cst.Attribute) and (node.attr.value in _ASKING or module.names.qualified(node) in _LEAVING)
        )
        for node in module.tree.own(called)
    )


def _fix(module: Module, loop: CSTNode, context: str | None) -> Fix | None:
    if context is None or not isinstance(loop, cst.While):
        return None
    edit = Edit(*module.span(loop.test), f"not {context}.done()")
    return Fix("Stop when the context is done", (edit,), Applicability.DISPLAY_ONLY)


_ENDLESS = frozenset(("time.Tick",))
_ENDING = frozenset("os.Exit runtime.Goexit log.Fatal log.Fatalf log.Fatalln log.Panic log.Panicf log.Panicln".split())
_BREAKABLE = frozenset(
    "for_statement select_statement expression_switch_statement type_switch_statement func_literal".split()
)


def check_go(module: GoModule) -> Iterator[Finding]:
    for spawn in module.spawns:
        if spawn.kind != "safe" or spawn.function is None:
            continue
        for loop in own(spawn.function):
            if loop.type == "for_statement" and _is_endless_in_go(module, loop) and not _can_stop_in_go(module, loop):
                message = "The loop of the spawned function cannot be stopped: leave it when the context is done"
                yield module.finding(callee(spawn.node) or spawn.node, message)
                break


def _is_endless_in_go(module: GoModule, loop: Node) -> bool:
    clauses = [node for node in loop.named_children if node.type not in ("block", "comment")]
    if not clauses:
        return True
    clause = clauses[0]
    if clause.type == "for_clause":
        return clause.child_by_field_name("condition") is None
    ranged = plain(clause.child_by_field_name("right")) if clause.type == "range_clause" else None
    if ranged is None or ranged.type != "call_expression":
        return False
    return module.names.qualified(callee(ranged)) in _ENDLESS


def _can_stop_in_go(module: GoModule, loop: Node) -> bool:
    return any(_leaves(module, node, loop) for node in within(loop))


def _leaves(module: GoModule, node: Node, loop: Node) -> bool:
    """Whether a node in a loop leaves it, or asks a context."""
    match node.type:
        case "return_statement" | "goto_statement":
            return True
        case "break_statement":
            if node.named_child_count:
                return True
            return next((above for above in ancestors(node) if above.type in _BREAKABLE), None) == loop
        case "identifier":
            return module.names.type_of(node) == CONTEXT
        case "call_expression":
            called = callee(node)
            return module.names.qualified(called) in _ENDING or module.names.is_builtin(called, "panic")
        case "selector_expression":
            return text(node.child_by_field_name("field")) in ("Done", "Err", "Context")
    return False


RULE = Rule(
    "PNC401",
    python=Check(check, words=SPAWN_WORDS, evidence={Evidence.ENDLESS_LOOPS, Evidence.RUN_METHODS}),
    go=Check(check_go, words=("SafeGo",)),
    fix=Fixes.SOMETIMES,
)
