"""Checks for spawned functions that go by another context than the one they are given.

## What it does

Reports, in Go, what a function handed to `SafeGoWithContextAndComponent` calls with a context of outside, or with
`context.Background()` or `context.TODO()`, while its own context has a name; and `nil` for the context of the spawn
itself. What a `defer` calls, and what shuts down, closes or flushes, may have a context of its own.

## Why is this bad

The context that is handed over is the one that is cancelled, and that knows the trace. With another one the work
goes on after it was told to stop.

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
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.go.apis import CONTEXT, SAFEGO
from panicguard.go.nodes import arguments, callee, own, text
from panicguard.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.model import Finding

_NEW = frozenset(("context.Background", "context.TODO"))
_ENDING = re.compile(r"shut|close|stop|clean|flush|drain|release|delete|remove|rollback|audit|log", re.IGNORECASE)


def check_go(module: GoModule) -> Iterator[Finding]:
    for call in module.calls(SAFEGO):
        given = arguments(call)
        if len(given) < 4:
            continue
        if given[0].type == "nil":
            yield module.finding(given[0], "The spawn is given no context: `nil` cannot be cancelled")
        if given[-1].type == "func_literal":
            yield from _in_function(module, given[-1])


def _in_function(module: GoModule, literal: Node) -> Iterator[Finding]:
    own_context = _context(module, literal)
    if own_context is None:
        return
    for call in own(literal):
        if call.type != "call_expression" or (call.parent is not None and call.parent.type == "defer_statement"):
            continue
        called = text(callee(call))
        if _ENDING.search(called.rpartition(".")[2]) or called.startswith("context."):
            continue
        for one in arguments(call):
            if one.type == "call_expression" and module.names.qualified(callee(one)) in _NEW:
                yield module.finding(one, f"`{text(one)}` ignores the context of the spawn: use `{own_context}`")
            elif one.type == "identifier" and _is_outer(module, one, literal):
                yield module.finding(one, f"`{text(one)}` is the context of outside: use `{own_context}`")


def _context(module: GoModule, literal: Node) -> str | None:
    """The name of the context that a literal is given, if it uses it by one."""
    parameters = literal.child_by_field_name("parameters")
    for parameter in parameters.named_children if parameters is not None else ():
        name = text(parameter.child_by_field_name("name"))
        if module.names.qualified(parameter.child_by_field_name("type")) == CONTEXT:
            return name if name and not name.startswith("_") else None
    return None


def _is_outer(module: GoModule, identifier: Node, literal: Node) -> bool:
    """Whether a name is a context that was declared outside of the literal."""
    binding = module.names.lookup(identifier)
    if binding is None or literal.start_byte <= binding.node.start_byte < literal.end_byte:
        return False
    return binding.kind in ("var", "param") and module.names.type_of(identifier) == CONTEXT


RULE = Rule(
    code="PNC403",
    module=__name__,
    docs=__doc__ or "",
    go_words=("SafeGoWithContextAndComponent",),
    go=check_go,
)
