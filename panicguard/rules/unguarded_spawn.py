"""Checks for functions that run in a goroutine of their own and do not recover from panics.

## What it does

Reports functions passed to `sync.WaitGroup.Go`, `time.AfterFunc`, `context.AfterFunc`, `runtime.AddCleanup`,
`runtime.SetFinalizer` and `http.Server.RegisterOnShutdown`, to errgroup, singleflight (`DoChan`), multierror, tomb,
workerpool and oklog/run, and as message handlers to nats and paho, unless the function recovers:
before anything can panic, it defers something that recovers and does not panic again, or it does nothing but call such
functions, or wait. Functions of other files of the package count where those lie on the disk;
of what comes from another package, a variable or a parameter, a name such as `recoverPanic` or `safego.Handle` is
enough. Others are named in `extend-guards`.

With `low-confidence` also functions set as `DialContext` of a `http.Transport`, `Cancel` of an `exec.Cmd`, `OnStart`
and `OnStop` of a hook of fx, and what `httptrace` calls in goroutines of the transport.

## Why is this bad

There is no `go` to be seen, but it is a goroutine all the same: a panic in the function ends the whole process.
`go fix` turns a bare `go` beside a WaitGroup into `wg.Go`, which is no safer.

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

## Fix safety

A literal passed to a WaitGroup's `Go` becomes a SafeGo call between `Add` and a deferred `Done`. The fix is unsafe: in
Go before 1.25 there is no such method, and a panic no longer ends the process. There is no fix for the others.

## Options

- `go-runtime`, `default-policy`, `component`
- `low-confidence`
- `extend-guards`: what recovers where it is deferred, and what recovers from panics of a function passed to it
- `spawn-exempt`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import HOOK_WORDS, SPAWN_WORDS
from panicguard.go.guards import is_guarded
from panicguard.go.nodes import callee, text
from panicguard.go.spawns import SpawnKind
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile


def check_go(module: GoFile) -> Iterator[Finding]:
    from panicguard.go.fixes.waitgroup import waitgroup_fix  # only where there is Go

    for spawn in module.spawns:
        if spawn.kind is SpawnKind.UNGUARDED and not is_guarded(module, spawn.target):
            called = callee(spawn.node) or spawn.node
            yield module.finding(called, _message(called), waitgroup_fix(module, spawn))
    for field, target in module.hooks if module.settings.low_confidence else ():
        if not is_guarded(module, target):
            yield module.finding(field, _message(field))


def _message(runner: Node) -> str:
    return f"`{text(runner)}` runs its function in a new goroutine; recover in it, or a panic ends the process"


RULE = Rule(
    "PNC121",
    go=Check(check_go, words=SPAWN_WORDS[3:], likely_words=HOOK_WORDS),
    spawn=True,
    fix=Fixes.SOMETIMES,
)
