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

## Fix safety

The fix names the context of the spawn, and is unsafe: who handed over another one may have wanted the work to go on
when the spawn is cancelled. There is none where that name stands for something else, where a variable would be left
that nobody reads, and for `nil`: only the author knows which context was meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.go.apis import CONTEXT, SAFEGO
from panicguard.go.fixes.alignment import aligned
from panicguard.go.nodes import arguments, callee, in_error, own, text
from panicguard.model import Applicability, Edit, Fix
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
    name = text(own_context)
    for call in own(literal):
        if call.type != "call_expression" or (call.parent is not None and call.parent.type == "defer_statement"):
            continue
        called = text(callee(call))
        if _ENDING.search(called.rpartition(".")[2]) or called.startswith("context."):
            continue
        for one in arguments(call):
            if one.type == "call_expression" and module.names.qualified(callee(one)) in _NEW:
                fix = _fix(module, one, own_context)
                yield module.finding(one, f"`{text(one)}` ignores the context of the spawn: use `{name}`", fix)
            elif one.type == "identifier" and _is_outer(module, one, literal):
                fix = _fix(module, one, own_context) if _is_read_outside(module, one, literal) else None
                yield module.finding(one, f"`{text(one)}` is the context of outside: use `{name}`", fix)


def _context(module: GoModule, literal: Node) -> Node | None:
    """The context that a literal is given, if it has a name."""
    parameters = literal.child_by_field_name("parameters")
    for parameter in parameters.named_children if parameters is not None else ():
        name = parameter.child_by_field_name("name")
        if module.names.qualified(parameter.child_by_field_name("type")) == CONTEXT:
            return name if not text(name).startswith("_") else None
    return None


def _fix(module: GoModule, other: Node, context: Node) -> Fix | None:
    """The fix that puts the context of the spawn in the place of another one, if its name stands for it there."""
    binding = module.names.lookup(other, text(context))
    if binding is None or binding.node != context.parent or in_error(other):
        return None
    edits = aligned(module.source, Edit(*module.span(other), text(context)))
    return Fix(f"Use `{text(context)}`", tuple(edits), Applicability.UNSAFE)


def _is_read_outside(module: GoModule, identifier: Node, literal: Node) -> bool:
    """Whether a variable is read outside of the literal too: one that is read nowhere does not compile."""
    binding = module.names.lookup(identifier)
    if binding is None or binding.kind == "param":
        return True
    written = module.names.assigned(binding)
    return any(
        node.start_byte >= literal.end_byte or binding.start <= node.start_byte < literal.start_byte
        for node in module.tree.leaves(binding.name)
        if node.type == "identifier" and node not in written and module.names.lookup(node) is binding
    )


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
    fix="Sometimes",
)
