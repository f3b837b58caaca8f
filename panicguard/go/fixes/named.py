"""The fix of a `go f(x)`: what `go` evaluates at once is kept in variables, if its value may differ by the time of the
call."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.fixes.call import Rewrite, SafeGoCall
from panicguard.go.fixes.evaluation import count_of, is_constant, is_final, staying
from panicguard.go.fixes.lines import moved_text
from panicguard.go.nodes import arguments, plain, text, within

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.file import GoFile
    from panicguard.go.fixes.imports import Packages
    from panicguard.go.fixes.layout import StatementSite


class _Kept(NamedTuple):
    """Variables, and the expression whose value or values they keep."""

    names: list[str]
    value: Node


class _LaterCall(NamedTuple):
    """A call as it is written in the function that SafeGo calls: its function and arguments are expressions that stay
    as they are, or the names of variables."""

    function: Node | str
    arguments: list[Node | str]
    kept: list[_Kept]
    evaluated: list[Node]
    """The expressions that are evaluated only when it is called."""

    def written(self, module: GoFile) -> str:
        deeper = "\t\t" if self.kept else "\t"
        parts = (self.function, *self.arguments)
        function, *args = (part if isinstance(part, str) else moved_text(module, part, deeper) for part in parts)
        return f"{function}({', '.join(args)})"


def rewrite_named(module: GoFile, call: Node, packages: Packages, site: StatementSite) -> Rewrite | None:
    function = call.child_by_field_name("function")
    if function is None or call.child_by_field_name("type_arguments") is not None:
        return None
    how = staying(module, plain(function))
    if how is None:
        return None
    later = _later_call(module, call, function, function_stays=how.stays)
    safego = SafeGoCall.at(module, packages, site.statement)
    if later is None or _collides(later, safego):
        return None
    parameters = safego.parameters_for(module, (node for each in later.evaluated for node in within(each)))
    return Rewrite(_lines(module, later, safego.head(parameters), site.indent), how.guessed)


def _later_call(module: GoFile, call: Node, function: Node, *, function_stays: bool) -> _LaterCall | None:
    """None if it is not known how many values an argument has, or of which type."""
    called: Node | str = function if function_stays else "fn"
    kept = [] if function_stays else [_Kept(["fn"], function)]
    evaluated = [function] if function_stays else []
    written: list[Node | str] = []
    args = arguments(call)
    for index, argument in enumerate(args):
        spread = argument.type == "variadic_argument"
        value = argument.named_children[0] if spread and argument.named_children else argument
        if is_constant(module, value) or is_final(module, value):
            written.append(argument)
            evaluated.append(value)
            continue
        count = count_of(module, call, value, len(args))
        if count is None:
            return None
        names = [f"arg{index + n}" for n in range(count)]
        kept.append(_Kept(names, value))
        written += [f"{names[0]}..."] if spread else names
    return _LaterCall(called, written, kept, evaluated)


def _collides(later: _LaterCall, safego: SafeGoCall) -> bool:
    """Whether a new variable hides a name that is used in its scope."""
    new = {name for kept in later.kept for name in kept.names}
    used = {text(node) for each in later.evaluated for node in within(each) if node.type == "identifier"}
    return not new.isdisjoint(used | {safego.context, safego.packages.runtime, safego.packages.context})


def _lines(module: GoFile, later: _LaterCall, head: str, indent: str) -> list[str]:
    """The SafeGo call, in a block of its own with the variables if there are any."""
    written = later.written(module)
    if not later.kept:
        return [head, f"{indent}\t{written}", f"{indent}}})"]
    names = ", ".join(name for kept in later.kept for name in kept.names)
    values = ", ".join(moved_text(module, kept.value, "\t") for kept in later.kept)
    return [
        "{",
        f"{indent}\t{names} := {values}",
        f"{indent}\t{head}",
        f"{indent}\t\t{written}",
        f"{indent}\t}})",
        f"{indent}}}",
    ]
