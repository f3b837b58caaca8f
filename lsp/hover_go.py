"""The spawn at a place in a Go file, and what there is to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.fixes.component import component
from panicguard.go.module import parse
from panicguard.go.nodes import arguments, callee, text
from panicguard.go.spawns import SpawnKind

from .hover import Site, short

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.go.spawns import Spawn
    from panicguard.settings import Settings
    from panicguard.source import Source

_ARGUMENTS = {"SafeGoWithContextAndComponent": (1, 2), "SafeGoWithContext": (None, 1), "SafeGo": (0, 1)}
"""Which arguments of the runtime's functions are the component and the policy."""


def site_at(source: Source, settings: Settings, offset: int) -> Site | None:
    module = parse(source, settings)
    for spawn in module.spawns:
        start, end = _span(module, spawn)
        if start <= offset <= end:
            return _site(module, spawn, start, end)
    return None


def _span(module: GoModule, spawn: Spawn) -> tuple[int, int]:
    """What is called; of a `go` statement from the keyword on, and of a literal up to its parameters."""
    if spawn.kind is not SpawnKind.BARE:
        return module.span(_called(spawn))
    last = spawn.target.child_by_field_name("parameters") or spawn.target
    return module.tree.offset(spawn.node.start_byte), module.tree.offset(last.end_byte)


def _called(spawn: Spawn) -> Node:
    return callee(spawn.node) or spawn.node


def _site(module: GoModule, spawn: Spawn, start: int, end: int) -> Site:
    safe = spawn.kind is SpawnKind.SAFE
    of_a_fix = "" if safe else " of a fix"
    named, policy = _given(spawn) if safe else (component(module, spawn.node), module.settings.default_policy)
    handle, reason = _handle(module, spawn)
    facts = (
        ("API", _api(module, spawn)),
        ("Target", _target(module, spawn)),
        (f"Component{of_a_fix}", f"`{named}`"),
        (f"Policy{of_a_fix}", f"`{policy}`"),
        ("Owner", _owner(module, spawn)),
        ("Handle", handle),
    )
    return Site(start, end, facts, reason)


def _handle(module: GoModule, spawn: Spawn) -> tuple[str, str | None]:
    """What becomes of a panic, of which no handle tells, and why the spawn is safe, if it is."""
    if spawn.kind is SpawnKind.SAFE:
        return "none: SafeGo recovers from a panic", "the runtime guards it"
    if spawn.kind is SpawnKind.UNGUARDED and spawn.function is not None and module.is_guarded(spawn.function):
        return "none: its function recovers from a panic", "its function begins with a `defer` that recovers"
    return "none: a panic ends the process", None


def _given(spawn: Spawn) -> tuple[str, str]:
    """The component and the policy that a call of the runtime is given."""
    called = _called(spawn)
    name = text(called.child_by_field_name("field") or called)
    given = [short(text(argument)) for argument in arguments(spawn.node)]
    first, second = (given[i] if i is not None and i < len(given) else "none" for i in _ARGUMENTS[name])
    return first, second


def _api(module: GoModule, spawn: Spawn) -> str:
    """The keyword, the name of a function with its package, or that of a method with its type."""
    if spawn.kind is SpawnKind.BARE:
        return "`go`"
    called = _called(spawn)
    operand, method = called.child_by_field_name("operand"), text(called.child_by_field_name("field"))
    return f"`{module.names.qualified(called) or f'{module.names.type_of(operand)}.{method}'}`"


def _target(module: GoModule, spawn: Spawn) -> str:
    target = f"`{short(text(spawn.target))}`"
    if spawn.function is None or spawn.literal is not None:
        return target
    return f"{target} (line {module.source.location(module.span(spawn.function)[0])[0]})"


def _owner(module: GoModule, spawn: Spawn) -> str:
    """What the goroutine is started on: a group, or none."""
    called = _called(spawn)
    is_method = spawn.kind is SpawnKind.UNGUARDED and module.names.qualified(called) is None
    return f"`{short(text(called.child_by_field_name('operand')))}`" if is_method else "none"
