"""Checks for spawned functions that use a context other than the one passed to them.

## What it does

Reports, in Go, calls in a function passed to `SafeGoWithContextAndComponent`, `Supervise` or the `Go` of the runtime's
`Group` that use a context captured from the enclosing function, or `context.Background()` or `context.TODO()`, although
the function's own context has a name; and `nil` for the context of the spawn itself. What a `defer` calls, and what
shuts down, closes or flushes, may use another context.

## Why is this bad

The context that is passed to the function is the one that is cancelled, and that carries the trace. With another one,
the work continues after it was asked to stop.

## Example

```go
package p

import (
        "context"

        "example.com/app/mruntime"
)

func work(context.Context) {}

func f(ctx context.Context) {
        mruntime.SafeGoWithContextAndComponent(ctx, "worker", mruntime.KeepRunning, func(ctx context.Context) {
                work(context.Background())
        })
}
```

## Use instead

```go
package p

import (
        "context"

        "example.com/app/mruntime"
)

func work(context.Context) {}

func f(ctx context.Context) {
        mruntime.SafeGoWithContextAndComponent(ctx, "worker", mruntime.KeepRunning, func(ctx context.Context) {
                work(ctx)
        })
}
```

## Fix safety

The fix uses the context of the spawn, and is unsafe: the author may have wanted the work to continue when the spawn is
cancelled. There is no fix where that name stands for something else, where a variable would be left unread, and for
`nil`: only the author knows which context was meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Edit, Fix
from panicguard.go.contexts import is_new_context, is_outer_context, is_read_outside, own_context
from panicguard.go.fixes.alignment import aligned
from panicguard.go.nodes import callee, in_error, is_deferred_call, own, plain_arguments, text
from panicguard.go.spawns import SpawnKind
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile

_ENDING = re.compile(r"shut|close|stop|clean|flush|drain|release|delete|remove|rollback|audit|log", re.IGNORECASE)
"""The names of calls that must be made even if the spawn is cancelled."""


def check_go(module: GoFile) -> Iterator[Finding]:
    for call in module.namings:
        handed = plain_arguments(call)
        if len(handed) > 2 and handed[0].type == "nil":
            yield module.finding(handed[0], "The spawn has no context; pass one instead of `nil`")
    for spawn in module.spawns:
        if spawn.kind is SpawnKind.SAFE and spawn.literal is not None:
            yield from _in_function(module, spawn.literal)


def _in_function(module: GoFile, literal: Node) -> Iterator[Finding]:
    context = own_context(module, literal)
    if context is None:
        return
    for argument in (a for call in own(literal) if _takes_own_context(call) for a in plain_arguments(call)):
        if is_new_context(module, argument):
            message = f"`{text(argument)}` ignores the context of the spawn; use `{text(context)}`"
            yield module.finding(argument, message, _fix(module, argument, context))
        elif is_outer_context(module, argument, literal):
            fix = _fix(module, argument, context) if is_read_outside(module, argument, literal) else None
            message = f"`{text(argument)}` is captured from the enclosing function; "
            yield module.finding(argument, message + f"use the spawn's own context `{text(context)}`", fix)


def _takes_own_context(call: Node) -> bool:
    """Whether a node is a call that should get the spawn's own context: not one that ends something or derives a
    context."""
    if call.type != "call_expression" or is_deferred_call(call):
        return False
    called = text(callee(call))
    return not called.startswith("context.") and _ENDING.search(called.rpartition(".")[2]) is None


def _fix(module: GoFile, other: Node, context: Node) -> Fix | None:
    """The fix that replaces another context by that of the spawn, if its name stands for it there."""
    binding = module.names.lookup(other, text(context))
    if binding is None or binding.node != context.parent or in_error(other):
        return None
    edits = aligned(module.source, Edit(*module.span(other), text(context)))
    return Fix(f"Use `{text(context)}`", tuple(edits), Applicability.UNSAFE)


RULE = Rule(
    "PNC403",
    go=Check(check_go, words=("SafeGoWithContext", "Supervise", "Group")),
    fix=Fixes.SOMETIMES,
)
