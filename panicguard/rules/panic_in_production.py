"""Checks for code that panics where it could return an error.

## What it does

Reports, in Go, a call of the builtin `panic` and of `log.Panic`, `log.Panicf` and `log.Panicln`, except for those in
`main`, `init`, functions whose names begin with `Must`, packages named `assert`, and a panic with a value that
`recover` has just returned. Off unless it is selected.

## Why is this bad

A panic takes down the whole process, or a whole request, because of something that the caller might have handled.

## Example

```go
package p

func half(n int) int {
        if n%2 != 0 {
                panic("odd")
        }
        return n / 2
}
```

## Use instead

```go
package p

import "errors"

func half(n int) (int, error) {
        if n%2 != 0 {
                return 0, errors.New("odd")
        }
        return n / 2, nil
}
```
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from panicguard.go.nodes import ancestors, arguments, callee, plain, text
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile

_LOGGERS = ("log.Panic", "log.Panicf", "log.Panicln")
_PACKAGES = frozenset(("assert", "mruntime"))
"""Packages whose purpose is to panic."""


def check_go(module: GoFile) -> Iterator[Finding]:
    if PurePath(module.source.path).parent.name in _PACKAGES:
        return
    builtin = (call for call in module.tree.calls("panic") if module.names.is_builtin(callee(call), "panic"))
    panics = (call for call in builtin if not _is_recovered(module, call))
    for call in (*panics, *module.calls(*_LOGGERS)):
        if not _may_panic(call):
            yield module.finding(call, f"`{text(callee(call))}` in production code; return an error")


def _may_panic(call: Node) -> bool:
    for above in ancestors(call):
        if above.type == "function_declaration":
            name = text(above.child_by_field_name("name"))
            return name in ("main", "init") or name.startswith(("Must", "must"))
        if above.type == "method_declaration":
            return text(above.child_by_field_name("name")).startswith(("Must", "must"))
    return False


def _is_recovered(module: GoFile, call: Node) -> bool:
    """Whether the value of the panic was recovered before."""
    handed = arguments(call)
    value = plain(handed[0]) if len(handed) == 1 else None
    binding = module.names.lookup(value) if value is not None and value.type == "identifier" else None
    return binding is not None and plain(binding.value) in module.recovers


RULE = Rule(
    "PNC311",
    go=Check(check_go, words=("panic", "Panic")),
    default=False,
)
