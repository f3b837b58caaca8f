"""What cannot panic: declarations, plain values, logging, the clock, contexts, counters and locks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.go.nodes import callee, parts, text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.file import GoFile

_BUILTINS = frozenset("append cap complex copy imag len max min new print println real recover".split())
_TYPES = frozenset(
    "any bool byte complex128 complex64 error float32 float64 int int16 int32 int64 int8 rune string uint uint16 "
    "uint32 uint64 uint8 uintptr".split()
)
_PACKAGES = ("context.", "errors.", "fmt.", "log.", "log/slog.", "sync/atomic.")
_FUNCTIONS = frozenset(("time.Now", "time.Since", "time.Until", "time.Sleep", "runtime.Gosched"))
_METHODS = frozenset("Done Err Lock RLock Unlock RUnlock Add Load Store".split())
"""Methods of contexts, locks, groups and counters."""
_LOGGING = re.compile(r"(?:\w+\.)*(?:\w*[lL]ogger|[gkszGKSZ]?[lL]og|logrus)\b")
_LATER = frozenset(("func_literal", "defer_statement", "go_statement"))
_ENDING = re.compile(r"Fatal|Panic")


def fallible(module: GoFile, node: Node) -> Iterator[Node]:
    """What may panic when a statement runs, without what runs later or elsewhere."""
    stack = [node]
    while stack:
        node = stack.pop()
        if node.type in _LATER:
            continue
        stack.extend(reversed(node.named_children))
        if _may_panic(module, node):
            yield node


def _may_panic(module: GoFile, node: Node) -> bool:
    match node.type:
        case "call_expression" | "type_conversion_expression":
            return not _is_harmless(module, callee(node))
        case "index_expression" | "slice_expression" | "send_statement":
            return True
        case "type_assertion_expression":
            return not _is_asked(node)
        case "unary_expression":
            return text(node).startswith("*")
    return False


def _is_harmless(module: GoFile, called: Node | None) -> bool:
    if called is None:
        return False
    if called.type in ("identifier", "type_identifier"):
        return (text(called) in _BUILTINS or text(called) in _TYPES) and module.names.lookup(called) is None
    name = module.names.qualified(called) or ""
    if _ENDING.search(text(called)) is not None:
        return False
    if name in _FUNCTIONS or name.startswith(_PACKAGES):
        return True
    method = text(called.child_by_field_name("field"))
    return called.type == "selector_expression" and (method in _METHODS or _LOGGING.match(text(called)) is not None)


def _is_asked(assertion: Node) -> bool:
    """Whether a type assertion also asks if it holds: `v, ok := x.(T)`."""
    values = assertion.parent
    statement = values.parent if values is not None and values.type == "expression_list" else None
    return statement is not None and len(parts(statement.child_by_field_name("left"))) == len(("v", "ok"))
