"""The fixes of Go: a bare `go` becomes a SafeGo call that evaluates the same at the same time.

`go` evaluates the function, the receiver and the arguments where it stands, and runs the call later. What may be
another value by then is kept in variables, in a block of its own; what cannot be told has no fix.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.apis import CONTEXT, SAFEGO
from panicguard.go.imports import Packages, packages
from panicguard.go.layout import Place, aligned
from panicguard.go.names import receiver_type
from panicguard.go.nodes import (
    ancestors,
    arguments,
    callee,
    in_error,
    own,
    plain,
    statement_call,
    statements,
    text,
    within,
)
from panicguard.go.values import count_of, is_constant, is_final, staying
from panicguard.model import Applicability, Edit, Fix
from panicguard.patterns import component_for

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.go.scopes import Binding
    from panicguard.go.spawns import Spawn

_SHORT = SAFEGO.rpartition(".")[2]


class _Call(NamedTuple):
    """What is needed to write a SafeGo call: the names of its packages, the context, the component and the policy."""

    packages: Packages
    context: str
    variable: Binding | None
    """The variable with the context that is passed on, if it is one."""
    component: str
    name: str
    policy: str
    template: str

    def head(self, parameter: str | None = None) -> str:
        """The call up to the brace of its function's body."""
        runtime, context, _ = self.packages
        given = parameter if parameter is not None else f"(_ {context}.Context)"
        parts = {
            "runtime": runtime,
            "ctx": self.context,
            "component": quoted(self.component),
            "name": quoted(self.name),
            "policy": self.policy,
            "fn": "",
        }
        return f"{self.template.format(**parts).removesuffix(')')}func{given} {{"


def go_fix(module: GoModule, statement: Node) -> Fix | None:
    """The fix for a `go` statement; None where no rewrite is known to be right."""
    call = statement_call(statement)
    if call is None or call.type != "call_expression" or in_error(statement) or not module.is_fixable:
        return None
    place = Place.of(module, statement)
    found = packages(module, statement)
    if place is None or found is None:
        return None
    literal = plain(call.child_by_field_name("function"))
    if literal is not None and literal.type == "func_literal":
        made = _literal(module, call, literal, found, place)
    else:
        made = _named(module, statement, call, found, place)
    if made is None:
        return None
    written, unsafe = made
    policy = module.settings.default_policy
    unsafe = unsafe or policy != "KeepRunning" or _says_more(module) or _may_hang(module, call)
    title = f"Spawn with `{found.runtime}.{_SHORT}`"
    edits = sorted((*place.edits(module, written), *found.edits))
    return Fix(title, tuple(edits), Applicability.UNSAFE if unsafe else Applicability.SAFE)


# Literals


def _literal(
    module: GoModule, call: Node, literal: Node, found: Packages, place: Place
) -> tuple[list[str], bool] | None:
    body = literal.child_by_field_name("body")
    parameters = literal.child_by_field_name("parameters")
    if body is None or parameters is None or call.child_by_field_name("type_arguments") is not None:
        return None
    given = arguments(call)
    results = literal.child_by_field_name("result") is not None
    indent = place.indent
    if not parameters.named_children:
        made = _call(module, found, place.statement, literal)
        if results:
            inner = _lines(module, literal, f"{indent}\t", "\t")
            return [
                made.head(_parameter(module, made, literal)),
                *_prefixed(inner, f"{indent}\t"),
                f"{indent}}})",
            ], False
        lines = _body(module, body, indent, "")
        return _closed(made.head(_parameter(module, made, literal)), lines, indent), False
    if results:
        return None
    only = parameters.named_children[0]
    is_context = (
        len(given) == 1
        and len(parameters.named_children) == 1
        and module.names.qualified(only.child_by_field_name("type")) == CONTEXT
        and len(only.children_by_field_name("name")) <= 1
    )
    if is_context:
        if given[0].type == "call_expression" and module.names.type_of(given[0]) != CONTEXT:
            return None
        made = _call(module, found, place.statement, literal)._replace(context=text(given[0]))
        return _closed(made.head(text(parameters)), _body(module, body, indent, ""), indent), False
    first = next(iter(statements(body)), body)
    made = _call(module, found, first, literal)
    names = {text(name) for one in parameters.named_children for name in one.children_by_field_name("name")}
    if names & {found.runtime, found.context}:
        return None
    wrapped = _closed(
        made.head(_parameter(module, made, literal)), _body(module, body, f"{indent}\t", "\t"), f"{indent}\t"
    )
    head = f"func{text(parameters)} {{"
    tail = _text(module, call.child_by_field_name("arguments"), "")
    return [head, f"{indent}\t{wrapped[0]}", *wrapped[1:], f"{indent}}}{tail}"], False


def _closed(head: str, lines: list[str], indent: str) -> list[str]:
    """The lines of a call whose function has this body; the first is what stands behind its brace."""
    return [f"{head}{lines[0]}", *lines[1:], f"{indent}}})"] if lines else [f"{head}}})"]


def _prefixed(lines: list[str], indent: str) -> list[str]:
    return [f"{indent}{lines[0]}", *lines[1:]]


def _body(module: GoModule, body: Node, indent: str, deeper: str) -> list[str]:
    """What stands behind the brace of a body, and its lines, which are to be one tab deeper than `indent`; `deeper` is
    what each line gets more. Nothing for an empty body."""
    if body.start_point[0] == body.end_point[0]:
        said = [f"{indent}\t{text(one)}" for one in statements(body)]
        return ["", *said] if said else []
    return _deeper(module, body, body.start_byte + 1, body.end_byte - 1, deeper)[:-1]


def _lines(module: GoModule, literal: Node, indent: str, deeper: str) -> list[str]:
    """A literal that is called at once, with its lines deeper."""
    lines = _deeper(module, literal, literal.start_byte, literal.end_byte, deeper)
    return [*lines[:-1], f"{lines[-1]}()"]


def _deeper(module: GoModule, node: Node, start: int, end: int, deeper: str) -> list[str]:
    """The lines between two bytes of a node, those behind the first with a longer margin, but not in raw strings."""
    raw = [one for one in within(node) if one.type == "raw_string_literal"] if deeper else []
    lines = []
    at = start
    for line in module.tree.data[start:end].split(b"\n"):
        inside = any(one.start_byte < at <= one.end_byte for one in raw)
        said = line.decode().rstrip("\r")
        lines.append(f"{deeper}{said}" if at > start and said.strip() and not inside else said)
        at += len(line) + 1
    return lines


def _text(module: GoModule, node: Node | None, deeper: str) -> str:
    if node is None:
        return ""
    return module.source.newline.join(_deeper(module, node, node.start_byte, node.end_byte, deeper))


# Named functions


def _named(
    module: GoModule, statement: Node, call: Node, found: Packages, place: Place
) -> tuple[list[str], bool] | None:
    function = call.child_by_field_name("function")
    if function is None or call.child_by_field_name("type_arguments") is not None:
        return None
    kept: list[tuple[str, str]] = []
    how = staying(module, plain(function))
    if how is None:
        return None
    stays, unsafe = how
    if not stays:
        kept.append(("fn", _text(module, function, "\t")))
    given = arguments(call)
    written: list[Node | str] = [function if stays else "fn"]
    inline = [function] if stays else []
    for index, one in enumerate(given):
        spread = one.type == "variadic_argument"
        value = one.named_children[0] if spread and one.named_children else one
        if is_constant(module, value) or is_final(module, value):
            written.append(one)
            inline.append(value)
            continue
        count = count_of(module, call, value, len(given))
        if count is None:
            return None
        names = [f"arg{index + n}" for n in range(count)]
        kept.append((", ".join(names), _text(module, value, "\t")))
        written += [f"{names[0]}..."] if spread else names
    temporaries = {name for names, _ in kept for name in names.split(", ")}
    used = {text(node) for one in inline for node in within(one) if node.type == "identifier"}
    if temporaries & used:
        return None
    made = _call(module, found, statement, None)
    if temporaries & {made.context, found.runtime, found.context}:
        return None
    variable = made.variable
    uses_context = (
        variable is not None
        and not module.names.is_reassigned(variable)
        and any(_is(module, node, variable) for one in inline for node in within(one))
    )
    parameter = f"({made.context} {found.context}.Context)" if uses_context else None
    indent = place.indent
    deeper = "\t\t" if kept else "\t"
    called, *passed = (one if isinstance(one, str) else _text(module, one, deeper) for one in written)
    said = f"{called}({', '.join(passed)})"
    if not kept:
        return [made.head(parameter), f"{indent}\t{said}", f"{indent}}})"], unsafe
    names_, values = ", ".join(names for names, _ in kept), ", ".join(value for _, value in kept)
    return [
        "{",
        f"{indent}\t{names_} := {values}",
        f"{indent}\t{made.head(parameter)}",
        f"{indent}\t\t{said}",
        f"{indent}\t}})",
        f"{indent}}}",
    ], unsafe


# The call


def _call(module: GoModule, found: Packages, site: Node, literal: Node | None) -> _Call:
    variable = module.names.nearest(site, CONTEXT)
    context = variable.name if variable is not None else f"{found.context}.Background()"
    policy, template = module.settings.default_policy, module.settings.go_call
    return _Call(found, context, variable, component(module, site), _around(module, site), policy, template)


def _parameter(module: GoModule, made: _Call, literal: Node) -> str | None:
    """The parameter of the new function, named as the context that its body uses, if that stays the same. The body is
    in the parameter's scope, and cannot declare the name anew."""
    variable, body = made.variable, literal.child_by_field_name("body")
    if variable is None or body is None or module.names.is_reassigned(variable):
        return None
    if module.names.is_declared_in(body, variable.name):
        return None
    if not any(_is(module, node, variable) for node in within(body)):
        return None
    return f"({variable.name} {made.packages.context}.Context)"


def _is(module: GoModule, node: Node, variable: Binding) -> bool:
    return node.type == "identifier" and text(node) == variable.name and module.names.lookup(node) is variable


def quoted(said: str) -> str:
    """A text as Go writes it."""
    return json.dumps(said, ensure_ascii=False)


def component(module: GoModule, site: Node) -> str:
    """The component of a spawn: the settings' for this path, else the function around it."""
    return component_for(module.settings, module.source.path) or _around(module, site)


def _around(module: GoModule, site: Node) -> str:
    """The name of the function around a node, else of the package."""
    for above in ancestors(site):
        name = text(above.child_by_field_name("name"))
        if above.type == "function_declaration":
            return name
        if above.type == "method_declaration":
            return f"{receiver_type(above)}.{name}"
    package = next((text(name) for clause in module.tree.all("package_clause") for name in clause.named_children), "")
    return re.sub(r"\W+", "-", package) or "main"


# Safety


def _says_more(module: GoModule) -> bool:
    """Whether the call that is written names what may not be there, such as a logger."""
    said = re.sub(r"{\w+}(\.\w+)?", "", module.settings.go_call)
    return any(word != "nil" for word in re.findall(r"[^\W\d]\w*", said))


def _may_hang(module: GoModule, call: Node) -> bool:
    """Whether what runs tells others that it is done without a `defer`: when its panic no longer ends the process, they
    wait for ever."""
    function = module.names.declared(callee(call))
    if function is None:
        return False
    for node in own(function):
        if node.type == "send_statement":
            return True
        if node.type != "call_expression" or (node.parent is not None and node.parent.type == "defer_statement"):
            continue
        called = callee(node)
        if module.names.is_builtin(called, "close"):
            return True
        is_done = called is not None and text(called.child_by_field_name("field")) == "Done"
        if is_done and node.parent is not None and node.parent.type == "expression_statement":
            return True
    return False


def waitgroup_fix(module: GoModule, spawn: Spawn) -> Fix | None:
    """The fix for a `wg.Go`, which counts by itself."""
    literal, called, statement = spawn.literal, callee(spawn.node), spawn.node.parent
    group = called.child_by_field_name("operand") if called is not None else None
    if literal is None or statement is None or statement.type != "expression_statement" or in_error(statement):
        return None
    if not module.is_fixable:
        return None
    if group is None or module.names.type_of(group) != "sync.WaitGroup" or not _is_plain(group):
        return None
    body, parameters = literal.child_by_field_name("body"), literal.child_by_field_name("parameters")
    place, found = Place.of(module, statement), packages(module, statement)
    if body is None or parameters is None or parameters.named_children or place is None or found is None:
        return None
    made, indent = _call(module, found, statement, literal), place.indent
    done = f"{indent}\tdefer {text(group)}.Done()"
    behind, *lines = _body(module, body, indent, "") or [""]
    head = f"{indent}{made.head(_parameter(module, made, literal))}"
    written = [f"{text(group)}.Add(1)", *_closed(head, [behind, done, *lines], indent)]
    edits = sorted((*place.edits(module, written), *found.edits))
    return Fix(f"Spawn with `{found.runtime}.{_SHORT}`", tuple(edits), Applicability.UNSAFE)


def _is_plain(node: Node) -> bool:
    """Whether an expression is a name, or a field of one: asked twice, it is the same."""
    operand = node.child_by_field_name("operand") if node.type == "selector_expression" else None
    return node.type == "identifier" or (operand is not None and _is_plain(operand))


def component_fix(module: GoModule, call: Node) -> Fix | None:
    """The fix for a `SafeGoWithContext`, which has three arguments."""
    given = arguments(call)
    called = callee(call)
    if len(given) != 3 or called is None or in_error(call):
        return None
    name = called.child_by_field_name("field") or called
    start, end = module.span(name)
    at = module.tree.offset(given[1].start_byte)
    said = f"{_SHORT}{module.source.text[end:at]}{quoted(component(module, call))}, "
    rest = module.source.text[at : module.tree.offset(call.end_byte)]
    whole = Edit(start, module.tree.offset(call.end_byte), said + rest)
    edits = aligned(module.source, whole) if "\n" not in rest else [Edit(start, at, said)]
    return Fix("Name the component", tuple(edits))
