"""The spawns of a Go file: what starts a goroutine, and the function that runs in it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.apis import GROUPS, HOOKS, METHODS, NAMING, NAMING_WORDS, RUNTIME, SAFEGO, SPAWNERS, SUPERVISE
from panicguard.go.nodes import callee, generic, is_called, parts, plain, plain_arguments, statement_call, text

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
_SAFE = {SAFEGO: -1, f"{RUNTIME}.SafeGoWithContext": -1, f"{RUNTIME}.SafeGo": -1, SUPERVISE: 3}
"""The functions of the runtime that spawn -> the index of what they spawn."""
_GROUP_TYPES = frozenset(GROUPS.values())
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
    methods = {name for package, every in _PACKAGES.items() if package in imported for name in every} | {"Go"}
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
        at = _SAFE[name]
        return (SpawnKind.SAFE, handed[at]) if len(handed) > at and handed else None
    if _is_member(names, called):
        return (SpawnKind.SAFE, handed[0]) if handed else None
    index = SPAWNERS.get(name) if name is not None else _method(names, called)
    if index is None or index >= len(handed) or handed[index].type == "nil":
        return None
    return SpawnKind.UNGUARDED, handed[index]


def _is_member(names: GoNames, called: Node) -> bool:
    """Whether it is the method by which a group of the runtime starts a member."""
    if text(called.child_by_field_name("field")) != "Go":
        return False
    receiver = names.type_of(called.child_by_field_name("operand"))
    return receiver is not None and not _GROUP_TYPES.isdisjoint((receiver, *names.embedded(receiver)))


def namings(tree: Tree, names: GoNames) -> Iterator[Node]:
    """The calls of the runtime that are passed a context, a component and a policy."""
    for leaf in tree.leaves(*NAMING_WORDS):
        called = leaf.parent if leaf.type == "field_identifier" else leaf
        if called is None or names.qualified(called) not in NAMING:
            continue
        above = called.parent
        call = is_called(above if above is not None and generic(above) == called else called)
        if call is not None:
            yield call


def naming(names: GoNames, spawn: Spawn) -> Node | None:
    """The call that names the policy of a safe spawn: for a member, the one that makes the group, if this file has
    it."""
    called = callee(spawn.node)
    if called is None or not _is_member(names, called):
        return spawn.node
    group = plain(called.child_by_field_name("operand"))
    binding = names.lookup(group) if group is not None and group.type == "identifier" else None
    made = plain(binding.value) if binding is not None else None
    is_made = made is not None and made.type == "call_expression" and names.qualified(generic(callee(made))) in GROUPS
    return made if is_made else None


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
