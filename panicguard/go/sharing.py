"""What goroutines share: what they read and change of the functions around them, and where locks and waits keep them
apart."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.locks import earlier, signals, takes_lock
from panicguard.go.nodes import (
    ancestors,
    callee,
    function,
    listed,
    own,
    parts,
    plain,
    plain_arguments,
    spelled,
    text,
    within,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.scopes import Binding
    from panicguard.go.spawns import Spawn

_WAITING = re.compile(
    r"wait|join|sync|lock|done|stop|close|finish|shutdown|drain|recv|receive|read|accept|load|swap|atomic",
    re.IGNORECASE,
)
"""Names of calls that wait for others, or that share data without a lock."""
_NOT_NIL = " != nil"
_VARIABLES = ("identifier", "selector_expression")
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


def waits(around: Node) -> list[Node]:
    """Where a function may wait for others: it receives, selects, or calls something with such a name."""
    return [
        node
        for node in own(around)
        if node.type == "select_statement"
        or takes_lock(node)
        or (node.type == "call_expression" and _WAITING.search(text(callee(node))) is not None)
    ]


def waits_for(spawn: Spawn, around: Node, change: Node, waited: list[Node]) -> list[int]:
    """Those of the waits of a function around a spawn after which what that changes may be used, in byte offsets; and
    its calls of what gets to know what the spawn signals."""
    literal = spawn.target
    early = {f"<- {subject}" for subject in earlier(literal, change)}
    told = {signal.subject for signal in signals(literal)}
    calls = [
        node.start_byte
        for node in own(around)
        if node.type == "call_expression"
        and told.intersection(spelled(a).removeprefix("& ") for a in plain_arguments(node))
    ]
    return sorted([*(node.start_byte for node in waited if spelled(node) not in early), *calls])


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


class Change(NamedTuple):
    """Where a function changes a variable from around it: `variable` is a name, or a field of what has one; `is_set` if
    it gets a new value whatever the old one was."""

    node: Node
    variable: Node
    binding: Binding
    is_set: bool


def changes(module: GoFile, nodes: list[Node]) -> Iterator[Change]:
    """What these nodes change."""
    for node in nodes:
        variable = changed(module, node)
        binding = _of(module, variable)
        if variable is not None and binding is not None:
            yield Change(node, variable, binding, False)
        elif node.type == "assignment_statement" and text(node.child_by_field_name("operator")) == "=":
            for target in listed(node.child_by_field_name("left")):
                binding = module.names.lookup(target) if target.type == "identifier" else None
                if binding is not None and binding.name != "_":
                    yield Change(target, target, binding, True)


def is_conditional(node: Node, function: Node) -> bool:
    """Whether only some of the goroutines that run a function may come to a node: by an `if` that does more than look
    for an error, or by a case."""
    for above in ancestors(node):
        if above == function:
            return False
        if above.type == "if_statement" and not spelled(above.child_by_field_name("condition")).endswith(_NOT_NIL):
            return True
        if above.type.endswith("_case"):
            return True
    return False


def _of(module: GoFile, variable: Node | None) -> Binding | None:
    """What the name in a variable, or in a field of one, stands for."""
    while variable is not None and variable.type == "selector_expression":
        variable = plain(variable.child_by_field_name("operand"))
    return module.names.lookup(variable) if variable is not None and variable.type == "identifier" else None


def changed(module: GoFile, node: Node) -> Node | None:
    """The variable that a statement or a call changes by reading it first, or the map that it writes."""
    match node.type:
        case "inc_statement" | "dec_statement":
            return _variable(module, plain(parts(node)[0]))
        case "assignment_statement":
            return _changed_by_assignment(module, node)
        case "call_expression" if module.names.is_builtin(callee(node), "delete"):
            deleted_from = plain_arguments(node)
            return deleted_from[0] if deleted_from and deleted_from[0].type in _VARIABLES else None
    return None


def _changed_by_assignment(module: GoFile, assignment: Node) -> Node | None:
    left, right = assignment.child_by_field_name("left"), assignment.child_by_field_name("right")
    targets = [plain(target) for target in listed(left)]
    if right is None or len(targets) != 1 or (target := targets[0]) is None:
        return None
    if text(assignment.child_by_field_name("operator")) != "=" or target.type == "index_expression":
        return _variable(module, target)
    value = next(iter(listed(right)), None)
    return target if target.type in _VARIABLES and _appends_to(module, value, target) else None


def _appends_to(module: GoFile, value: Node | None, target: Node) -> bool:
    """Whether a value is `append(target, ...)`."""
    value = plain(value)
    if value is None or value.type != "call_expression" or not module.names.is_builtin(callee(value), "append"):
        return False
    appended = plain_arguments(value)
    return bool(appended) and spelled(appended[0]) == spelled(target)


def _variable(module: GoFile, target: Node | None) -> Node | None:
    """The variable that is a target, or the map of which an entry is."""
    if target is None or target.type in _VARIABLES:
        return target
    mapping = plain(target.child_by_field_name("operand")) if target.type == "index_expression" else None
    if mapping is None or mapping.type not in _VARIABLES:
        return None
    kind = module.names.written_type(mapping)
    return mapping if kind is not None and kind.type == "map_type" else None
