"""Contexts in Go: the one that a function receives, those captured from around it, and where one is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import CONTEXT
from panicguard.go.nodes import callee, text
from panicguard.go.scopes import BindingKind

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile

_NEW = frozenset(("context.Background", "context.TODO"))
_ASKING = ("Done", "Err", "Context")
"""The methods of a context that tell whether it is done, and methods of other types that return one."""


def own_context(module: GoFile, literal: Node) -> Node | None:
    """The name of the parameter that is a literal's context; None if there is none, or if it is `_`, which means
    unused."""
    parameters = literal.child_by_field_name("parameters")
    for parameter in parameters.named_children if parameters is not None else ():
        name = parameter.child_by_field_name("name")
        if module.names.qualified(parameter.child_by_field_name("type")) == CONTEXT:
            return name if not text(name).startswith("_") else None
    return None


def asks_context(module: GoFile, node: Node) -> bool:
    """Whether a node uses a context: one by its name, or a method of one."""
    if node.type == "identifier":
        return module.names.type_of(node) == CONTEXT
    return node.type == "selector_expression" and text(node.child_by_field_name("field")) in _ASKING


def is_new_context(module: GoFile, node: Node) -> bool:
    """Whether an expression creates a context that nothing cancels."""
    return node.type == "call_expression" and module.names.qualified(callee(node)) in _NEW


def is_outer_context(module: GoFile, node: Node, literal: Node) -> bool:
    """Whether an expression is the name of a context that was declared outside of the literal."""
    binding = module.names.lookup(node) if node.type == "identifier" else None
    if binding is None or literal.start_byte <= binding.node.start_byte < literal.end_byte:
        return False
    return binding.kind in (BindingKind.VAR, BindingKind.PARAM) and module.names.type_of(node) == CONTEXT


def is_read_outside(module: GoFile, identifier: Node, literal: Node) -> bool:
    """Whether a variable is read outside of the literal too: code with a variable that is never read does not
    compile."""
    binding = module.names.lookup(identifier)
    if binding is None or binding.kind is BindingKind.PARAM:
        return True
    written = module.names.assigned(binding)
    return any(
        node.start_byte >= literal.end_byte or binding.start <= node.start_byte < literal.start_byte
        for node in module.tree.leaves(binding.name)
        if node.type == "identifier" and node not in written and module.names.lookup(node) is binding
    )
