"""Checks for goroutines started with the bare `go` keyword.

## What it does

Reports every `go` statement of a Go file, whatever its function does.

## Why is this bad

A panic in an unguarded goroutine ends the whole process, and a `recover` elsewhere cannot stop it. A goroutine that
recovers by itself still has no component and no policy: nobody can tell whose it was, and every author handles its
panics differently.

## Example

```go
package p

func work() {}

func f() {
        go work()
}
```

## Use instead

```go
package p

import (
        "context"

        "example.com/app/mruntime"
)

func work() {}

func f(ctx context.Context) {
        mruntime.SafeGoWithContextAndComponent(ctx, "worker", mruntime.KeepRunning, func(_ context.Context) {
                work()
        })
}
```

## Fix safety

The fix evaluates the function, its receiver and its arguments where `go` did, and runs the call where it ran; only what
happens on a panic differs. It is unsafe where somebody may wait for the goroutine forever, once its panic no longer
ends the process: where it sends, closes or calls `Done` without a `defer`; where what it calls is declared in another
file; where `go-call` names more than its parts and `nil`; and under `default-policy = "CrashProcess"`. There is no fix
where the runtime is not imported and neither the module has a copy of it nor `go-runtime` names one, where a value that
has to be kept may be an untyped constant or more than one value, in a file with cgo, and in or near code that the
parser does not understand. Other files of the package are read only when fixes are written: if one of them declares
`context`, the import gets another name, and if one declares the runtime's name, there is no fix after all.

## Options

- `go-runtime`, `go-call`, `default-policy`, `component`
- `spawn-exempt`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Finding
from panicguard.go.nodes import callee, statement_call
from panicguard.go.screen import KEYWORD
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.file import GoFile

MESSAGE = "bare go keyword forbidden - use mruntime.SafeGoWithContextAndComponent"


def check_go(module: GoFile) -> Iterator[Finding]:
    from panicguard.go.fixes.spawn import spawn_fix  # only where there is Go

    for statement in module.tree.all("go_statement"):
        start = module.tree.offset(statement.start_byte)
        yield Finding(start, module.tree.offset(_marked(statement).end_byte), MESSAGE, spawn_fix(module, statement))


def _marked(statement: Node) -> Node:
    """The node at whose end the range of the finding ends: a literal's head, else what is called."""
    call = statement_call(statement)
    called = callee(call) if call is not None else None
    if called is None:
        return statement.children[0]
    if called.type == "func_literal":
        return called.child_by_field_name("parameters") or called
    return called if called.end_point[0] == statement.start_point[0] else statement.children[0]


RULE = Rule(
    "PNC120",
    go=Check(check_go, words=(KEYWORD,)),
    spawn=True,
    fix=Fixes.SOMETIMES,
)
