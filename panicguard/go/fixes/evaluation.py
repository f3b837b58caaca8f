"""Which parts of a `go` statement's call may stay as they are until it is called, and which must be kept in a
variable."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.nodes import ancestors, callee, plain, text
from panicguard.go.scopes import BindingKind

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.scopes import Binding

_LITERALS = frozenset(
    "int_literal float_literal imaginary_literal rune_literal interpreted_string_literal raw_string_literal "
    "nil true false".split()
)
_BUILTINS = frozenset("close delete clear copy panic print println".split())
_VALUES = frozenset("append recover cap complex imag len make new real min max".split())
"""Builtins that cannot be called as statements, or mean something else in another function."""
_SINGLE = frozenset(
    "selector_expression index_expression composite_literal unary_expression type_assertion_expression "
    "slice_expression func_literal".split()
)
"""Expressions with one value, and a type: a variable can keep it."""


class Staying(NamedTuple):
    """Whether the callee can stay where it is until the call, or has to be kept in a variable; `guessed`: it is likely,
    but not certain, that it can stay."""

    stays: bool
    guessed: bool = False


def staying(module: GoFile, function: Node | None) -> Staying | None:
    """How a later call can call the function that an expression denotes now; None if neither way is right."""
    if function is None:
        return None
    match function.type:
        case "identifier":
            return _name_staying(module, function)
        case "selector_expression":
            return _selector_staying(module, function)
        case "call_expression" | "index_expression" | "type_assertion_expression" | "unary_expression":
            return Staying(False)
    return None


def _name_staying(module: GoFile, name: Node) -> Staying | None:
    binding = module.names.lookup(name)
    if binding is None:
        if text(name) in _BUILTINS:
            return Staying(True)
        if text(name) in _VALUES:
            return None
        return Staying(True, guessed=True)  # most likely a function of another file
    match binding.kind:
        case BindingKind.FUNC:
            return Staying(True)
        case BindingKind.TYPE | BindingKind.CONST:
            return None
    return Staying(is_final(module, name))


def _selector_staying(module: GoFile, selector: Node) -> Staying | None:
    """For functions of packages, methods and fields. A method with a pointer receiver can stay if its variable can."""
    names = module.names
    operand = selector.child_by_field_name("operand")
    if names.qualified(selector) is not None:
        return Staying(True)
    if operand is not None and operand.type == "identifier" and names.lookup(operand) is None:
        return None
    declared = names.declared(selector)
    return Staying(
        declared is not None
        and operand is not None
        and "*" in text(declared.child_by_field_name("receiver"))
        and is_final(module, operand, shared=True)
    )


def is_constant(module: GoFile, node: Node) -> bool:
    """Whether an expression is made of literals and of constants of this file."""
    value = plain(node)
    if value is None:
        return False
    if value.type in _LITERALS or value.type == "func_literal":
        return True
    if value.type == "identifier":
        binding = module.names.lookup(value)
        return binding is not None and binding.kind in (BindingKind.CONST, BindingKind.FUNC)
    if value.type in ("unary_expression", "binary_expression"):
        operator = next((child.type for child in value.children if not child.is_named), "")
        return operator not in ("<-", "&", "*") and all(is_constant(module, each) for each in value.named_children)
    return False


def is_final(module: GoFile, node: Node, *, shared: bool = False) -> bool:
    """Whether an expression is a local variable that is not assigned again; with `shared`, its fields may still
    change."""
    value = plain(node)
    binding = module.names.lookup(value) if value is not None and value.type == "identifier" else None
    if binding is None or binding.kind not in (BindingKind.VAR, BindingKind.PARAM, BindingKind.RANGE):
        return False
    if _is_of_package(binding) or (not shared and module.names.is_touched(binding)):
        return False
    return not module.names.is_reassigned(binding) or _is_per_iteration(module, binding)


def _is_of_package(binding: Binding) -> bool:
    kinds = [above.type for above in ancestors(binding.node)]
    return not any(kind in ("block", "function_declaration", "method_declaration", "func_literal") for kind in kinds)


def _is_per_iteration(module: GoFile, binding: Binding) -> bool:
    """Whether a variable of a `for i := 0; ...; i++` is set only there: each iteration has its own."""
    clause = binding.node.parent
    if clause is None or clause.type != "for_clause" or module.version < (1, 22):
        return False
    targets = module.names.assigned(binding)
    return all(clause.start_byte <= target.start_byte < clause.end_byte for target in targets)


def count_of(module: GoFile, call: Node, value: Node, count: int) -> int | None:
    """The number of values of an argument that is to be kept in variables; None if that, or a type, is not known.
    `count` is how many arguments the call has."""
    value = plain(value) or value
    if value.type == "selector_expression" and module.names.qualified(value) is not None:
        return None  # it may be a constant without a type
    if value.type == "identifier" and module.names.lookup(value) is None:
        return None
    if value.type in _SINGLE or value.type == "identifier":
        return 1
    if value.type != "call_expression":
        return None
    return 1 if count > 1 or _has_one_parameter(module, call) else _result_count(module, value)


def _has_one_parameter(module: GoFile, call: Node) -> bool:
    """Whether a call is of a function of this file that takes one argument."""
    function = module.names.declared(callee(call))
    parameters = function.child_by_field_name("parameters") if function is not None else None
    if parameters is None or _declared_count(parameters) != 1:
        return False
    return parameters.named_children[0].type == "parameter_declaration"


def _result_count(module: GoFile, call: Node) -> int | None:
    """How many results a call has; None if that is not known, or there are none."""
    called = callee(call)
    function = module.names.declared(called)
    if function is None:
        return 1 if module.names.is_builtin(called, "len") or module.names.is_builtin(called, "cap") else None
    result = function.child_by_field_name("result")
    if result is None or result.type != "parameter_list":
        return 1 if result is not None else None
    return _declared_count(result)


def _declared_count(parameters: Node) -> int:
    """How many parameters or results a list declares; several may share a type."""
    return sum(max(len(each.children_by_field_name("name")), 1) for each in parameters.named_children)
