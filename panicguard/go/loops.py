"""The loops of a Go file: which a node is in, whether one is endless, what ends it, and what one of its iterations
waits for and shares with the others.

A turn is one iteration: one run of a loop's body.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from panicguard.go.contexts import asks_context
from panicguard.go.nodes import ancestors, callee, listed, own, parts, plain, text, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.scopes import Binding
    from panicguard.go.spawns import Spawn

_ENDLESS = frozenset(("time.Tick",))
"""Functions that return a channel which is never closed."""
_ENDING = frozenset("os.Exit runtime.Goexit log.Fatal log.Fatalf log.Fatalln log.Panic log.Panicf log.Panicln".split())
_BREAKABLE = frozenset(
    "for_statement select_statement expression_switch_statement type_switch_statement func_literal".split()
)
"""What a `break` without a label leaves, and what it cannot cross."""
_BRANCHING = frozenset("if_statement select_statement expression_switch_statement type_switch_statement".split())
"""What runs one of its branches."""
_PER_ITERATION = (1, 22)
"""The version of Go from which a loop has new variables on every turn."""


def loops(node: Node) -> Iterator[Node]:
    """The loops in whose bodies a node is, within its function, the innermost first."""
    child = node
    for above in ancestors(node):
        if above.type == "for_statement" and above.child_by_field_name("body") == child:
            yield above
        if above.type == "func_literal":
            return
        child = above


def is_endless(module: GoFile, loop: Node) -> bool:
    """Whether a loop's head never ends it: it has no condition, or receives from `time.Tick`."""
    clauses = [node for node in loop.named_children if node.type not in ("block", "comment")]
    if not clauses:
        return True
    clause = clauses[0]
    if clause.type == "for_clause":
        return clause.child_by_field_name("condition") is None
    ranged = plain(clause.child_by_field_name("right")) if clause.type == "range_clause" else None
    if ranged is None or ranged.type != "call_expression":
        return False
    return module.names.qualified(callee(ranged)) in _ENDLESS


def ends(module: GoFile, loop: Node) -> bool:
    """Whether something in a loop leaves it, or uses a context."""
    return any(_leaves_or_asks(module, node, loop) for node in within(loop))


def _leaves_or_asks(module: GoFile, node: Node, loop: Node) -> bool:
    match node.type:
        case "return_statement" | "goto_statement":
            return True
        case "break_statement":
            return _leaves(node, loop)
        case "call_expression":
            called = callee(node)
            return module.names.qualified(called) in _ENDING or module.names.is_builtin(called, "panic")
    return asks_context(module, node)


def is_joined_in_turn(spawn: Spawn) -> bool:
    """Whether the turn of a loop that starts a spawn also waits for it: with `Wait`, or by receiving."""
    loop = next(loops(spawn.node), None)
    after = (node for node in own(loop) if node.start_byte >= spawn.node.end_byte) if loop is not None else ()
    return any(is_wait(node) and not _is_in_other_branch(node, spawn.node) for node in after)


def is_left_in_turn(spawn: Spawn) -> bool:
    """Whether the turn of a loop that starts a spawn ends by leaving the loop, so that there is no other one."""
    loop = next(loops(spawn.node), None)
    if loop is None:
        return False
    inside = itertools.takewhile(lambda above: above != loop, ancestors(spawn.node))
    last = [node for block in inside if block.type == "statement_list" for node in parts(block)[-1:]]
    return any(n.type == "return_statement" or (n.type == "break_statement" and _leaves(n, loop)) for n in last)


def _leaves(node: Node, loop: Node) -> bool:
    """Whether a `break` leaves a loop, or perhaps one around it."""
    return bool(parts(node)) or next((above for above in ancestors(node) if above.type in _BREAKABLE), None) == loop


def _is_in_other_branch(node: Node, before: Node) -> bool:
    """Whether a node never runs after one that stands before it, but instead of it."""
    around = next((above for above in ancestors(node) if above.start_byte <= before.start_byte), None)
    return around is not None and around.type in _BRANCHING


def is_wait(node: Node) -> bool:
    """Whether a node waits for others: with `Wait`, or by receiving."""
    if node.type == "call_expression":
        called = callee(node)
        return called is not None and text(called.child_by_field_name("field")) == "Wait"
    return node.type == "unary_expression" and text(node).startswith("<-")


def shared_by_turns(module: GoFile, spawn: Spawn) -> list[Binding | str]:
    """The variables that the loops around a spawn set, and that all turns share; one of another file by its name."""
    return [binding for loop in loops(spawn.node) for binding in _shared(module, loop)]


def _shared(module: GoFile, loop: Node) -> Iterator[Binding | str]:
    body = loop.child_by_field_name("body")
    for setting in _settings(loop):
        declares = any(child.type == ":=" for child in setting.children)
        if body is None or (declares and module.version >= _PER_ITERATION):
            continue
        for name in listed(setting.child_by_field_name("left")):
            if name.type == "identifier" and text(name) != "_":
                yield module.names.lookup(body, text(name)) or text(name)


def _settings(loop: Node) -> Iterator[Node]:
    """What sets the variables of a loop: its range, or the initializer before its condition."""
    for clause in loop.named_children:
        if clause.type == "range_clause":
            yield clause
        elif clause.type == "for_clause" and (initializer := clause.child_by_field_name("initializer")) is not None:
            yield initializer
