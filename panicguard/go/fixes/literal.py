"""The fix of a `go func() { ... }()`: the body goes into the function that SafeGo calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.go.apis import CONTEXT
from panicguard.go.fixes.call import Rewrite, SafeGoCall
from panicguard.go.fixes.lines import closed, moved, moved_body, moved_text
from panicguard.go.nodes import arguments, statements, text, within

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.fixes.imports import Packages
    from panicguard.go.fixes.layout import StatementSite


def rewrite_literal(
    module: GoFile, call: Node, literal: Node, packages: Packages, site: StatementSite
) -> Rewrite | None:
    body = literal.child_by_field_name("body")
    parameters = literal.child_by_field_name("parameters")
    if body is None or parameters is None or call.child_by_field_name("type_arguments") is not None:
        return None
    has_results = literal.child_by_field_name("result") is not None
    if not parameters.named_children:
        safego = SafeGoCall.at(module, packages, site.statement)
        if has_results:
            return Rewrite(_called_within(module, safego, literal, body, site.indent))
        return Rewrite(body_within(module, safego, body, site.indent))
    if has_results:
        return None
    args = arguments(call)
    if _takes_context(module, parameters, args):
        return _with_own_context(module, args[0], parameters, body, packages, site)
    return _with_parameters(module, call, parameters, body, packages, site)


def parameters_for(module: GoFile, safego: SafeGoCall, body: Node) -> str | None:
    """The parameters of the new function, named as the context that its body uses. The body is in their scope, and
    cannot redeclare the name."""
    if safego.variable is None or module.names.is_declared_in(body, safego.variable.name):
        return None
    return safego.parameters_for(module, within(body))


def body_within(module: GoFile, safego: SafeGoCall, body: Node, indent: str, deeper: str = "") -> list[str]:
    """The call with the body of a literal as the body of its function."""
    return closed(safego.head(parameters_for(module, safego, body)), moved_body(module, body, indent, deeper), indent)


def _called_within(module: GoFile, safego: SafeGoCall, literal: Node, body: Node, indent: str) -> list[str]:
    """The call with a function that calls the literal, because its results are not of the type that SafeGo takes."""
    first, *lines = moved(module, literal, "\t")
    called = [f"{indent}\t{first}", *lines]
    called[-1] += "()"
    return [safego.head(parameters_for(module, safego, body)), *called, f"{indent}}})"]


def _takes_context(module: GoFile, parameters: Node, args: list[Node]) -> bool:
    """Whether a literal's only parameter is a context."""
    first = parameters.named_children[0]
    return (
        len(args) == 1
        and len(parameters.named_children) == 1
        and module.names.qualified(first.child_by_field_name("type")) == CONTEXT
        and len(first.children_by_field_name("name")) <= 1
    )


def _with_own_context(
    module: GoFile, context: Node, parameters: Node, body: Node, packages: Packages, site: StatementSite
) -> Rewrite | None:
    """`go func(ctx context.Context) { ... }(c)`: SafeGo takes the literal with its context. None if that comes from a
    call that may return something else too."""
    if context.type == "call_expression" and module.names.type_of(context) != CONTEXT:
        return None
    safego = SafeGoCall.at(module, packages, site.statement)._replace(context=text(context))
    return Rewrite(closed(safego.head(text(parameters)), moved_body(module, body, site.indent, ""), site.indent))


def _with_parameters(
    module: GoFile, call: Node, parameters: Node, body: Node, packages: Packages, site: StatementSite
) -> Rewrite | None:
    """`go func(x int) { ... }(y)`: the literal is called at once, and its body runs in a SafeGo inside. None if a
    parameter hides a package that the call needs."""
    names = {text(name) for each in parameters.named_children for name in each.children_by_field_name("name")}
    if names & {packages.runtime, packages.context}:
        return None
    safego = SafeGoCall.at(module, packages, next(iter(statements(body)), body))
    indent = site.indent
    first, *lines = body_within(module, safego, body, f"{indent}\t", "\t")
    passed = moved_text(module, call.child_by_field_name("arguments"), "")
    return Rewrite([f"func{text(parameters)} {{", f"{indent}\t{first}", *lines, f"{indent}}}{passed}"])
