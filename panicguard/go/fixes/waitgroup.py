"""The fix of a `wg.Go(func() { ... })`, which counts by itself: an `Add`, and a deferred `Done` in a SafeGo."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Applicability, Fix
from panicguard.go.fixes.call import SafeGoCall
from panicguard.go.fixes.component import SHORT
from panicguard.go.fixes.imports import packages_at
from panicguard.go.fixes.layout import StatementSite
from panicguard.go.fixes.lines import closed, moved_body
from panicguard.go.fixes.literal import parameters_for
from panicguard.go.nodes import callee, in_error, text

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.spawns import Spawn


def waitgroup_fix(module: GoFile, spawn: Spawn) -> Fix | None:
    """The fix for a `wg.Go` with a literal."""
    statement, group = spawn.node.parent, _group(module, spawn)
    if statement is None or statement.type != "expression_statement" or in_error(statement):
        return None
    body = _body(spawn)
    if group is None or body is None or not module.is_fixable:
        return None
    site, packages = StatementSite.of(module, statement), packages_at(module, statement)
    if site is None or packages is None:
        return None
    safego, indent = SafeGoCall.at(module, packages, statement), site.indent
    behind, *lines = moved_body(module, body, indent, "") or [""]
    done = f"{indent}\tdefer {group}.Done()"
    head = f"{indent}{safego.head(parameters_for(module, safego, body))}"
    written = [f"{group}.Add(1)", *closed(head, [behind, done, *lines], indent)]
    edits = sorted((*site.edits(module, written), *packages.edits))
    return Fix(f"Spawn with `{packages.runtime}.{SHORT}`", tuple(edits), Applicability.UNSAFE)


def _group(module: GoFile, spawn: Spawn) -> str | None:
    """The wait group as it is written; None if it is another type's `Go`, or must not be evaluated twice."""
    called = callee(spawn.node)
    group = called.child_by_field_name("operand") if called is not None else None
    if group is None or module.names.type_of(group) != "sync.WaitGroup" or not _is_plain(group):
        return None
    return text(group)


def _body(spawn: Spawn) -> Node | None:
    """The body of the literal that is spawned, if that has no parameters."""
    literal = spawn.literal
    parameters = literal.child_by_field_name("parameters") if literal is not None else None
    if literal is None or parameters is None or parameters.named_children:
        return None
    return literal.child_by_field_name("body")


def _is_plain(node: Node) -> bool:
    """Whether an expression is a name, or a field of one: evaluated twice, it is the same."""
    operand = node.child_by_field_name("operand") if node.type == "selector_expression" else None
    return node.type == "identifier" or (operand is not None and _is_plain(operand))
