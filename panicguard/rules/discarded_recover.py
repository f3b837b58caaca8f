"""Checks for panics that are recovered from and never spoken of.

## What it does

Reports a `recover()` in Go whose value is thrown away: as a statement, given to `_`, or only compared with nil, where
nothing is done about the panic either. A branch that calls something, sends, or sets a variable does something.

## Why is this bad

The panic is gone without a log record, a count or an error: what failed goes on failing, and nobody knows.

## Example

```go
package p

func work() {}

func f() {
        defer func() {
                _ = recover()
        }()
        work()
}
```

## Use instead

```go
package p

import "log"

func work() {}

func f() {
        defer func() {
                if r := recover(); r != nil {
                        log.Println("work failed", r)
                }
        }()
        work()
}
```

## Fix safety

A deferred literal that does nothing else becomes a deferred `RecoverAndLog` of the runtime. The fix is unsafe: the
panic is told now, which somebody may have wanted to prevent. There is none where the runtime takes other arguments
(`go-call`); elsewhere only the author knows what is to be done.

## Options

- `go-runtime`, `component`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.fixes.alignment import aligned
from panicguard.go.nodes import ancestors, arguments, function, in_error, is_called, statements, text, within
from panicguard.go.recovery import is_deferred, misplaced
from panicguard.model import Applicability, Edit, Fix
from panicguard.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.model import Finding

_DOING = frozenset(
    "call_expression assignment_statement short_var_declaration inc_statement dec_statement send_statement "
    "go_statement defer_statement".split()
)


def check_go(module: GoModule) -> Iterator[Finding]:
    for call in module.recovers:
        if _is_discarded(module, call) and misplaced(module, call) is None:
            message = "The recovered panic is discarded: log it, or turn it into an error"
            yield module.finding(call, message, _fix(module, call))


def _fix(module: GoModule, call: Node) -> Fix | None:
    """The fix for a deferred literal that does nothing else."""
    from panicguard.go.fixes.component import component, quoted
    from panicguard.go.fixes.imports import runtime_package  # only where there is Go

    literal = function(call)
    deferred = is_called(literal) if literal is not None and is_deferred(literal) else None
    if literal is None or deferred is None or deferred.parent is None or not module.is_fixable or in_error(literal):
        return None
    only = statements(literal.child_by_field_name("body"))
    throws = len(only) == 1 and text(only[0]) in ("recover()", "_ = recover()")
    if not throws or any(node.type == "comment" for node in within(deferred)) or arguments(deferred):
        return None
    found = runtime_package(module, deferred) if module.has_own_runtime else None
    if found is None:
        return None
    runtime, imports = found
    said = f"{runtime}.RecoverAndLog({quoted(component(module, deferred))})"
    edits = (*aligned(module.source, Edit(*module.span(deferred), said)), *imports)
    return Fix(f"Defer `{runtime}.RecoverAndLog`", tuple(sorted(edits)), Applicability.UNSAFE)


def _is_discarded(module: GoModule, call: Node) -> bool:
    above = _above(call)
    if above is None:
        return False
    match above.type:
        case "expression_statement" | "defer_statement":
            return True
        case "binary_expression":
            return _only_compares(above)
        case "expression_list":
            statement = above.parent
            if statement is None or statement.type not in ("assignment_statement", "short_var_declaration"):
                return False
            left = statement.child_by_field_name("left")
            if left is None or len(left.named_children) != 1:
                return False
            name = left.named_children[0]
            if name.text == b"_":
                return True
            return statement.type == "short_var_declaration" and _is_idle(module, name, statement)
    return False


def _above(node: Node) -> Node | None:
    above = node.parent
    while above is not None and above.type == "parenthesized_expression":
        above = above.parent
    return above


def _is_idle(module: GoModule, name: Node, declaration: Node) -> bool:
    """Whether a variable with a recovered value is only compared, or given to `_`, and nothing follows from it."""
    around = function(declaration)
    if around is None or name.type != "identifier":
        return False
    for node in within(around):
        if node.type != "identifier" or node.text != name.text or node == name:
            continue
        binding = module.names.lookup(node)
        if binding is None or binding.node != declaration:
            continue
        above = _above(node)
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
    """Whether an expression is the condition of an `if` with nil, in the branches of which nothing is done."""
    if node.type != "binary_expression" or not any(child.type in ("==", "!=") for child in node.children):
        return False
    for above in ancestors(node):
        if above.type == "if_statement":
            if above.child_by_field_name("condition") is None:
                return False
            branches = (above.child_by_field_name("consequence"), above.child_by_field_name("alternative"))
            return not any(one.type in _DOING or _returns(one) for b in branches if b is not None for one in within(b))
        if above.type not in ("binary_expression", "parenthesized_expression"):
            return False
    return False


def _returns(node: Node) -> bool:
    return node.type == "return_statement" and node.named_child_count > 0


RULE = Rule(
    code="PNC302",
    module=__name__,
    docs=__doc__ or "",
    go_words=("recover",),
    go=check_go,
    fix="Sometimes",
)
