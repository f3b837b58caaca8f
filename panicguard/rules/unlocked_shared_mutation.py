"""Checks for goroutines that change what they share without a lock.

## What it does

Reports, in Go, a function spawned in a loop that counts a variable of outside the loop up or down, appends to it, or,
if it is a map, sets or deletes an entry, and has taken no lock before; and one that sets a variable which the spawner
uses below the spawn, before it has waited for anything.

## Why is this bad

Two goroutines that do it at once lose one of the two changes; a map that is written twice at once ends the process,
and no `recover` stops that.

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
import re
from typing import TYPE_CHECKING

from panicguard.go.apis import SPAWN_WORDS
from panicguard.go.nodes import arguments, callee, function, listed, own, plain, text
from panicguard.go.spawns import joins, loops
from panicguard.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.go.scopes import Binding
    from panicguard.go.spawns import Spawn
    from panicguard.model import Finding

_CHANNELS = frozenset(("identifier", "selector_expression", "index_expression"))
"""What, where one value is taken from it a turn, may be a channel."""
_WAITING = re.compile(
    r"wait|join|sync|lock|done|stop|close|finish|shutdown|drain|recv|receive|read|accept|load|swap|atomic",
    re.IGNORECASE,
)
"""What a call may be named that waits for others, or shares with them what no lock is needed for."""
_LOCKS = frozenset(("Lock", "TryLock", "Acquire", "Do"))
_SETTING = ("assignment_statement", "short_var_declaration")


def check_go(module: GoModule) -> Iterator[Finding]:
    waits, uses = functools.cache(_waits), functools.cache(functools.partial(_uses, module))
    for spawn in module.spawns:
        literal = spawn.literal
        if literal is None:
            continue
        locked = min((node.start_byte for node in own(literal) if _takes_lock(node)), default=len(module.tree.data))
        unlocked = [node for node in own(literal) if node.start_byte <= locked]
        yield from _changed_at_once(module, spawn, unlocked)
        around = function(spawn.node)
        if around is None:
            continue
        after = spawn.node.end_byte
        for target, binding in _set(module, unlocked):
            used = _next(uses(binding, around), after)
            is_shared = around.start_byte <= binding.node.start_byte < spawn.node.start_byte
            if is_shared and used is not None and used < (_next(waits(around), after) or around.end_byte):
                message = f"`{binding.name}` is set by the goroutine and used below, and nothing waits between"
                yield module.finding(target, message)


def _changed_at_once(module: GoModule, spawn: Spawn, unlocked: list[Node]) -> Iterator[Finding]:
    """What the goroutines of a loop change together."""
    around = list(loops(spawn.node))
    if not around or joins(around[0], spawn.node):
        return
    for node in unlocked:
        changed = _changed(module, node)
        binding = module.names.lookup(changed) if changed is not None else None
        if binding is not None and binding.kind != "const" and _is_outside(binding, around[-1]):
            message = f"`{binding.name}` is changed by many goroutines at once, and no lock is held"
            yield module.finding(node, message)


def _set(module: GoModule, nodes: list[Node]) -> Iterator[tuple[Node, Binding]]:
    """The names that are just set, with what they stand for."""
    for node in nodes:
        if node.type == "assignment_statement" and text(node.child_by_field_name("operator")) == "=":
            for target in listed(node.child_by_field_name("left")):
                binding = module.names.lookup(target) if target.type == "identifier" else None
                if binding is not None and binding.name != "_":
                    yield target, binding


def _uses(module: GoModule, binding: Binding, around: Node) -> list[int]:
    """Where a function itself uses a variable, more than taking its address, as bytes, sorted."""
    return sorted(
        _when_used(leaf)
        for leaf in module.tree.leaves(binding.name)
        if leaf.type == "identifier"
        and not (leaf.parent is not None and leaf.parent.type == "unary_expression" and text(leaf.parent)[0] == "&")
        and function(leaf) == around
        and module.names.lookup(leaf) is binding
    )


def _when_used(leaf: Node) -> int:
    """Where a variable is used: one that is set, behind what it is set to, which may wait first."""
    targets = leaf.parent
    statement = targets.parent if targets is not None and targets.type == "expression_list" else None
    if statement is not None and statement.type in _SETTING and statement.child_by_field_name("left") == targets:
        return statement.end_byte
    return leaf.start_byte


def _waits(around: Node) -> list[int]:
    """Where a function may wait for others, as bytes: it receives, selects, or calls what has a name like that."""
    return [
        node.start_byte
        for node in own(around)
        if node.type == "select_statement"
        or _takes_lock(node)
        or (node.type == "call_expression" and _WAITING.search(text(callee(node))) is not None)
    ]


def _next(places: list[int], at: int) -> int | None:
    """The first of some places, in order, that is not before another one."""
    index = bisect.bisect_left(places, at)
    return places[index] if index < len(places) else None


def _takes_lock(node: Node) -> bool:
    """Whether others may be kept out from here on: by a lock, or by a channel, sent to or received from."""
    if node.type in ("send_statement", "receive_statement"):
        return True
    if node.type == "unary_expression":
        return text(node).startswith("<-")
    if node.type == "range_clause":
        ranged = node.child_by_field_name("right")
        return ranged is not None and len(listed(node.child_by_field_name("left"))) < 2 and ranged.type in _CHANNELS
    called = callee(node) if node.type == "call_expression" else None
    return called is not None and text(called.child_by_field_name("field")) in _LOCKS


def _changed(module: GoModule, node: Node) -> Node | None:
    """The variable that a statement or a call changes by reading it first, or the map that it writes."""
    match node.type:
        case "inc_statement" | "dec_statement":
            return _variable(module, node.named_children[0])
        case "assignment_statement":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            if left is None or right is None or len(left.named_children) != 1:
                return None
            target = left.named_children[0]
            if text(node.child_by_field_name("operator")) != "=" or target.type == "index_expression":
                return _variable(module, target)
            value = right.named_children[0] if right.named_children else None
            appends = (
                value is not None
                and value.type == "call_expression"
                and module.names.is_builtin(callee(value), "append")
                and bool(given := arguments(value))
                and text(given[0]) == text(target)
            )
            return target if appends and target.type == "identifier" else None
        case "call_expression" if module.names.is_builtin(callee(node), "delete"):
            given = arguments(node)
            return given[0] if given and given[0].type == "identifier" else None
    return None


def _variable(module: GoModule, target: Node) -> Node | None:
    """The variable that is a target, or the map of which an entry is."""
    if target.type == "identifier":
        return target
    mapping = target.child_by_field_name("operand") if target.type == "index_expression" else None
    if mapping is None or mapping.type != "identifier":
        return None
    binding = module.names.lookup(mapping)
    return mapping if binding is not None and _is_map(module, binding) else None


def _is_map(module: GoModule, binding: Binding) -> bool:
    value = plain(binding.value)
    kind = binding.type
    if kind is None and value is not None and value.type == "composite_literal":
        kind = value.child_by_field_name("type")
    if kind is None and value is not None and value.type == "call_expression":
        given = arguments(value)
        kind = given[0] if given and module.names.is_builtin(callee(value), "make") else None
    return kind is not None and kind.type == "map_type"


def _is_outside(binding: Binding, loop: Node) -> bool:
    return not loop.start_byte <= binding.node.start_byte < loop.end_byte


RULE = Rule(
    code="PNC502",
    module=__name__,
    docs=__doc__ or "",
    go_words=SPAWN_WORDS,
    go=check_go,
)
