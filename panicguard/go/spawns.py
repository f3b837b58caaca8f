"""The spawns of a Go file: what starts a goroutine, and the function that runs in it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.apis import HOOKS, METHODS, RUNTIME, SAFEGO, SPAWNERS
from panicguard.go.nodes import callee, parts, plain_arguments, statement_call, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.names import GoNames
    from panicguard.go.tree import Tree

_PACKAGES: dict[str, set[str]] = {}
"""Package -> the methods of its types that spawn."""
for _kind, _method_name in METHODS:
    _PACKAGES.setdefault(_kind.rpartition(".")[0], set()).add(_method_name)
_FIELDS = frozenset(field for _, field in HOOKS)
_SAFE = frozenset((SAFEGO, f"{RUNTIME}.SafeGoWithContext", f"{RUNTIME}.SafeGo"))
_FUNCTIONS = frozenset(name.rpartition(".")[2] for name in (*_SAFE, *SPAWNERS))


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
    imported = {*names.imports.values(), *names.dots}
    methods = {name for package, every in _PACKAGES.items() if package in imported for name in every}
    for call in tree.calls(*sorted(_FUNCTIONS | methods)):
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
    """The index of the argument that a method spawns, by the declared type of its receiver."""
    method = text(called.child_by_field_name("field"))
    if not method:
        return None
    receiver = names.type_of(called.child_by_field_name("operand"))
    if receiver is None or (receiver, method) in names.methods:
        return None
    kinds = (kind for kind in (receiver, *names.embedded(receiver)) if (kind, method) in METHODS)
    return next((METHODS[kind, method] for kind in kinds), None)


def hooks(tree: Tree, names: GoNames) -> Iterator[tuple[Node, Node]]:
    """The fields that a library calls in a goroutine of its own, each with the function that a file sets it to."""
    for leaf in tree.leaves(*sorted(_FIELDS)):
        above = leaf.parent
        if above is None:
            continue
        if above.type == "literal_element" and above.parent is not None and above.parent.type == "keyed_element":
            key, *values = parts(above.parent)
            literal = above.parent.parent.parent if above.parent.parent is not None else None
            if key == above and values and (names.type_of(literal), text(leaf)) in HOOKS:
                yield leaf, parts(values[0])[0]
        elif above.type == "selector_expression" and above.parent is not None:
            setting = above.parent.parent
            right = setting.child_by_field_name("right") if setting is not None else None
            is_set = setting is not None and setting.type == "assignment_statement" and above.parent != right
            if (
                is_set
                and right is not None
                and (names.type_of(above.child_by_field_name("operand")), text(leaf)) in HOOKS
            ):
                yield above, parts(right)[0]
