"""What goroutines share: what they read and change of the functions around them, and where locks and waits keep them
apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.go.nodes import callee, function, listed, own, parts, plain, plain_arguments, text, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.scopes import Binding
    from panicguard.go.spawns import Spawn

_CHANNELS = frozenset(("identifier", "selector_expression", "index_expression"))
"""What may be a channel, if one value is taken from it per turn."""
_WAITING = re.compile(
    r"wait|join|sync|lock|done|stop|close|finish|shutdown|drain|recv|receive|read|accept|load|swap|atomic",
    re.IGNORECASE,
)
"""Names of calls that wait for others, or that share data without a lock."""
_LOCKS = frozenset(("Lock", "TryLock", "Acquire", "Do"))
_SETTING = ("assignment_statement", "short_var_declaration")


def read_later(module: GoFile, spawn: Spawn) -> Iterator[Node]:
    """What the goroutine reads when it runs: the body of a literal, or the receiver of a method that takes its
    address."""
    literal = spawn.literal
    if literal is not None:
        body = literal.child_by_field_name("body")
        yield from within(body) if body is not None else ()
    elif spawn.target.type == "selector_expression":
        operand = plain(spawn.target.child_by_field_name("operand"))
        name = text(spawn.target.child_by_field_name("field"))
        pointed = [m for (_, method), m in module.names.methods.items() if method == name and _takes_address(m)]
        if operand is not None and pointed and module.names.is_value(operand):
            yield operand


def _takes_address(method: Node) -> bool:
    return text(method.child_by_field_name("receiver")).count("*") > 0


def unlocked(literal: Node) -> list[Node]:
    """What a function itself does before it first excludes others, and the node that does so."""
    nodes = list(own(literal))
    locked = min((node.start_byte for node in nodes if takes_lock(node)), default=literal.end_byte)
    return [node for node in nodes if node.start_byte <= locked]


def takes_lock(node: Node) -> bool:
    """Whether others may be excluded from here on: by a lock, or by a send to or receive from a channel."""
    if node.type in ("send_statement", "receive_statement"):
        return True
    if node.type == "unary_expression":
        return text(node).startswith("<-")
    if node.type == "range_clause":
        ranged = node.child_by_field_name("right")
        return ranged is not None and len(listed(node.child_by_field_name("left"))) < 2 and ranged.type in _CHANNELS
    called = callee(node) if node.type == "call_expression" else None
    return called is not None and text(called.child_by_field_name("field")) in _LOCKS


def waits(around: Node) -> list[int]:
    """Where a function may wait for others, in byte offsets: it receives, selects, or calls something with such a
    name."""
    return [
        node.start_byte
        for node in own(around)
        if node.type == "select_statement"
        or takes_lock(node)
        or (node.type == "call_expression" and _WAITING.search(text(callee(node))) is not None)
    ]


def uses(module: GoFile, binding: Binding, around: Node) -> list[int]:
    """Where a function itself uses a variable, other than by taking its address; sorted byte offsets."""
    return sorted(
        _when_used(leaf)
        for leaf in module.tree.leaves(binding.name)
        if leaf.type == "identifier"
        and not (leaf.parent is not None and leaf.parent.type == "unary_expression" and text(leaf.parent)[0] == "&")
        and function(leaf) == around
        and module.names.lookup(leaf) is binding
    )


def _when_used(leaf: Node) -> int:
    """Where a variable is used. One that is set is used after the value, which may wait first."""
    targets = leaf.parent
    statement = targets.parent if targets is not None and targets.type == "expression_list" else None
    if statement is not None and statement.type in _SETTING and statement.child_by_field_name("left") == targets:
        return statement.end_byte
    return leaf.start_byte


def sets(module: GoFile, nodes: list[Node]) -> Iterator[tuple[Node, Binding]]:
    """The names that these nodes set with a plain `=`, each with what it stands for."""
    for node in nodes:
        if node.type == "assignment_statement" and text(node.child_by_field_name("operator")) == "=":
            for target in listed(node.child_by_field_name("left")):
                binding = module.names.lookup(target) if target.type == "identifier" else None
                if binding is not None and binding.name != "_":
                    yield target, binding


def changed(module: GoFile, node: Node) -> Node | None:
    """The variable that a statement or a call changes by reading it first, or the map that it writes."""
    match node.type:
        case "inc_statement" | "dec_statement":
            return _variable(module, plain(parts(node)[0]))
        case "assignment_statement":
            return _changed_by_assignment(module, node)
        case "call_expression" if module.names.is_builtin(callee(node), "delete"):
            deleted_from = plain_arguments(node)
            return deleted_from[0] if deleted_from and deleted_from[0].type == "identifier" else None
    return None


def _changed_by_assignment(module: GoFile, assignment: Node) -> Node | None:
    left, right = assignment.child_by_field_name("left"), assignment.child_by_field_name("right")
    targets = [plain(target) for target in listed(left)]
    if right is None or len(targets) != 1 or (target := targets[0]) is None:
        return None
    if text(assignment.child_by_field_name("operator")) != "=" or target.type == "index_expression":
        return _variable(module, target)
    value = next(iter(listed(right)), None)
    return target if target.type == "identifier" and _appends_to(module, value, target) else None


def _appends_to(module: GoFile, value: Node | None, target: Node) -> bool:
    """Whether a value is `append(target, ...)`."""
    value = plain(value)
    if value is None or value.type != "call_expression" or not module.names.is_builtin(callee(value), "append"):
        return False
    appended = plain_arguments(value)
    return bool(appended) and text(appended[0]) == text(target)


def _variable(module: GoFile, target: Node | None) -> Node | None:
    """The variable that is a target, or the map of which an entry is."""
    if target is None or target.type == "identifier":
        return target
    mapping = plain(target.child_by_field_name("operand")) if target.type == "index_expression" else None
    if mapping is None or mapping.type != "identifier":
        return None
    kind = module.names.written_type(mapping)
    return mapping if kind is not None and kind.type == "map_type" else None
