"""Which calls of `recover` can recover, and which of their results are thrown away.

It recovers only in a function that a `defer` calls, and not in a function nested in that one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.nodes import (
    FUNCTIONS,
    ancestors,
    callee,
    function,
    is_called,
    is_deferred_call,
    listed,
    parts,
    plain,
    plain_parent,
    statements,
    text,
    within,
)
from panicguard.go.uses import is_useless, uses_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile

_ITERATORS = frozenset(
    "slices.Values slices.All slices.Backward slices.Chunk maps.Keys maps.Values maps.All strings.Lines "
    "strings.SplitSeq strings.SplitAfterSeq strings.FieldsSeq strings.FieldsFuncSeq bytes.Lines bytes.SplitSeq "
    "bytes.SplitAfterSeq bytes.FieldsSeq bytes.FieldsFuncSeq".split()
)
"""Functions whose result a `for range` calls: the loop's body is a function of its own."""
_DOING = frozenset(
    "call_expression assignment_statement short_var_declaration inc_statement dec_statement send_statement "
    "go_statement defer_statement".split()
)
"""What counts as doing something about a panic."""
_DECLARING = ("short_var_declaration", "var_spec")


def misplaced(module: GoFile, call: Node) -> str | None:
    """Why a call of the builtin recovers nothing where it stands; None if it may."""
    statement = call.parent
    around = function(call)
    if statement is not None and statement.type == "go_statement":
        return "it is the only thing that its goroutine does"
    if statement is not None and statement.type == "defer_statement":
        if around is not None and around.type == "func_literal" and is_deferred(around):
            return None
        if around is not None and around.id in module.deferred:
            return None
        return "it is deferred itself, instead of a function that calls it"
    if _is_argument_of_defer(call):
        return "it is called when the `defer` is reached, not when the function ends"
    if around is None:
        return "it is not called in a function"
    if _is_in_iterator(module, call):
        return "the body of a loop over an iterator is a function of its own"
    if around.type == "func_literal":
        return _misplaced_in_literal(module, around)
    return _misplaced_in_named(module, around, call)


def is_deferred(literal: Node) -> bool:
    """Whether a `defer` calls the literal where it is written."""
    call = is_called(literal)
    return call is not None and is_deferred_call(call)


def _is_argument_of_defer(call: Node) -> bool:
    child = call
    for above in ancestors(call):
        if above.type in FUNCTIONS or above.type == "block":
            return False
        if above.type in ("defer_statement", "go_statement"):
            return False
        if above.parent is not None and above.parent.type in ("defer_statement", "go_statement"):
            return above.child_by_field_name("arguments") == child or child != callee(above)
        child = above
    return False


def _is_in_iterator(module: GoFile, call: Node) -> bool:
    child = call
    for above in ancestors(call):
        if above.type in FUNCTIONS:
            return False
        if above.type == "for_statement" and above.child_by_field_name("body") == child:
            clause = next((node for node in above.named_children if node.type == "range_clause"), None)
            if clause is not None and _is_iterator(module, plain(clause.child_by_field_name("right"))):
                return True
        child = above
    return False


def _is_iterator(module: GoFile, ranged: Node | None) -> bool:
    if ranged is None or ranged.type != "call_expression":
        return False
    called = callee(ranged)
    if module.names.qualified(called) in _ITERATORS:
        return True
    declared = module.names.declared(called)
    result = declared.child_by_field_name("result") if declared is not None else None
    return result is not None and module.names.qualified(_generic(result)) in ("iter.Seq", "iter.Seq2")


def _generic(node: Node) -> Node:
    return node.child_by_field_name("type") or node if node.type == "generic_type" else node


def _misplaced_in_literal(module: GoFile, literal: Node) -> str | None:
    call = is_called(literal)
    if call is None:
        used = uses_of(module.names, literal)
        is_lost = bool(used) and all(is_useless(module.names, use) for use in used)
        return "no `defer` calls the function that calls it" if is_lost else None
    statement = call.parent
    if statement is None or statement.type != "defer_statement":
        return "no `defer` calls the function that calls it"
    outer = function(statement)
    if outer is None or outer.type != "func_literal" or not is_deferred(outer):
        return None
    body = statements(outer.child_by_field_name("body"))
    while len(body) == 1 and body[0].type == "block":
        body = statements(body[0])
    return "its function is deferred by a deferred function, which is too late" if body == [statement] else None


def _misplaced_in_named(module: GoFile, around: Node, call: Node) -> str | None:
    """A named function recovers where it is deferred, which another file may do; not so one that is called here, or one
    that clearly has another purpose. Throwing the value away is wrong even then."""
    name = text(around.child_by_field_name("name"))
    if around.id in module.deferred or name[:1].isupper():
        return None
    if around.type == "function_declaration" and name in ("main", "init"):
        return "no `defer` calls the function that calls it"
    if around.id in module.recovering_calls or _works_before(module, around, call):
        return "no `defer` calls the function that calls it"
    if call.parent is not None and call.parent.type == "expression_statement":
        return "no `defer` of this file calls the function that calls it"
    return None


def _works_before(module: GoFile, around: Node, call: Node) -> bool:
    """Whether the function, which this file does not defer, calls another function of the file before it recovers."""
    first = next(iter(statements(around.child_by_field_name("body"))), None)
    while first is not None and first.type == "block":
        first = next(iter(statements(first)), None)
    if first is None or first.end_byte > call.start_byte or first.type != "expression_statement":
        return False
    before = plain(next(iter(parts(first)), None))
    called = callee(before) if before is not None and before.type == "call_expression" else None
    return called is not None and called.type == "identifier" and module.names.declared(called) is not None


def is_discarded(module: GoFile, call: Node) -> bool:
    """Whether the result of a call of `recover` is thrown away, or only compared with nil to no effect."""
    above = plain_parent(call)
    if above is None:
        return False
    match above.type:
        case "expression_statement" | "defer_statement":
            return True
        case "binary_expression":
            return _only_compares(above)
        case "expression_list":
            statement = above.parent
            if statement is None or statement.type not in (*_DECLARING, "assignment_statement"):
                return False
            field = "name" if statement.type == "var_spec" else "left"
            names = [name for node in statement.children_by_field_name(field) for name in listed(node)]
            if len(names) != 1:
                return False
            if names[0].text == b"_":
                return True
            return statement.type in _DECLARING and _is_only_compared(module, names[0], statement)
    return False


def _is_only_compared(module: GoFile, name: Node, declaration: Node) -> bool:
    """Whether a variable with a recovered value is only compared, or assigned to `_`, without any consequence."""
    around = function(declaration)
    if around is None or name.type != "identifier":
        return False
    for node in within(around):
        if node.type != "identifier" or node.text != name.text or node == name:
            continue
        binding = module.names.lookup(node)
        if binding is None or binding.node != declaration:
            continue
        above = plain_parent(node)
        if above is None or not (_only_compares(above) or _is_given_to_blank(above)):
            return False
    return True


def _is_given_to_blank(listed: Node) -> bool:
    statement = listed.parent
    if listed.type != "expression_list" or statement is None or statement.type != "assignment_statement":
        return False
    left = statement.child_by_field_name("left")
    return left is not None and left.text == b"_"


def _only_compares(node: Node) -> bool:
    """Whether an expression is compared with nil in the condition of an `if` whose branches do nothing."""
    if node.type != "binary_expression" or not any(child.type in ("==", "!=") for child in node.children):
        return False
    for above in ancestors(node):
        if above.type == "if_statement":
            if above.child_by_field_name("condition") is None:
                return False
            branches = (above.child_by_field_name("consequence"), above.child_by_field_name("alternative"))
            return not any(
                inner.type in _DOING or _returns(inner) for b in branches if b is not None for inner in within(b)
            )
        if above.type not in ("binary_expression", "parenthesized_expression"):
            return False
    return False


def _returns(node: Node) -> bool:
    return node.type == "return_statement" and bool(parts(node))
