"""Checks for goroutines that change shared variables without a lock.

## What it does

Reports, in Go, a function spawned in a loop that increments or decrements a variable from outside the loop or a field
of one, appends to it, sets it whoever it is, or, if it is a map, sets or deletes an entry, without holding a lock; and
one that changes a variable that the spawner uses after the spawn, before it has waited for anything that the function
does afterwards. A loop that waits for what it starts, or ends with it, is fine.

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
from panicguard.go.locks import unlocked
from panicguard.go.loops import is_joined_in_turn, is_left_in_turn, loops
from panicguard.go.nodes import function, own, text
from panicguard.go.scopes import BindingKind
from panicguard.go.sharing import changes, is_conditional, uses, waits, waits_for
from panicguard.rule import Check, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.diagnostic import Finding
    from panicguard.go.file import GoFile
    from panicguard.go.scopes import Binding
    from panicguard.go.sharing import Change
    from panicguard.go.spawns import Spawn


def check_go(module: GoFile) -> Iterator[Finding]:
    find_waits, find_uses = functools.cache(waits), functools.cache(functools.partial(uses, module))
    for spawn in module.spawns:
        if spawn.literal is None:
            continue
        nodes, seen = list(own(spawn.literal)), set()
        for change in _changed_at_once(module, spawn, nodes):
            seen.add(change.node)
            message = f"`{text(change.variable)}` is changed by several goroutines at once; hold a lock"
            yield module.finding(change.node, message)
        around = function(spawn.node)
        if around is None:
            continue
        for change in changes(module, unlocked(nodes, sending=False)):
            binding = change.binding
            is_shared = around.start_byte <= binding.node.start_byte < spawn.node.start_byte
            if not is_shared or change.variable.type != "identifier" or change.node in seen:
                continue
            used = find_uses(binding, around)
            if _is_used_first(spawn, used, waits_for(spawn, around, change.node, find_waits(around)) if used else []):
                message = f"`{binding.name}` is set by the goroutine and used below; wait for the goroutine first"
                yield module.finding(change.node, message)


def _changed_at_once(module: GoFile, spawn: Spawn, nodes: list[Node]) -> Iterator[Change]:
    """The variables that the goroutines of a loop change together."""
    around = list(loops(spawn.node))
    if not around or is_joined_in_turn(spawn) or is_left_in_turn(spawn):
        return
    for change in changes(module, unlocked(nodes)):
        if change.binding.kind is BindingKind.CONST or not _is_outside(change.binding, around[-1]):
            continue
        if not change.is_set or not is_conditional(change.node, spawn.target):
            yield change


def _is_outside(binding: Binding, loop: Node) -> bool:
    return not loop.start_byte <= binding.node.start_byte < loop.end_byte


def _is_used_first(spawn: Spawn, used: list[int], waited: list[int]) -> bool:
    """Whether the first of the sorted places (byte offsets) behind a spawn is a use, not a wait."""
    after = spawn.node.end_byte
    use, wait = bisect.bisect_left(used, after), bisect.bisect_left(waited, after)
    return use < len(used) and (wait == len(waited) or used[use] < waited[wait])


RULE = Rule(
    "PNC502",
    go=Check(check_go, words=SPAWN_WORDS),
)
