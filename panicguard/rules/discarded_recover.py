"""Checks for recovered panics that are silently discarded.

## What it does

Reports a `recover()` in Go whose value is thrown away: as a statement of its own, assigned to `_`, or only compared
with nil, and nothing is done about the panic. A branch that calls something, sends, or sets a variable does something.

## Why is this bad

The panic is gone without a log record, a count or an error: whatever failed keeps failing, and nobody knows.

## Example

```go
package p

func work() {}

func f() {
        defer func() {
                _ = recover()
        }()
        work()
}
```

## Use instead

```go
package p

import "log"

func work() {}

func f() {
        defer func() {
                if r := recover(); r != nil {
                        log.Println("work failed", r)
                }
        }()
        work()
}
```

## Fix safety

A deferred literal that does nothing else becomes a deferred `RecoverAndLog` of the runtime. The fix is unsafe: the
panic is now reported, which somebody may have wanted to prevent. There is no fix where the runtime takes other
arguments (`go-call`), nor for anything else, because only the author knows what should be done.

## Options

- `go-runtime`, `component`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Edit, Fix
from panicguard.go.fixes.alignment import aligned
from panicguard.go.nodes import arguments, function, in_error, is_called, statements, text, within
from panicguard.go.recovery import is_deferred, is_discarded, misplaced
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile


def check_go(module: GoFile) -> Iterator[Finding]:
    for call in module.recovers:
        if is_discarded(module, call) and misplaced(module, call) is None:
            message = "The recovered panic is discarded; log it, or turn it into an error"
            yield module.finding(call, message, _fix(module, call))


def _fix(module: GoFile, call: Node) -> Fix | None:
    """The fix for a deferred literal that does nothing else."""
    from panicguard.go.fixes.component import component, quoted
    from panicguard.go.fixes.imports import runtime_package  # only where there is Go

    literal = function(call)
    deferred = is_called(literal) if literal is not None and is_deferred(literal) else None
    if literal is None or deferred is None or deferred.parent is None or not module.is_fixable or in_error(literal):
        return None
    only = statements(literal.child_by_field_name("body"))
    throws = len(only) == 1 and text(only[0]) in ("recover()", "_ = recover()")
    if not throws or any(node.type == "comment" for node in within(deferred)) or arguments(deferred):
        return None
    runtime_and_imports = runtime_package(module, deferred) if module.has_own_runtime else None
    if runtime_and_imports is None:
        return None
    runtime, imports = runtime_and_imports
    replacement = f"{runtime}.RecoverAndLog({quoted(component(module, deferred))})"
    edits = (*aligned(module.source, Edit(*module.span(deferred), replacement)), *imports)
    return Fix(f"Defer `{runtime}.RecoverAndLog`", tuple(sorted(edits)), Applicability.UNSAFE)


RULE = Rule(
    "PNC302",
    go=Check(check_go, words=("recover",)),
    fix=Fixes.SOMETIMES,
)
