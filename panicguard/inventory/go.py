"""The spawns of a Go file in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.file import parse
from panicguard.go.fixes.component import component
from panicguard.go.guards import is_guarded
from panicguard.go.nodes import arguments, callee, generic, text
from panicguard.go.spawns import SpawnKind, naming
from panicguard.inventory.site import SpawnSite, short

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.spawns import Spawn
    from panicguard.settings import Settings
    from panicguard.source import Source

_ARGUMENTS = {"SafeGoWithContext": (None, 1), "SafeGo": (0, 1)}
"""The indices of the component and the policy in the arguments of the runtime's functions that get no context, or no
component, first."""

_RECOVERED = "none: SafeGo recovers from a panic"
_SURVIVED = {"Supervise": "none: Supervise starts it again", "Go": "the group, which returns a panic as an error"}


def site_at(source: Source, settings: Settings, offset: int) -> SpawnSite | None:
    """The spawn whose called function, or `go` statement up to its function's body, contains an offset (code points);
    None if there is none."""
    module = parse(source, settings)
    for spawn in module.spawns:
        start, end = _span(module, spawn)
        if start <= offset <= end:
            return site(module, spawn)
    return None


def site(module: GoFile, spawn: Spawn) -> SpawnSite:
    """A spawn in plain words."""
    start, end = _span(module, spawn)
    is_safe = spawn.kind is SpawnKind.SAFE
    default_policy = module.settings.default_policy
    named, policy = _passed(module, spawn) if is_safe else (component(module, spawn.node), default_policy)
    handle, safe_because = _handle(module, spawn)
    return SpawnSite(
        start,
        end,
        api=_api(module, spawn),
        target=short(text(spawn.target)),
        target_line=_target_line(module, spawn),
        component=named,
        policy=policy,
        is_proposed=not is_safe,
        owner=_owner(module, spawn),
        handle=handle,
        safe_because=safe_because,
    )


def _span(module: GoFile, spawn: Spawn) -> tuple[int, int]:
    """The function that is called; of a `go` statement, from the keyword up to the body of its function."""
    if spawn.kind is not SpawnKind.BARE:
        return module.span(_called(spawn))
    last = spawn.target.child_by_field_name("parameters") or spawn.target
    return module.tree.offset(spawn.node.start_byte), module.tree.offset(last.end_byte)


def _called(spawn: Spawn) -> Node:
    return callee(spawn.node) or spawn.node


def _handle(module: GoFile, spawn: Spawn) -> tuple[str, str | None]:
    """What happens to a panic, since no handle reports it; and why the spawn is safe, if it is."""
    if spawn.kind is SpawnKind.SAFE:
        return _SURVIVED.get(text(_called(spawn)).rpartition(".")[2], _RECOVERED), "the runtime guards it"
    if spawn.kind is SpawnKind.UNGUARDED and is_guarded(module, spawn.target):
        return "none: its function recovers from a panic", "its function begins with a `defer` that recovers"
    return "none: a panic ends the process", None


def _passed(module: GoFile, spawn: Spawn) -> tuple[str, str]:
    """The component and the policy that a call of the runtime passes."""
    call = naming(module.names, spawn)
    if call is None:
        return "none", "none"
    called = generic(callee(call))
    name = text(called.child_by_field_name("field") or called) if called is not None else ""
    passed = [short(text(argument)) for argument in arguments(call)]
    first, second = (passed[i] if i is not None and i < len(passed) else "none" for i in _ARGUMENTS.get(name, (1, 2)))
    return first, second


def _api(module: GoFile, spawn: Spawn) -> str:
    """The keyword, a function with its package, or a method with its type."""
    if spawn.kind is SpawnKind.BARE:
        return "go"
    called = _called(spawn)
    operand, method = called.child_by_field_name("operand"), text(called.child_by_field_name("field"))
    return module.names.qualified(called) or f"{module.names.type_of(operand)}.{method}"


def _target_line(module: GoFile, spawn: Spawn) -> int | None:
    """The line of the function that runs, unless it is a literal."""
    if spawn.function is None or spawn.literal is not None:
        return None
    return module.source.location(module.span(spawn.function)[0])[0]


def _owner(module: GoFile, spawn: Spawn) -> str | None:
    """The group that the goroutine is started on."""
    called = _called(spawn)
    is_method = spawn.kind is not SpawnKind.BARE and module.names.qualified(called) is None
    return short(text(called.child_by_field_name("operand"))) if is_method else None
