"""The fix of a bare `go`: a SafeGo call that evaluates the same at the same time.

`go` evaluates the function, the receiver and the arguments at once, and runs the call later. What may have another
value by then is kept in variables, in a block of its own; what is uncertain has no fix.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Fix
from panicguard.go.fixes.component import SHORT
from panicguard.go.fixes.imports import packages_at
from panicguard.go.fixes.layout import StatementSite
from panicguard.go.fixes.literal import rewrite_literal
from panicguard.go.fixes.named import rewrite_named
from panicguard.go.nodes import callee, in_error, own, plain, statement_call, text

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile


def spawn_fix(module: GoFile, statement: Node) -> Fix | None:
    """The fix for a `go` statement; None if no rewrite is known to be right."""
    call = statement_call(statement)
    if call is None or call.type != "call_expression" or in_error(statement) or not module.is_fixable:
        return None
    site, packages = StatementSite.of(module, statement), packages_at(module, statement)
    if site is None or packages is None:
        return None
    function = plain(call.child_by_field_name("function"))
    if function is not None and function.type == "func_literal":
        rewrite = rewrite_literal(module, call, function, packages, site)
    else:
        rewrite = rewrite_named(module, call, packages, site)
    if rewrite is None:
        return None
    unsafe = (
        rewrite.unsafe
        or module.settings.default_policy != "KeepRunning"
        or _needs_more(module)
        or _may_hang(module, call)
    )
    edits = sorted((*site.edits(module, rewrite.lines), *packages.edits))
    title = f"Spawn with `{packages.runtime}.{SHORT}`"
    return Fix(title, tuple(edits), Applicability.UNSAFE if unsafe else Applicability.SAFE)


def _needs_more(module: GoFile) -> bool:
    """Whether the call that is written uses names that may not exist, such as a logger."""
    template = re.sub(r"{\w+}(\.\w+)?", "", module.settings.go_call)
    return any(word != "nil" for word in re.findall(r"[^\W\d]\w*", template))


def _may_hang(module: GoFile, call: Node) -> bool:
    """Whether the goroutine signals its end without a `defer`: when its panic no longer ends the process, others would
    wait forever."""
    function = module.names.declared(callee(call))
    return function is not None and any(_tells_end(module, node) for node in own(function))


def _tells_end(module: GoFile, node: Node) -> bool:
    """Whether a node sends, or calls `close` or `Done`, where a panic before it would prevent that."""
    if node.type == "send_statement":
        return True
    if node.type != "call_expression" or node.parent is None or node.parent.type == "defer_statement":
        return False
    called = callee(node)
    if module.names.is_builtin(called, "close"):
        return True
    is_done = called is not None and text(called.child_by_field_name("field")) == "Done"
    return is_done and node.parent.type == "expression_statement"
