"""What of a `go` statement's call may stay as it is until it is called, and what a variable must keep."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.nodes import ancestors, callee, plain, text

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.go.scopes import Binding

_LITERALS = frozenset(
    "int_literal float_literal imaginary_literal rune_literal interpreted_string_literal raw_string_literal "
    "nil true false".split()
)
_BUILTINS = frozenset("close delete clear copy panic print println".split())
_VALUES = frozenset("append recover cap complex imag len make new real min max".split())
"""Builtins that are no statements, or mean something else in another function."""
_SINGLE = frozenset(
    "selector_expression index_expression composite_literal unary_expression type_assertion_expression "
    "slice_expression func_literal".split()
)
"""Expressions with one value, and a type: a variable can keep it."""


def staying(module: GoModule, function: Node | None) -> tuple[bool, bool] | None:
    """Whether what is called can stay where it is until it is called, and whether that is a guess; None where neither
    that nor keeping it in a variable is right."""
    if function is None:
        return None
    names = module.names
    if function.type == "identifier":
        name = text(function)
        binding = names.lookup(function)
        if binding is None:
            if name in _BUILTINS:
                return True, False
            if name in _VALUES:
                return None
            return True, True  # most likely a function of another file
        if binding.kind == "func":
            return True, False
        if binding.kind in ("type", "const"):
            return None
        return is_final(module, function), False
    if function.type == "selector_expression":
        operand = function.child_by_field_name("operand")
        if names.qualified(function) is not None:
            return True, False
        if operand is not None and operand.type == "identifier" and names.lookup(operand) is None:
            return None
        declared = names.declared(function)
        if (
            declared is not None
            and operand is not None
            and "*" in text(declared.child_by_field_name("receiver"))
            and is_final(module, operand, shared=True)
        ):
            return True, False
        return False, False
    if function.type in ("call_expression", "index_expression", "type_assertion_expression", "unary_expression"):
        return False, False
    return None


def is_constant(module: GoModule, node: Node) -> bool:
    """Whether an expression is made of literals and of constants of this file."""
    value = plain(node)
    if value is None:
        return False
    if value.type in _LITERALS or value.type == "func_literal":
        return True
    if value.type == "identifier":
        binding = module.names.lookup(value)
        return binding is not None and binding.kind in ("const", "func")
    if value.type in ("unary_expression", "binary_expression"):
        operator = next((child.type for child in value.children if not child.is_named), "")
        return operator not in ("<-", "&", "*") and all(is_constant(module, one) for one in value.named_children)
    return False


def is_final(module: GoModule, node: Node, *, shared: bool = False) -> bool:
    """Whether an expression is a local variable that has the same value for ever after; with `shared`, all but its
    parts."""
    value = plain(node)
    binding = module.names.lookup(value) if value is not None and value.type == "identifier" else None
    if binding is None or binding.kind not in ("var", "param", "range"):
        return False
    if _is_of_package(binding) or (not shared and module.names.is_touched(binding)):
        return False
    return not module.names.is_reassigned(binding) or _is_per_iteration(module, binding)


def _is_of_package(binding: Binding) -> bool:
    kinds = [above.type for above in ancestors(binding.node)]
    return not any(kind in ("block", "function_declaration", "method_declaration", "func_literal") for kind in kinds)


def _is_per_iteration(module: GoModule, binding: Binding) -> bool:
    """Whether a variable of a `for i := 0; ...; i++` is set only there: each turn has its own."""
    clause = binding.node.parent
    if clause is None or clause.type != "for_clause" or module.version < (1, 22):
        return False
    targets = module.names.assigned(binding)
    return all(clause.start_byte <= target.start_byte < clause.end_byte for target in targets)


def count_of(module: GoModule, call: Node, value: Node, count: int) -> int | None:
    """How many values an argument gives that a variable is to keep; None where that, or its type, is not known."""
    value = plain(value) or value
    if value.type == "selector_expression" and module.names.qualified(value) is not None:
        return None  # it may be a constant without a type
    if value.type == "identifier" and module.names.lookup(value) is None:
        return None
    if value.type in _SINGLE or value.type == "identifier":
        return 1
    if value.type != "call_expression":
        return None
    called = callee(value)
    if count > 1:
        return 1
    function = module.names.declared(callee(call))
    parameters = function.child_by_field_name("parameters") if function is not None else None
    if parameters is not None:
        declared = sum(max(len(one.children_by_field_name("name")), 1) for one in parameters.named_children)
        if declared == 1 and parameters.named_children[0].type == "parameter_declaration":
            return 1
    made = module.names.declared(called)
    if made is None:
        return 1 if module.names.is_builtin(called, "len") or module.names.is_builtin(called, "cap") else None
    result = made.child_by_field_name("result")
    if result is None or result.type != "parameter_list":
        return 1 if result is not None else None
    return sum(max(len(one.children_by_field_name("name")), 1) for one in result.named_children)
