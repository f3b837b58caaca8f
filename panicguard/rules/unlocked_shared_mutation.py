"""Checks for goroutines that change shared variables without a lock.

## What it does

Reports, in Go, a function spawned in a loop that increments or decrements a variable from outside the loop, appends to
it, or, if it is a map, sets or deletes an entry, without taking a lock first; and one that sets a variable that the
spawner uses after the spawn, before it has waited for anything.

## Why is this bad

If two goroutines do it at once, one of the changes is lost; concurrent writes to a map end the process, and no
`recover` stops that.

## Example

```go
package p

import (
        "context"

        "example.com/app/mruntime"
)

func f(ctx context.Context) int {
        n := 0
        for range 10 {
                mruntime.SafeGoWithContextAndComponent(ctx, "count", mruntime.KeepRunning, func(_ context.Context) {
                        n++
                })
        }
        return n
}
```

## Use instead

```go
package p

import (
        "context"
        "sync/atomic"

        "example.com/app/mruntime"
)

func f(ctx context.Context) int64 {
        var n atomic.Int64
        for range 10 {
                mruntime.SafeGoWithContextAndComponent(ctx, "count", mruntime.KeepRunning, func(_ context.Context) {
                        n.Add(1)
                })
        }
        return n.Load()
}
```
"""

from __future__ import annotations

import bisect
import functools
from typing import TYPE_CHECKING

from panicguard.go.apis import SPAWN_WORDS
from panicguard.go.loops import is_joined_in_turn, loops
from panicguard.go.nodes import function
from panicguard.go.scopes import BindingKind
from panicguard.go.sharing import changed, sets, unlocked, uses, waits
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile
    from panicguard.go.scopes import Binding
    from panicguard.go.spawns import Spawn


def check_go(module: GoFile) -> Iterator[Finding]:
    find_waits, find_uses = functools.cache(waits), functools.cache(functools.partial(uses, module))
    for spawn in module.spawns:
        if spawn.literal is None:
            continue
        nodes = unlocked(spawn.literal)
        yield from _changed_at_once(module, spawn, nodes)
        around = function(spawn.node)
        if around is None:
            continue
        for target, binding in sets(module, nodes):
            is_shared = around.start_byte <= binding.node.start_byte < spawn.node.start_byte
            if is_shared and _is_used_first(spawn.node.end_byte, find_uses(binding, around), find_waits(around)):
                message = f"`{binding.name}` is set by the goroutine and used below; wait for the goroutine first"
                yield module.finding(target, message)


def _changed_at_once(module: GoFile, spawn: Spawn, nodes: list[Node]) -> Iterator[Finding]:
    """The variables that the goroutines of a loop change together."""
    around = list(loops(spawn.node))
    if not around or is_joined_in_turn(spawn):
        return
    for node in nodes:
        variable = changed(module, node)
        binding = module.names.lookup(variable) if variable is not None else None
        if binding is not None and binding.kind is not BindingKind.CONST and _is_outside(binding, around[-1]):
            message = f"`{binding.name}` is changed by several goroutines at once; hold a lock"
            yield module.finding(node, message)


def _is_outside(binding: Binding, loop: Node) -> bool:
    return not loop.start_byte <= binding.node.start_byte < loop.end_byte


def _is_used_first(after: int, used: list[int], waited: list[int]) -> bool:
    """Whether the first of the sorted places (byte offsets) after another is a use, not a wait."""
    use, wait = bisect.bisect_left(used, after), bisect.bisect_left(waited, after)
    return use < len(used) and (wait == len(waited) or used[use] < waited[wait])


RULE = Rule(
    "PNC502",
    go=Check(check_go, words=SPAWN_WORDS),
)
