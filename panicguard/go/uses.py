"""Where a function of a Go file is used, and whether it could recover from a panic there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.nodes import (
    ancestors,
    callee,
    function,
    is_called,
    is_deferred_call,
    parts,
    plain,
    plain_parent,
    text,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.names import GoNames
    from panicguard.go.scopes import Binding

_CALLING = frozenset(("sync.OnceFunc", "sync.OnceValue", "sync.OnceValues"))
"""Functions whose result calls what is passed to them."""


def uses_of(names: GoNames, declared: Node) -> list[Node]:
    """Where a function is used: wherever its name stands; for a literal, the variable that is never set to anything
    else, or where it is written."""
    binding = _binding(names, declared)
    if binding is None:
        return [declared] if declared.type == "func_literal" else []
    leaves = (leaf for leaf in names.tree.leaves(binding.name) if leaf.type == "identifier")
    return [leaf for leaf in leaves if leaf.parent != binding.node and names.lookup(leaf) is binding]


def _binding(names: GoNames, declared: Node) -> Binding | None:
    """What a function is declared as."""
    for scope in ancestors(declared):
        for binding in (binding for bindings in names.scopes.bindings(scope).values() for binding in bindings):
            if declared in (binding.node, plain(binding.value)):
                return binding if not names.is_reassigned(binding) else None
    return None


def is_useless(names: GoNames, use: Node) -> bool:
    """Whether a function that recovers recovers from nothing where it is used: it is called, but not by a `defer`, or
    passed to something that calls it so."""
    call = is_called(use)
    if call is not None:
        return not is_deferred_call(call)
    passed = plain_parent(use)
    call = passed.parent if passed is not None and passed.type == "argument_list" else None
    return call is not None and call.type == "call_expression" and _calls(names, call, use)


def _calls(names: GoNames, call: Node, argument: Node) -> bool:
    """Whether a function does nothing with an argument but call it, and not by a `defer`."""
    called = callee(call)
    if called is None:
        return False
    if names.qualified(called) in _CALLING or (
        text(called.child_by_field_name("field")) == "Do"
        and names.type_of(called.child_by_field_name("operand")) == "sync.Once"
    ):
        return True
    declared = names.declared(called)
    index = [plain(node) for node in parts(call.child_by_field_name("arguments"))].index(argument)
    parameter = _parameter(declared, index) if declared is not None else None
    if declared is None or parameter is None:
        return False
    uses = [
        leaf
        for leaf in names.tree.leaves(text(parameter))
        if (binding := names.lookup(leaf)) is not None and binding.node == parameter.parent
    ]
    calls = [is_called(leaf) for leaf in uses]
    return bool(uses) and all(c is not None and not is_deferred_call(c) and function(c) == declared for c in calls)


def _parameter(declared: Node, index: int) -> Node | None:
    """The name of a parameter."""
    parameters = parts(declared.child_by_field_name("parameters"))
    named = [name for node in parameters for name in node.children_by_field_name("name") if name.is_named]
    return named[index] if index < len(named) else None
