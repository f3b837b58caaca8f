"""Checks for functions that run in a goroutine of their own and recover from nothing.

## What it does

Reports what is handed to `sync.WaitGroup.Go`, errgroup's `Go` and `TryGo`, `time.AfterFunc`, `context.AfterFunc`,
`runtime.AddCleanup`, `runtime.SetFinalizer` and `http.Server.RegisterOnShutdown`, unless the function begins with a
`defer` of one that recovers.

## Why is this bad

No `go` is to be seen, and yet it is one: a panic in the function ends the whole process. `go fix` turns a bare `go`
beside a WaitGroup into `wg.Go`, which is no safer.

## Example

```go
package p

import (
        "time"
)

func work() {}

func f() {
        time.AfterFunc(time.Second, func() {
                work()
        })
}
```

## Use instead

```go
package p

import (
        "time"

        "example.com/app/mruntime"
)

func work() {}

func f() {
        time.AfterFunc(time.Second, func() {
                defer mruntime.RecoverAndLog("timer")
                work()
        })
}
```

## Options

- `spawn-exempt`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.nodes import arguments, callee, text
from panicguard.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.model import Finding

_FUNCTIONS = {"time.AfterFunc": 1, "context.AfterFunc": 1, "runtime.AddCleanup": 1, "runtime.SetFinalizer": 1}
"""The place of the function among the arguments."""
_METHODS = frozenset(
    (
        ("sync.WaitGroup", "Go"),
        ("golang.org/x/sync/errgroup.Group", "Go"),
        ("golang.org/x/sync/errgroup.Group", "TryGo"),
        ("net/http.Server", "RegisterOnShutdown"),
    )
)
_NAMES = frozenset(name for _, name in _METHODS)


def check_go(module: GoModule) -> Iterator[Finding]:
    for call in module.tree.all("call_expression"):
        index = _spawned(module, call)
        given = arguments(call)
        if index is None or index >= len(given) or given[index].type == "nil":
            continue
        function = module.names.declared(given[index])
        if function is not None and module.is_guarded(function):
            continue
        called = callee(call)
        assert called is not None
        message = f"`{text(called)}` runs its function in a goroutine of its own: a panic there ends the process"
        yield module.finding(called, message)


def _spawned(module: GoModule, call: Node) -> int | None:
    """The place, among the arguments of a call, of the function that it starts; None where it starts none."""
    called = callee(call)
    if called is None or called.type not in ("selector_expression", "identifier"):
        return None
    name = module.names.qualified(called)
    if name is not None:
        return _FUNCTIONS.get(name)
    method = text(called.child_by_field_name("field"))
    if method not in _NAMES:
        return None
    receiver = module.names.type_of(called.child_by_field_name("operand"))
    if receiver is None or (receiver, method) in module.names.methods:
        return None
    types = (receiver, *module.names.embedded(receiver))
    return 0 if any((one, method) in _METHODS for one in types) else None


RULE = Rule(
    code="PNC121",
    module=__name__,
    docs=__doc__ or "",
    go_words=("AfterFunc", "AddCleanup", "SetFinalizer", "RegisterOnShutdown", ".Go(", ".TryGo("),
    go=check_go,
    spawn=True,
)
