"""Checks for `SafeGoWithContext`, which names no component.

## What it does

Reports calls of the runtime's `SafeGoWithContext(ctx, policy, fn)`; in Go every use of it, and of `SafeGo`, which
has no context.

## Why is this bad

Without a component, the log record and the counters of a panic do not say which part of the system failed.

## Example

```python
from panicguard import mruntime


def work(ctx): ...


def main(ctx):
    mruntime.SafeGoWithContext(ctx, mruntime.KeepRunning, work)
```

## Use instead

```python
from panicguard import mruntime


def work(ctx): ...


def main(ctx):
    mruntime.SafeGoWithContextAndComponent(ctx, "work", mruntime.KeepRunning, work)
```

In Go:

```go
package p

import (
        "context"

        "example.com/app/mruntime"
)

func work(context.Context) {}

func f(ctx context.Context) {
        mruntime.SafeGoWithContext(ctx, mruntime.KeepRunning, work)
}
```

and instead:

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

## Fix safety

The fix is safe: the call does the same and counts under a component. There is no fix for arguments passed with `*` or
`**`, or by name.

## Options

- `component`: the component for the path
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import RUNTIME
from panicguard.go.nodes import is_called, text
from panicguard.python.evidence import Evidence
from panicguard.python.fixes.component import component_fix
from panicguard.rule import Check, Fixes, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile
    from panicguard.python.file import PythonFile


def check(module: PythonFile) -> Iterator[Finding]:
    for spawn in module.spawns:
        if spawn.api == "mruntime.SafeGoWithContext":
            message = "`SafeGoWithContext` names no component; use `SafeGoWithContextAndComponent`"
            yield module.finding(spawn.call.func, message, component_fix(module, spawn))


_DEPRECATED = {
    f"{RUNTIME}.SafeGoWithContext": "names no component",
    f"{RUNTIME}.SafeGo": "passes no context",
}


def check_go(module: GoFile) -> Iterator[Finding]:
    from panicguard.go.fixes.component import component_fix as go_component_fix  # only where there is Go

    for leaf in module.tree.leaves(*(name.rpartition(".")[2] for name in _DEPRECATED)):
        node = leaf.parent if leaf.type == "field_identifier" else leaf
        name, short = module.names.qualified(node), text(leaf)
        if node is not None and name in _DEPRECATED:
            call = is_called(node) if short == "SafeGoWithContext" else None
            fix = go_component_fix(module, call) if call is not None else None
            yield module.finding(node, f"`{short}` {_DEPRECATED[name]}; use `SafeGoWithContextAndComponent`", fix)


RULE = Rule(
    "PNC201",
    python=Check(check, words=("SafeGoWithContext",), evidence={Evidence.SPAWNS}),
    go=Check(check_go, words=("SafeGo",)),
    fix=Fixes.SOMETIMES,
)
