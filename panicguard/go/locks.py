"""What a function does while it excludes others, by a lock or by a channel, and what it tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.nodes import beside, callee, is_deferred_call, listed, own, parts, plain_arguments, spelled, text

if TYPE_CHECKING:
    from tree_sitter import Node

_CHANNELS = frozenset(("identifier", "selector_expression", "index_expression"))
"""What may be a channel, if one value is taken from it per turn."""
_LOCKS = frozenset(("Lock", "TryLock", "Acquire", "Do"))


class Signal(NamedTuple):
    """Where a function sends to a channel, closes one or calls `Done`, and of what, as it is written."""

    node: Node
    subject: str


def unlocked(nodes: list[Node], sending: bool = True) -> list[Node]:
    """Those of a function's own nodes that run while it excludes nobody, and those that begin to. A lock holds until it
    is given back in the same block, else up to the end of the function, as does what a channel allows; `sending` is
    whether a send to one counts."""
    held, free = 0, []
    for node in nodes:
        if node.start_byte < held:
            continue
        free.append(node)
        if takes_lock(node) and (sending or node.type != "send_statement"):
            held = _given_back(node) or nodes[0].end_byte
    return free


def _given_back(lock: Node) -> int | None:
    """Where the block that takes a lock gives it back again."""
    called = callee(lock) if lock.type == "call_expression" else None
    statement = lock.parent
    if called is None or statement is None or statement.type != "expression_statement" or statement.parent is None:
        return None
    given = spelled(called)[: -len("Lock")] + "Unlock"
    ends = (
        node.end_byte
        for node in beside(statement)
        if node.start_byte > lock.start_byte and node.type == "expression_statement"
        if spelled(callee(parts(node)[0])) == given
    )
    return next(ends, None)


def signals(function: Node) -> list[Signal]:
    """What a function tells others, in the order of the text."""
    found = []
    for node in own(function):
        called = callee(node) if node.type == "call_expression" else None
        if node.type == "send_statement":
            found.append(Signal(node, spelled(node.child_by_field_name("channel"))))
        elif called is not None and text(called) == "close":
            found += [Signal(node, spelled(closed)) for closed in plain_arguments(node)[:1]]
        elif called is not None and text(called.child_by_field_name("field")) == "Done":
            found.append(Signal(node, spelled(called.child_by_field_name("operand"))))
    return found


def earlier(function: Node, at: Node) -> set[str]:
    """What a function tells others only before it comes to a node."""
    told = signals(function)
    later = {s.subject for s in told if s.node.end_byte > at.start_byte or is_deferred_call(s.node)}
    return {signal.subject for signal in told} - later


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
    if called is None:
        return False
    name = text(called.child_by_field_name("field") or called)
    return name in _LOCKS or (name.lower().endswith("lock") and not name.lower().endswith("unlock"))
