"""Checks for spawns with an empty component.

## What it does

Reports a call of `SafeGoWithContextAndComponent`, `Supervise` or `NewGroup` in Go whose component is an empty string,
blanks, or a placeholder such as `TODO`; a constant of the same file counts as its value.

## Why is this bad

The log records and the counters of panics are grouped by component. An empty one lumps every failure together under a
blank label.

## Example

```go
package p

import (
        "context"

        "example.com/app/mruntime"
)

func work(context.Context) {}

func f(ctx context.Context) {
        mruntime.SafeGoWithContextAndComponent(ctx, "", mruntime.KeepRunning, work)
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
        mruntime.SafeGoWithContextAndComponent(ctx, "worker", mruntime.KeepRunning, work)
}
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import NAMING_WORDS
from panicguard.go.nodes import arguments, plain, text
from panicguard.go.scopes import BindingKind
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile

_PLACEHOLDERS = frozenset(("", "todo", "fixme", "xxx", "tbd", "component", "changeme"))
_WITH_LOGGER = 6
"""The number of arguments of the form that has a logger before the component."""


def check_go(module: GoFile) -> Iterator[Finding]:
    for call in module.namings:
        handed = arguments(call)
        if len(handed) < 3:
            continue
        component = handed[2 if len(handed) == _WITH_LOGGER else 1]
        label = _literal(module, component)
        if label is not None and label.strip().lower() in _PLACEHOLDERS:
            yield module.finding(component, "The component is empty; name the part of the system that runs this")


def _literal(module: GoFile, node: Node) -> str | None:
    """The string that an expression stands for, if it is written in this file."""
    value = plain(node)
    if value is not None and value.type == "identifier":
        binding = module.names.lookup(value)
        value = plain(binding.value) if binding is not None and binding.kind is BindingKind.CONST else None
    if value is None or value.type not in ("interpreted_string_literal", "raw_string_literal"):
        return None
    return text(value)[1:-1]


RULE = Rule(
    "PNC202",
    go=Check(check_go, words=NAMING_WORDS),
)
