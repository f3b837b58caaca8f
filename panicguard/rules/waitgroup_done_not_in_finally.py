"""Checks for `Done()` calls that a panic or an early return skips.

## What it does

Reports, in Go, a `Done()` of a `sync.WaitGroup` in a spawned function that is called and not deferred, after something
that may return or, where the process would survive that, panic: under `KeepRunning`, or in a function that recovers. A
channel that is closed last is reported where a panic is survived. One in a loop counts jobs, not goroutines, and one
that other statements follow says how far the goroutine has come: they are not reported, nor is one in a goroutine that
calls `Add` itself.

## Why is this bad

A panic that the runtime recovers, or a `return`, skips the `Done()`, and `Wait()` waits forever.

## Example

```go
package p

import (
        "context"
        "sync"

        "example.com/app/mruntime"
)

func work() {}

func f(ctx context.Context) {
        var wg sync.WaitGroup
        wg.Add(1)
        mruntime.SafeGoWithContextAndComponent(ctx, "worker", mruntime.KeepRunning, func(_ context.Context) {
                work()
                wg.Done()
        })
        wg.Wait()
}
```

## Use instead

```go
package p

import (
        "context"
        "sync"

        "example.com/app/mruntime"
)

func work() {}

func f(ctx context.Context) {
        var wg sync.WaitGroup
        wg.Add(1)
        mruntime.SafeGoWithContextAndComponent(ctx, "worker", mruntime.KeepRunning, func(_ context.Context) {
                defer wg.Done()
                work()
        })
        wg.Wait()
}
```

## Fix safety

The fix defers the only such call of a function, if that is its last statement, in the first statement. It is unsafe:
other deferred calls then run before it. There is no fix where the group may be another one by then, or a comment stands
beside a line that moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Edit, Fix
from panicguard.go.apis import SPAWN_WORDS
from panicguard.go.fixes.alignment import comment_behind
from panicguard.go.nodes import callee, in_error, statements, text
from panicguard.go.signals import skipped
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile
    from panicguard.go.signals import Signal


def check_go(module: GoFile) -> Iterator[Finding]:
    seen: set[int] = set()
    for spawn in module.spawns:
        function = spawn.function
        if function is None or function.id in seen:
            continue
        seen.add(function.id)
        for signal, why, is_only in skipped(module, spawn, function):
            called = text(signal.call) if signal.is_close else f"{text(callee(signal.call))}()"
            message = f"`{called}` is skipped if the function {why}; defer it"
            yield module.finding(signal.call, message, _fix(module, function, signal) if is_only else None)


def _fix(module: GoFile, function: Node, signal: Signal) -> Fix | None:
    """The fix that moves a signal, the last statement of a function, behind a `defer` before the first one."""
    body, statement = function.child_by_field_name("body"), signal.call.parent
    if body is None or statement is None or in_error(function):
        return None
    every = statements(body)
    if every[-1] != statement or not _stays(module, signal.subject):
        return None
    source, tree = module.source, module.tree
    places = (body.start_byte, every[0].start_byte, every[-2].end_byte, statement.start_byte, body.end_byte)
    head, first, before, last, end = (source.location(tree.offset(byte))[0] for byte in places)
    if not (head < first and before < last == end - 1):
        return None
    if any(source.line(row).strip() for row in range(before + 1, last)):
        return None
    if sum(comment_behind(source, row) is not None for row in {head, head + 1, before, last}) > 1:
        return None  # comments behind neighbouring lines are aligned
    line, starts = source.line(last), source.line_starts
    margin = line[: len(line) - len(line.lstrip())]
    deferred = Edit(starts[head], starts[head], f"{margin}defer {line[len(margin) :]}{source.newline}")
    return Fix("Defer it", (deferred, Edit(starts[before], starts[last], "")), Applicability.UNSAFE)


def _stays(module: GoFile, group: Node) -> bool:
    """Whether an expression is a name that is never set again, or a field of one."""
    while group.type == "selector_expression" and (operand := group.child_by_field_name("operand")) is not None:
        group = operand
    binding = module.names.lookup(group) if group.type == "identifier" else None
    return binding is not None and not module.names.is_reassigned(binding)


RULE = Rule(
    "PNC602",
    go=Check(check_go, words=SPAWN_WORDS),
    fix=Fixes.SOMETIMES,
)
