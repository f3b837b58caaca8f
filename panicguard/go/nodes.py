"""Questions about a node of a Go tree that need nothing but the node."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

_LISTS = ("expression_list", "statement_list", "var_spec_list", "import_spec_list")
FUNCTIONS = ("function_declaration", "method_declaration", "func_literal")


def text(node: Node | None) -> str:
    """The text of a node; "" for None."""
    return "" if node is None or node.text is None else node.text.decode()


def spelled(node: Node | None) -> str:
    """The tokens of an expression without what may be written otherwise: blanks, line breaks, comments, and parentheses
    around an expression. To compare two of them."""
    if node is None or node.type == "comment":
        return ""
    if not node.children:
        return text(node)
    inner = node.children[1:-1] if node.type == "parenthesized_expression" else node.children
    return " ".join(filter(None, map(spelled, inner)))


def ancestors(node: Node) -> Iterator[Node]:
    """From the parent up to the file."""
    above = parent(node)
    while above is not None:
        yield above
        above = parent(above)


@functools.lru_cache(maxsize=4096)
def parent(node: Node) -> Node | None:
    """The parent of a node. It is kept, for the library looks for it from the root on, level by level."""
    return node.parent


def within(node: Node) -> Iterator[Node]:
    """The node and the named nodes under it, in the order of the text."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.named_children))


def own(function: Node) -> Iterator[Node]:
    """What runs when this function runs: the nodes of its body, without those of nested functions."""
    body = function.child_by_field_name("body")
    stack = [] if body is None else [body]
    while stack:
        node = stack.pop()
        yield node
        if node.type != "func_literal":
            stack.extend(reversed(node.named_children))


def parts(node: Node | None) -> list[Node]:
    """The named nodes right under a node, without comments, which may stand between any two."""
    return [] if node is None else [child for child in node.named_children if child.type != "comment"]


def function(node: Node) -> Node | None:
    """The function or literal in whose body the node is."""
    child = node
    for above in ancestors(node):
        if above.type in FUNCTIONS and above.child_by_field_name("body") == child:
            return above
        child = above
    return None


def statements(block: Node | None) -> list[Node]:
    """The statements of a block or of a case."""
    if block is None:
        return []
    lists = [child for child in block.named_children if child.type == "statement_list"]
    return [node for parent in lists or [block] for node in parts(parent)]


def steps(block: Node | None) -> list[Node]:
    """The statements of a block in the order in which they run: for one that stands among them, its own."""
    return [step for node in statements(block) for step in (steps(node) if node.type == "block" else [node])]


def beside(statement: Node) -> list[Node]:
    """The statements before and after a statement, itself included, as `steps` has them."""
    block = statement.parent
    while block is not None and (
        block.type == "statement_list"
        or (block.type == "block" and block.parent is not None and block.parent.type in ("statement_list", "block"))
    ):
        block = block.parent
    return steps(block)


def plain(node: Node | None) -> Node | None:
    """An expression without the parentheses around it."""
    while node is not None and node.type == "parenthesized_expression" and (inside := parts(node)):
        node = inside[0]
    return node


def plain_parent(node: Node) -> Node | None:
    """The parent of an expression, parentheses around it aside."""
    above = node.parent
    while above is not None and above.type == "parenthesized_expression":
        above = above.parent
    return above


def callee(call: Node) -> Node | None:
    """What a call calls, without parentheses; also that of `g[int](x)`, which the grammar takes for a conversion."""
    if call.type == "type_conversion_expression":
        kind = call.child_by_field_name("type")
        return kind.child_by_field_name("type") if kind is not None else None
    return plain(call.child_by_field_name("function"))


def generic(function: Node | None) -> Node | None:
    """A function without its type argument, which the grammar takes for an index: `g` of `g[int]`."""
    if function is not None and function.type == "index_expression":
        return plain(function.child_by_field_name("operand"))
    return function


def arguments(call: Node) -> list[Node]:
    if call.type == "type_conversion_expression":
        return [operand] if (operand := call.child_by_field_name("operand")) is not None else []
    return parts(call.child_by_field_name("arguments"))


def plain_arguments(call: Node) -> list[Node]:
    """The arguments of a call without the parentheses around each."""
    return [argument for node in arguments(call) if (argument := plain(node)) is not None]


def is_called(node: Node) -> Node | None:
    """The call whose callee this expression is, parentheses aside."""
    above = node.parent
    while above is not None and above.type == "parenthesized_expression":
        node, above = above, above.parent
    if above is not None and above.type == "call_expression" and above.child_by_field_name("function") == node:
        return above
    return None


def is_deferred_call(call: Node) -> bool:
    """Whether a call is the one that a `defer` makes."""
    return call.parent is not None and call.parent.type == "defer_statement"


def statement_call(statement: Node) -> Node | None:
    """The call of a `go` or `defer` statement."""
    return next(iter(parts(statement)), None)


def in_error(node: Node) -> bool:
    """Whether the grammar does not understand the syntax at the node or above it."""
    return node.has_error or any(above.type == "ERROR" for above in ancestors(node))


def listed(node: Node | None) -> list[Node]:
    """The expressions of a list, or a single expression."""
    if node is None:
        return []
    return parts(node) if node.type in _LISTS else [node]
