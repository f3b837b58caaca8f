"""Checks for `Done()` calls that a panic or an early return skips.

## What it does

Reports, in Go, a `Done()` of a `sync.WaitGroup` in a spawned function that is called and not deferred, after something
that may panic or return. One in a loop counts jobs, not goroutines, and is not reported.

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

The fix defers the only `Done()` of a function, if that is its last statement, in the first statement. It is unsafe:
other deferred calls then run before it. There is no fix where the group may be another one by then, or a comment stands
beside a line that moves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Edit, Fix
from panicguard.go.apis import SPAWN_WORDS
from panicguard.go.fixes.alignment import comment_behind
from panicguard.go.loops import loops
from panicguard.go.nodes import callee, in_error, is_deferred_call, own, statements, text
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile

_FAILING = frozenset("call_expression return_statement index_expression type_assertion_expression".split())


def check_go(module: GoFile) -> Iterator[Finding]:
    seen: set[int] = set()
    for spawn in module.spawns:
        function = spawn.function
        if function is None or function.id in seen:
            continue
        seen.add(function.id)
        nodes = list(own(function))
        done = [node for node in nodes if _is_done(module, node)]
        # In a loop it counts jobs, not goroutines.
        fine = {text(callee(n)) for n in done if is_deferred_call(n) or any(True for _ in loops(n))}
        for node in done:
            called = text(callee(node))
            if not _is_statement(node) or called in fine:
                continue
            if any(
                other.type in _FAILING and other.end_byte <= node.start_byte and other not in done for other in nodes
            ):
                message = f"`{called}()` is skipped if the function panics or returns early; defer it"
                yield module.finding(node, message, _fix(module, function, node) if len(done) == 1 else None)
                break


def _is_done(module: GoFile, node: Node) -> bool:
    called = callee(node) if node.type == "call_expression" else None
    if called is None or called.type != "selector_expression" or text(called.child_by_field_name("field")) != "Done":
        return False
    return module.names.type_of(called.child_by_field_name("operand")) == "sync.WaitGroup"


def _fix(module: GoFile, function: Node, done: Node) -> Fix | None:
    """The fix that moves a `Done()`, the last statement of a function, behind a `defer` before the first one."""
    body, statement, called = function.child_by_field_name("body"), done.parent, callee(done)
    group = called.child_by_field_name("operand") if called is not None else None
    if body is None or statement is None or group is None or in_error(function):
        return None
    every = statements(body)
    if every[-1] != statement or not _stays(module, group):
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


def _is_statement(call: Node) -> bool:
    return call.parent is not None and call.parent.type == "expression_statement"


RULE = Rule(
    "PNC602",
    go=Check(check_go, words=SPAWN_WORDS),
    fix=Fixes.SOMETIMES,
)
