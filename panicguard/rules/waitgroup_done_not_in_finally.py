"""Checks for spawned functions that say they are done only if all went well.

## What it does

Reports, in Go, a `Done()` of a `sync.WaitGroup` in a spawned function that is called and not deferred, after something
that may panic or return.

## Why is this bad

A panic that the runtime recovers, or a `return`, leaves out the `Done()`, and `Wait()` waits for ever.

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
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import SPAWN_WORDS
from panicguard.go.nodes import callee, own, text
from panicguard.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.model import Finding

_FAILING = frozenset("call_expression return_statement index_expression type_assertion_expression".split())


def check_go(module: GoModule) -> Iterator[Finding]:
    seen: set[int] = set()
    for spawn in module.spawns:
        function = spawn.function
        if function is None or function.id in seen:
            continue
        seen.add(function.id)
        nodes = list(own(function))
        done = [node for node in nodes if _is_done(module, node)]
        deferred = {text(callee(node)) for node in done if _above(node) == "defer_statement"}
        for node in done:
            called = text(callee(node))
            if _above(node) != "expression_statement" or called in deferred:
                continue
            if any(one.type in _FAILING and one.end_byte <= node.start_byte and one not in done for one in nodes):
                message = f"`{called}()` is left out when the function panics or returns before: defer it"
                yield module.finding(node, message)
                break


def _is_done(module: GoModule, node: Node) -> bool:
    called = callee(node) if node.type == "call_expression" else None
    if called is None or called.type != "selector_expression" or text(called.child_by_field_name("field")) != "Done":
        return False
    return module.names.type_of(called.child_by_field_name("operand")) == "sync.WaitGroup"


def _above(node: Node) -> str:
    return node.parent.type if node.parent is not None else ""


RULE = Rule(
    code="PNC602",
    module=__name__,
    docs=__doc__ or "",
    go_words=SPAWN_WORDS,
    go=check_go,
)
