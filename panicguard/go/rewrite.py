"""The fixes of Go: a bare `go` becomes a SafeGo call that evaluates the same at the same time.

`go` evaluates the function, the receiver and the arguments where it stands, and runs the call later. What may be
another value by then is kept in variables, in a block of its own; what cannot be told has no fix.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.go.apis import CONTEXT, SAFEGO
from panicguard.go.imports import Packages, packages
from panicguard.go.layout import aligned
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
from panicguard.model import Applicability, Edit, Fix, edited
from panicguard.patterns import component_for

if TYPE_CHECKING:
    from tree_sitter import Node

    from panicguard.go.module import GoModule
    from panicguard.go.names import Binding
    from panicguard.go.spawns import Spawn

_LITERALS = frozenset(
    "int_literal float_literal imaginary_literal rune_literal interpreted_string_literal raw_string_literal "
    "nil true false".split()
)
_BUILTINS = frozenset("close delete clear copy panic print println".split())
_SINGLE = frozenset(
    "selector_expression index_expression composite_literal unary_expression type_assertion_expression "
    "slice_expression func_literal".split()
)
"""Expressions with one value, and a type: a variable can keep it."""
_SHORT = SAFEGO.rpartition(".")[2]


class _Call(NamedTuple):
    """What is needed to write a SafeGo call: the names of its packages, the context, the component and the policy."""

    packages: Packages
    context: str
    variable: Binding | None
    """The variable with the context that is passed on, if it is one."""
    component: str
    policy: str

    def head(self, parameter: str | None = None) -> str:
        """The call up to the brace of its function's body."""
        runtime, context, _ = self.packages
        given = parameter if parameter is not None else f"(_ {context}.Context)"
        return f'{runtime}.{_SHORT}({self.context}, "{self.component}", {runtime}.{self.policy}, func{given} {{'


def go_fix(module: GoModule, statement: Node) -> Fix | None:
    """The fix for a `go` statement; None where no rewrite is known to be right."""
    call = statement_call(statement)
    if call is None or call.type != "call_expression" or in_error(statement) or not module.is_fixable:
        return None
    place = _Place.of(module, statement)
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
    unsafe = unsafe or policy != "KeepRunning" or _may_hang(module, call)
    title = f"Spawn with `{found.runtime}.{_SHORT}`"
    edits = sorted((*place.edits(module, written), *found.edits))
    return Fix(title, tuple(edits), Applicability.UNSAFE if unsafe else Applicability.SAFE)


class _Place(NamedTuple):
    """Where a statement stands: its margin, and the block around it where all of that is one line."""

    statement: Node
    indent: str
    block: Node | None
    trailing: Node | None
    """The comment behind the statement."""

    @classmethod
    def of(cls, module: GoModule, statement: Node) -> _Place | None:
        listed = statement.parent
        if listed is None or listed.type not in ("statement_list", "labeled_statement"):
            return None
        row, column = module.source.location(module.tree.offset(statement.start_byte))
        before = module.source.line(row)[: column - 1]
        if not before.strip():
            return cls(statement, before, None, _comment_behind(statement))
        block = listed.parent
        if block is None or block.type != "block" or block.start_point[0] != block.end_point[0]:
            return None
        if any(node.type == "comment" for node in block.named_children):
            return None
        indent = before[: len(before) - len(before.lstrip(" \t"))]
        return cls(statement, f"{indent}\t", block, None)

    def edits(self, module: GoModule, written: list[str]) -> tuple[Edit, ...]:
        """The edits that put lines, which have their margin but for the first, in the place of the statement."""
        newline = module.source.newline
        start, end = module.span(self.statement)
        said = newline.join(written)
        if self.block is None:
            if self.trailing is not None and written[-1].strip() == "}" and "\n" not in text(self.trailing):
                comment = text(self.trailing).rstrip("\r")
                said = newline.join((*written[:-2], f"{written[-2]} {comment}", written[-1]))
                end = start + len(module.source.text[start : module.tree.offset(self.trailing.end_byte)].rstrip("\r"))
                return tuple(aligned(module.source, Edit(start, end, said), keeps=False))
            old = module.source.text[start:end].split(newline)
            if len(old) > 2 and old[1:-1] == written[1:-1]:  # a literal's body stays as it is
                last = Edit(end - len(old[-1]), end, written[-1])
                return (Edit(start, start + len(old[0]), written[0]), *aligned(module.source, last))
            return tuple(aligned(module.source, Edit(start, end, said)))
        edits = [Edit(start, end, said)]
        outer = self.indent[:-1]
        at = module.tree.offset(self.block.start_byte) + 1
        for one in statements(self.block):
            begin = module.tree.offset(one.start_byte)
            edits.append(Edit(at, begin, f"{newline}{self.indent}"))
            at = module.tree.offset(one.end_byte)
        edits.append(Edit(at, module.tree.offset(self.block.end_byte) - 1, f"{newline}{outer}"))
        return (_joined(module.source.text, edits),)


def _joined(text: str, edits: list[Edit]) -> Edit:
    """Edits as one."""
    edits = sorted(edits)
    return Edit(edits[0].start, edits[-1].end, edited(text, edits, edits[0].start, edits[-1].end))


def _comment_behind(statement: Node) -> Node | None:
    """The comment on the line in which a statement ends, if nothing but that is there."""
    node: Node | None = statement
    while node is not None and node.next_sibling is None:
        node = node.parent
    following = node.next_sibling if node is not None else None
    if following is not None and following.type in ("\n", ";"):
        following = following.next_sibling
    if following is None or following.type != "comment" or following.start_point[0] != statement.end_point[0]:
        return None
    return following


# Literals


def _literal(
    module: GoModule, call: Node, literal: Node, found: Packages, place: _Place
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
    module: GoModule, statement: Node, call: Node, found: Packages, place: _Place
) -> tuple[list[str], bool] | None:
    function = call.child_by_field_name("function")
    if function is None or call.child_by_field_name("type_arguments") is not None:
        return None
    kept: list[tuple[str, str]] = []
    how = _callee(module, plain(function))
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
        if _is_constant(module, value) or _is_final(module, value):
            written.append(one)
            inline.append(value)
            continue
        count = _values(module, call, value, len(given))
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


def _callee(module: GoModule, function: Node | None) -> tuple[bool, bool] | None:
    """Whether what is called can stay where it is until it is called, and whether that is a guess; None where neither
    that nor keeping it in a variable is right."""
    if function is None:
        return None
    names = module.names
    if function.type == "identifier":
        name = text(function)
        binding = names.lookup(function)
        if binding is None:
            if name in _BUILTINS:
                return True, False
            if name in ("append", "recover", "cap", "complex", "imag", "len", "make", "new", "real", "min", "max"):
                return None
            return True, True  # most likely a function of another file
        if binding.kind == "func":
            return True, False
        if binding.kind in ("type", "const"):
            return None
        return _is_final(module, function), False
    if function.type == "selector_expression":
        operand = function.child_by_field_name("operand")
        if names.qualified(function) is not None:
            return True, False
        if operand is not None and operand.type == "identifier" and names.lookup(operand) is None:
            return None
        declared = names.declared(function)
        if (
            declared is not None
            and operand is not None
            and "*" in text(declared.child_by_field_name("receiver"))
            and _is_final(module, operand, shared=True)
        ):
            return True, False
        return False, False
    if function.type in ("call_expression", "index_expression", "type_assertion_expression", "unary_expression"):
        return False, False
    return None


def _is_constant(module: GoModule, node: Node) -> bool:
    """Whether an expression is made of literals and of constants of this file."""
    value = plain(node)
    if value is None:
        return False
    if value.type in _LITERALS or value.type == "func_literal":
        return True
    if value.type == "identifier":
        binding = module.names.lookup(value)
        return binding is not None and binding.kind in ("const", "func")
    if value.type in ("unary_expression", "binary_expression"):
        operator = next((child.type for child in value.children if not child.is_named), "")
        return operator not in ("<-", "&", "*") and all(_is_constant(module, one) for one in value.named_children)
    return False


def _is_final(module: GoModule, node: Node, *, shared: bool = False) -> bool:
    """Whether an expression is a local variable that has the same value for ever after; with `shared`, all but its
    parts."""
    value = plain(node)
    binding = module.names.lookup(value) if value is not None and value.type == "identifier" else None
    if binding is None or binding.kind not in ("var", "param", "range"):
        return False
    if _is_of_package(binding) or (not shared and module.names.is_touched(binding)):
        return False
    return not module.names.is_reassigned(binding) or _is_per_iteration(module, binding)


def _is_of_package(binding: Binding) -> bool:
    kinds = [above.type for above in ancestors(binding.node)]
    return not any(kind in ("block", "function_declaration", "method_declaration", "func_literal") for kind in kinds)


def _is_per_iteration(module: GoModule, binding: Binding) -> bool:
    """Whether a variable of a `for i := 0; ...; i++` is set only there: each turn has its own."""
    clause = binding.node.parent
    if clause is None or clause.type != "for_clause" or module.version < (1, 22):
        return False
    targets = module.names.assigned(binding)
    return all(clause.start_byte <= target.start_byte < clause.end_byte for target in targets)


def _values(module: GoModule, call: Node, value: Node, count: int) -> int | None:
    """How many values an argument gives that a variable is to keep; None where that, or its type, is not known."""
    value = plain(value) or value
    if value.type == "selector_expression" and module.names.qualified(value) is not None:
        return None  # it may be a constant without a type
    if value.type == "identifier" and module.names.lookup(value) is None:
        return None
    if value.type in _SINGLE or value.type == "identifier":
        return 1
    if value.type != "call_expression":
        return None
    called = callee(value)
    if count > 1:
        return 1
    function = module.names.declared(callee(call))
    parameters = function.child_by_field_name("parameters") if function is not None else None
    if parameters is not None:
        declared = sum(max(len(one.children_by_field_name("name")), 1) for one in parameters.named_children)
        if declared == 1 and parameters.named_children[0].type == "parameter_declaration":
            return 1
    made = module.names.declared(called)
    if made is None:
        return 1 if module.names.is_builtin(called, "len") or module.names.is_builtin(called, "cap") else None
    result = made.child_by_field_name("result")
    if result is None or result.type != "parameter_list":
        return 1 if result is not None else None
    return sum(max(len(one.children_by_field_name("name")), 1) for one in result.named_children)


# The call


def _call(module: GoModule, found: Packages, site: Node, literal: Node | None) -> _Call:
    variable = _context_variable(module, site)
    context = variable.name if variable is not None else f"{found.context}.Background()"
    return _Call(found, context, variable, component(module, site), module.settings.default_policy)


def _context_variable(module: GoModule, site: Node) -> Binding | None:
    """The nearest variable that is declared as a context."""
    for binding in module.names.visible(site):
        if binding.name != "_" and module.names.type_of_binding(binding) == CONTEXT:
            return binding
    return None


def _parameter(module: GoModule, made: _Call, literal: Node) -> str | None:
    """The parameter of the new function, named as the context that its body uses, if that stays the same."""
    variable, body = made.variable, literal.child_by_field_name("body")
    if variable is None or body is None or module.names.is_reassigned(variable):
        return None
    if not any(_is(module, node, variable) for node in within(body)):
        return None
    return f"({variable.name} {made.packages.context}.Context)"


def _is(module: GoModule, node: Node, variable: Binding) -> bool:
    return node.type == "identifier" and text(node) == variable.name and module.names.lookup(node) is variable


def component(module: GoModule, site: Node) -> str:
    """The component of a spawn: the settings' for this path, else the function around it."""
    configured = component_for(module.settings, module.source.path)
    if configured is not None:
        return configured
    for above in ancestors(site):
        name = text(above.child_by_field_name("name"))
        if above.type == "function_declaration":
            return name
        if above.type == "method_declaration":
            from panicguard.go.names import receiver_type

            return f"{receiver_type(above)}.{name}"
    return re.sub(r"\W+", "-", text(module.tree.all("package_clause")[0].named_children[0])) or "main"


# Safety


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
    place, found = _Place.of(module, statement), packages(module, statement)
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
    said = f'{_SHORT}{module.source.text[end:at]}"{component(module, call)}", '
    rest = module.source.text[at : module.tree.offset(call.end_byte)]
    whole = Edit(start, module.tree.offset(call.end_byte), said + rest)
    edits = aligned(module.source, whole) if "\n" not in rest else [Edit(start, at, said)]
    return Fix("Name the component", tuple(edits))
