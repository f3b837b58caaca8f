"""Which calls of `recover` can recover: it does only in a function that a `defer` calls, and in no function within."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.nodes import (
    FUNCTIONS,
    ancestors,
    callee,
    function,
    is_called,
    plain,
    statements,
    text,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.module import GoModule

_ITERATORS = frozenset(
    "slices.Values slices.All slices.Backward slices.Chunk maps.Keys maps.Values maps.All strings.Lines "
    "strings.SplitSeq strings.SplitAfterSeq strings.FieldsSeq strings.FieldsFuncSeq bytes.Lines bytes.SplitSeq "
    "bytes.SplitAfterSeq bytes.FieldsSeq bytes.FieldsFuncSeq".split()
)
"""Functions whose result a `for range` calls: the loop's body is a function of its own."""


def misplaced(module: GoModule, call: Node) -> str | None:
    """Why a call of the builtin recovers nothing where it stands; None where it may."""
    statement = call.parent
    around = function(call)
    if statement is not None and statement.type == "go_statement":
        return "it is called in a goroutine that does nothing else"
    if statement is not None and statement.type == "defer_statement":
        if around is not None and around.type == "func_literal" and is_deferred(around):
            return None
        if around is not None and around.id in module.deferred:
            return None
        return "a `defer` calls it itself, and not a function that calls it"
    if _is_argument_of_defer(call):
        return "it is called when the `defer` is reached, not when the function ends"
    if around is None:
        return "it is called in no function"
    if _is_in_iterator(module, call):
        return "the body of a loop over an iterator is a function of its own"
    if around.type == "func_literal":
        return _misplaced_in_literal(around)
    return _misplaced_in_named(module, around, call)


def is_deferred(literal: Node) -> bool:
    """Whether a `defer` calls the literal where it is written."""
    call = is_called(literal)
    return call is not None and call.parent is not None and call.parent.type == "defer_statement"


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


def _is_in_iterator(module: GoModule, call: Node) -> bool:
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


def _is_iterator(module: GoModule, ranged: Node | None) -> bool:
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


def _misplaced_in_literal(literal: Node) -> str | None:
    call = is_called(literal)
    if call is None:
        return None
    statement = call.parent
    if statement is None or statement.type != "defer_statement":
        return "no `defer` calls the function that calls it"
    outer = function(statement)
    if outer is None or outer.type != "func_literal" or not is_deferred(outer):
        return None
    body = statements(outer.child_by_field_name("body"))
    return "its function is deferred by a deferred one, which is too late" if body == [statement] else None


def _misplaced_in_named(module: GoModule, around: Node, call: Node) -> str | None:
    """A named function recovers where it is deferred, which another file may do; not so one that is called here, or
    one that plainly has another purpose. One that throws the value away is wrong even then."""
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


def calls_of_recovering(module: GoModule) -> dict[int, list[Node]]:
    """The calls, other than by `defer`, of the functions of this file that recover and do nothing else, by the ids of
    those functions."""
    recovering = {key: node for key, node in module.recovering.items() if _only_recovers(node)}
    names = {text(node.child_by_field_name("name")) for node in recovering.values()}
    found: dict[int, list[Node]] = {}
    for call in module.tree.calls(*sorted(names)):
        if call.parent is not None and call.parent.type == "defer_statement":
            continue
        declared = module.names.declared(callee(call))
        if declared is not None and declared.id in recovering:
            found.setdefault(declared.id, []).append(call)
    return found


def _only_recovers(around: Node) -> bool:
    """Whether a named function is nothing but a call of `recover` and what comes of it."""
    if around.type == "func_literal":
        return False
    body = statements(around.child_by_field_name("body"))
    return 0 < len(body) <= len(("r := recover()", "if r != nil {}")) and "recover()" in text(body[0])


def _works_before(module: GoModule, around: Node, call: Node) -> bool:
    """Whether the function, which this file does not defer, calls another function of the file before it recovers."""
    first = next(iter(statements(around.child_by_field_name("body"))), None)
    if first is None or first.end_byte > call.start_byte or first.type != "expression_statement":
        return False
    before = first.named_children[0] if first.named_children else None
    called = callee(before) if before is not None and before.type == "call_expression" else None
    return called is not None and called.type == "identifier" and module.names.declared(called) is not None
