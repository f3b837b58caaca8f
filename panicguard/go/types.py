"""Questions about a type as it is written, which need nothing but its node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.nodes import parts, text

if TYPE_CHECKING:
    from tree_sitter import Node

_WRAPPING = ("pointer_type", "generic_type", "parenthesized_type", "unary_expression")


def element_type(kind: Node | None) -> Node | None:
    """The type of the elements of an array or a slice, or of the values of a map."""
    return None if kind is None else kind.child_by_field_name("value" if kind.type == "map_type" else "element")


def receiver_type(method: Node) -> str:
    """The name of the type that a method belongs to."""
    receiver = method.child_by_field_name("receiver")
    for parameter in parts(receiver):
        return text(plain_type(parameter.child_by_field_name("type")))
    return ""


def plain_type(node: Node | None) -> Node | None:
    """The name in a type: what a pointer points to, without type arguments."""
    while node is not None and node.type in _WRAPPING:
        node = node.child_by_field_name("type") or next(iter(parts(node)), None)
    return node


def first(node: Node | None) -> Node | None:
    """The first named node right under a node, comments aside."""
    return next(iter(parts(node)), None)
