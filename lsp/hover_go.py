"""The spawn at a place in a Go file, and what there is to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.module import parse
from panicguard.go.nodes import arguments, callee, text
from panicguard.go.rewrite import component

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
    if spawn.kind != "bare":
        return module.span(_called(spawn))
    last = spawn.target.child_by_field_name("parameters") or spawn.target
    return module.tree.offset(spawn.node.start_byte), module.tree.offset(last.end_byte)


def _called(spawn: Spawn) -> Node:
    return callee(spawn.node) or spawn.node


def _site(module: GoModule, spawn: Spawn, start: int, end: int) -> Site:
    called = _called(spawn)
    guarded = spawn.kind == "unguarded" and spawn.function is not None and module.is_guarded(spawn.function)
    said = f"{component(module, spawn.node)}", module.settings.default_policy
    of_a_fix, handle, reason = " of a fix", "none: a panic ends the process", None
    if spawn.kind == "safe":
        said, of_a_fix, handle = _given(spawn), "", "none: SafeGo recovers from a panic"
        reason = "the runtime guards it"
    elif guarded:
        handle, reason = "none: its function recovers from a panic", "its function begins with a `defer` that recovers"
    facts = (
        ("API", "`go`" if spawn.kind == "bare" else f"`{_api(module, called)}`"),
        ("Target", _target(module, spawn)),
        (f"Component{of_a_fix}", f"`{said[0]}`"),
        (f"Policy{of_a_fix}", f"`{said[1]}`"),
        ("Owner", _owner(module, spawn, called)),
        ("Handle", handle),
    )
    return Site(start, end, facts, reason)


def _given(spawn: Spawn) -> tuple[str, str]:
    """The component and the policy that a call of the runtime is given."""
    called = _called(spawn)
    name = text(called.child_by_field_name("field") or called)
    given = [short(text(argument)) for argument in arguments(spawn.node)]
    first, second = (given[i] if i is not None and i < len(given) else "none" for i in _ARGUMENTS[name])
    return first, second


def _api(module: GoModule, called: Node) -> str:
    """The name of a function with its package, or of a method with its type."""
    method = text(called.child_by_field_name("field"))
    name = module.names.qualified(called)
    return name or f"{module.names.type_of(called.child_by_field_name('operand'))}.{method}"


def _target(module: GoModule, spawn: Spawn) -> str:
    target = f"`{short(text(spawn.target))}`"
    if spawn.function is None or spawn.literal is not None:
        return target
    return f"{target} (line {module.source.location(module.span(spawn.function)[0])[0]})"


def _owner(module: GoModule, spawn: Spawn, called: Node) -> str:
    """What the goroutine is started on: a group, or none."""
    operand = called.child_by_field_name("operand")
    is_method = spawn.kind == "unguarded" and module.names.qualified(called) is None
    return f"`{short(text(operand))}`" if is_method else "none"
