"""Checks for goroutines that count themselves.

## What it does

Reports, in Go, an `Add()` of a `sync.WaitGroup` that is the first thing a spawned function does. A goroutine that is
counted itself may count those that it starts, and is not reported.

## Why is this bad

The goroutine may not have come that far when `Wait()` is called, which then does not wait for it.

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
        mruntime.SafeGoWithContextAndComponent(ctx, "worker", mruntime.KeepRunning, func(_ context.Context) {
                wg.Add(1)
                defer wg.Done()
                work()
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
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import SPAWN_WORDS
from panicguard.go.nodes import callee, own, parts, plain, steps, text, within
from panicguard.go.spawns import SpawnKind
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile


def check_go(module: GoFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        literal = spawn.literal
        if literal is None or spawn.kind is SpawnKind.UNGUARDED:  # `wg.Go` holds a count meanwhile
            continue
        first = next(iter(steps(literal.child_by_field_name("body"))), None)
        added = plain(next(iter(parts(first)), None))
        group = _group(module, added, "Add") if added is not None else None
        if added is None or group is None or _counts_others(module, literal, text(group)):
            continue
        message = f"`{text(group)}.Add` may come after `Wait`, for the goroutine runs later; call it before the spawn"
        yield module.finding(added, message)


def _group(module: GoFile, node: Node, method: str) -> Node | None:
    """The group on which a node calls a method."""
    called = callee(node) if node.type == "call_expression" else None
    if called is None or text(called.child_by_field_name("field")) != method:
        return None
    group = called.child_by_field_name("operand")
    return group if module.names.type_of(group) == "sync.WaitGroup" else None


def _counts_others(module: GoFile, literal: Node, group: str) -> bool:
    """Whether a goroutine that counts itself down also starts others, or runs functions, that do so."""
    done = [node for node in within(literal) if (g := _group(module, node, "Done")) and text(g) == group]
    return 0 < sum(node in own(literal) for node in done) < len(done)


RULE = Rule(
    "PNC601",
    go=Check(check_go, words=SPAWN_WORDS),
)
