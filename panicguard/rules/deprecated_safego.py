"""Checks for `SafeGoWithContext`, which names no component.

## What it does

Reports calls of the runtime's `SafeGoWithContext(ctx, policy, fn)`.

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

## Fix safety

The fix is safe: the call does the same and counts under a component. There is none for arguments passed with
`*` or `**`, or by name.

## Options

- `component`: the component for the path
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.rewrite import component_fix
from panicguard.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.model import Finding
    from panicguard.python.module import Module


def check(module: Module) -> Iterator[Finding]:
    for spawn in module.spawns:
        if spawn.api == "mruntime.SafeGoWithContext":
            message = "`SafeGoWithContext` names no component: use `SafeGoWithContextAndComponent`"
            yield module.finding(spawn.call.func, message, component_fix(module, spawn))


RULE = Rule(
    code="PNC201",
    module=__name__,
    docs=__doc__ or "",
    words=("SafeGoWithContext",),
    python=check,
    fix="Sometimes",
)
