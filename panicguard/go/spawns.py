"""The spawns of a Go file: what starts a goroutine, and the function that runs in it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.apis import METHODS, RUNTIME, SAFEGO, SPAWNERS
from panicguard.go.nodes import callee, plain_arguments, statement_call, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.names import GoNames
    from panicguard.go.tree import Tree

_METHOD_NAMES = frozenset(name for _, name in METHODS)
_SAFE = frozenset((SAFEGO, f"{RUNTIME}.SafeGoWithContext", f"{RUNTIME}.SafeGo"))
_SPAWNING = tuple(sorted({name.rpartition(".")[2] for name in (*_SAFE, *SPAWNERS)} | _METHOD_NAMES))
"""The callee has one of these names, if the call is a spawn."""


class SpawnKind(str, enum.Enum):
    """How a goroutine is started."""

    BARE = "bare"
    """By a `go` statement."""
    SAFE = "safe"
    """By the runtime, which recovers."""
    UNGUARDED = "unguarded"
    """By a library, which does not."""


class Spawn(NamedTuple):
    """`node` is the `go` statement, or the call that starts a goroutine; `target` is the function expression passed to
    it, and `function` the literal or declaration of this file that it stands for."""

    kind: SpawnKind
    node: Node
    target: Node
    function: Node | None

    @property
    def literal(self) -> Node | None:
        """The function, if it is written where it is spawned."""
        return self.target if self.target.type == "func_literal" else None


def find(tree: Tree, names: GoNames) -> Iterator[Spawn]:
    """All spawns, grouped by kind, each group in the order of the text."""
    for statement in tree.all("go_statement"):
        call = statement_call(statement)
        target = callee(call) if call is not None else None
        if target is not None:
            yield Spawn(SpawnKind.BARE, statement, target, names.declared(target))
    for call in tree.calls(*_SPAWNING):
        handed = _handed(names, call)
        if handed is not None:
            kind, target = handed
            yield Spawn(kind, call, target, names.declared(target))


def _handed(names: GoNames, call: Node) -> tuple[SpawnKind, Node] | None:
    """The kind of spawn that a call is, and the function passed to it."""
    called = callee(call)
    if called is None:
        return None
    handed = plain_arguments(call)
    name = names.qualified(called)
    if name in _SAFE:
        return (SpawnKind.SAFE, handed[-1]) if handed else None
    index = SPAWNERS.get(name) if name is not None else _method(names, called)
    if index is None or index >= len(handed) or handed[index].type == "nil":
        return None
    return SpawnKind.UNGUARDED, handed[index]


def _method(names: GoNames, called: Node) -> int | None:
    """0 for a method that spawns its first argument, by the declared type of its receiver."""
    method = text(called.child_by_field_name("field"))
    if method not in _METHOD_NAMES:
        return None
    receiver = names.type_of(called.child_by_field_name("operand"))
    if receiver is None or (receiver, method) in names.methods:
        return None
    return 0 if any((kind, method) in METHODS for kind in (receiver, *names.embedded(receiver))) else None
