"""The scopes of a Go file, what is declared in them, and where it is set again.

Scopes are computed only on demand: most names of a file are never looked up.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panicguard.go.nodes import FUNCTIONS, ancestors, listed, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tree_sitter import Node

    from panicguard.go.tree import Tree


class BindingKind(str, enum.Enum):
    """What a name is declared as."""

    VAR = "var"
    """A variable, by `var`, `:=` or the clause of a `select` or a type switch."""
    CONST = "const"
    """A constant."""
    TYPE = "type"
    """A type or an alias of one."""
    FUNC = "func"
    """A function of the file; methods have no binding."""
    PARAM = "param"
    """A parameter, a named result or a receiver."""
    RANGE = "range"
    """A variable that a `for ... range` declares."""


@dataclass(frozen=True, eq=False)
class Binding:
    """A declared name: by which node, and with which type and value, if they are written. `index` is its position among
    the names that one value is assigned to."""

    name: str
    kind: BindingKind
    node: Node
    start: int
    """The byte offset from which it is visible."""
    type: Node | None = None
    value: Node | None = None
    index: int = 0


@dataclass(frozen=True, eq=False)
class Scopes:
    """What the scopes of a file declare, and which declaration an identifier means."""

    tree: Tree
    _scopes: dict[int, dict[str, list[Binding]]] = field(default_factory=dict)
    _found: dict[tuple[Binding | str, str], list[Node]] = field(default_factory=dict)

    def lookup(self, identifier: Node, name: str | None = None) -> Binding | None:
        """What an identifier stands for; None for a builtin, a package, and what another file declares."""
        name = text(identifier) if name is None else name
        at = identifier.start_byte
        child = identifier
        for scope in ancestors(identifier):
            for binding in reversed(self.bindings(scope).get(name, ())):
                if is_visible(binding, scope, child, at):
                    return binding
            child = scope
        return None

    def is_declared_in(self, block: Node, name: str) -> bool:
        """Whether a statement of a block, not of one within it, declares a name."""
        return any(name in self.bindings(child) for child in block.named_children if child.type == "statement_list")

    def bindings(self, scope: Node) -> dict[str, list[Binding]]:
        """What a scope itself declares, by name, in the order of the text."""
        known = self._scopes.get(scope.id)
        if known is None:
            known = self._scopes[scope.id] = {}
            for binding in _declared_in(scope):
                known.setdefault(binding.name, []).append(binding)
        return known

    def is_reassigned(self, binding: Binding) -> bool:
        """Whether the name is assigned again after it was declared."""
        return bool(self.assigned(binding))

    def assigned(self, binding: Binding) -> list[Node]:
        """Where the name is assigned again, or its address is taken."""
        return self._standing_for(binding, self._is_assigned)

    def changed_in_part(self, binding: Binding) -> list[Node]:
        """Where a part of what the name stands for is set, called, sliced or addressed."""
        return self._standing_for(binding, _is_part_changed)

    def _standing_for(self, binding: Binding, kind: Callable[[Node], bool]) -> list[Node]:
        """The identifiers of this kind that stand for what is declared."""
        key = binding, kind.__name__
        if key not in self._found:
            of_name = binding.name, kind.__name__
            if of_name not in self._found:
                leaves = self.tree.leaves(binding.name)
                self._found[of_name] = [leaf for leaf in leaves if leaf.type == "identifier" and kind(leaf)]
            self._found[key] = [leaf for leaf in self._found[of_name] if self.lookup(leaf) is binding]
        return self._found[key]

    def _is_assigned(self, node: Node) -> bool:
        above = node.parent
        if above is None:
            return False
        match above.type:
            case "inc_statement" | "dec_statement":
                return True
            case "unary_expression":
                return text(above).startswith("&")
            case "expression_list":
                setting = above.parent
                if setting is None or setting.child_by_field_name("left") != above:
                    return False
                return not (_is_declaring(setting) and self._is_new(node, setting))
        return False

    def _is_new(self, target: Node, declaring: Node) -> bool:
        """Whether a name on the left of a `:=` is declared by it, and was not in its block before."""
        binding = self.lookup(target)
        if binding is None:
            return True
        block = declaring.parent
        if binding.kind is BindingKind.PARAM and block is not None and block.parent is not None:
            function = block.parent.parent
            return function is None or all(node != function for node in ancestors(binding.node))
        return binding.node.parent != block


def is_visible(binding: Binding, scope: Node, child: Node, at: int) -> bool:
    """Whether what a scope declares is visible at a byte offset in one of its children: a parameter only in the
    body."""
    if scope.type == "source_file":
        return True
    return binding.start <= at and (scope.type not in FUNCTIONS or child == scope.child_by_field_name("body"))


def _declared_in(scope: Node) -> Iterator[Binding]:
    match scope.type:
        case "source_file":
            for node in scope.named_children:
                if node.type == "function_declaration":
                    name = node.child_by_field_name("name")
                    yield Binding(text(name), BindingKind.FUNC, node, 0)
                else:
                    yield from _declarations(node)
        case "function_declaration" | "method_declaration" | "func_literal":
            for part in ("receiver", "parameters", "result"):
                yield from _parameters(scope.child_by_field_name(part))
        case "statement_list" | "expression_case" | "default_case" | "type_case":
            for node in scope.named_children:
                yield from _declarations(node)
        case "communication_case":
            communication = scope.child_by_field_name("communication")
            if communication is not None and _is_declaring(communication):
                yield from _values(communication, communication, BindingKind.VAR)
        case "if_statement" | "expression_switch_statement" | "type_switch_statement":
            initializer = scope.child_by_field_name("initializer")
            if initializer is not None:
                yield from _declarations(initializer)
            for alias in listed(scope.child_by_field_name("alias")):
                yield Binding(text(alias), BindingKind.VAR, scope, alias.end_byte)
        case "for_statement":
            for clause in scope.named_children:
                if clause.type == "range_clause" and _is_declaring(clause):
                    for index, name in enumerate(listed(clause.child_by_field_name("left"))):
                        yield Binding(text(name), BindingKind.RANGE, clause, clause.end_byte, index=index)
                elif clause.type == "for_clause":
                    initializer = clause.child_by_field_name("initializer")
                    if initializer is not None:
                        yield from _declarations(initializer)


def _is_declaring(node: Node) -> bool:
    return any(child.type == ":=" for child in node.children)


def _declarations(node: Node) -> Iterator[Binding]:
    """What one statement or declaration declares."""
    match node.type:
        case "short_var_declaration":
            yield from _values(node, node, BindingKind.VAR)
        case "var_declaration" | "const_declaration" | "type_declaration" | "var_spec_list":
            for spec in node.named_children:
                yield from _declarations(spec)
        case "var_spec" | "const_spec":
            values = listed(spec_values) if (spec_values := node.child_by_field_name("value")) is not None else []
            names = node.children_by_field_name("name")
            kind = BindingKind(node.type[: -len("_spec")])
            for index, name in enumerate(n for n in names if n.is_named):
                value = values[index] if index < len(values) else values[0] if len(values) == 1 else None
                place = 0 if index < len(values) else index
                yield Binding(text(name), kind, node, node.end_byte, node.child_by_field_name("type"), value, place)
        case "type_spec" | "type_alias":
            yield Binding(text(node.child_by_field_name("name")), BindingKind.TYPE, node, node.start_byte)
        case "labeled_statement":
            for child in node.named_children:
                yield from _declarations(child)


def _values(node: Node, spec: Node, kind: BindingKind) -> Iterator[Binding]:
    """The names on the left of a `:=`, each with its value."""
    values = listed(node.child_by_field_name("right"))
    for index, name in enumerate(listed(node.child_by_field_name("left"))):
        if name.type == "identifier":
            is_paired = len(values) > index and len(values) != 1
            value = values[index] if is_paired else values[0] if len(values) == 1 else None
            yield Binding(text(name), kind, spec, node.end_byte, None, value, 0 if is_paired else index)


def _parameters(node: Node | None) -> Iterator[Binding]:
    if node is None or node.type != "parameter_list":
        return
    for parameter in node.named_children:
        kind = parameter.child_by_field_name("type")
        for name in parameter.children_by_field_name("name"):
            yield Binding(text(name), BindingKind.PARAM, parameter, parameter.end_byte, kind)


def _is_part_changed(node: Node) -> bool:
    """Whether a part of what a name stands for is set, called, sliced or addressed."""
    child, above = node, node.parent
    while above is not None and above.type == "parenthesized_expression":
        child, above = above, above.parent
    if above is None or above.type not in ("selector_expression", "index_expression", "slice_expression"):
        return False
    return above.child_by_field_name("operand") == child and _is_changing(above)


def _is_changing(node: Node) -> bool:
    """Whether an expression, or one that it is a part of, is set, called, sliced or addressed."""
    child = node
    for above in ancestors(node):
        match above.type:
            case "call_expression":
                return above.child_by_field_name("function") == child
            case "unary_expression":
                return text(above).startswith("&")
            case "slice_expression" | "inc_statement" | "dec_statement":
                return True
            case "expression_list":
                statement = above.parent
                return statement is not None and statement.child_by_field_name("left") == above
            case "selector_expression" | "index_expression" | "parenthesized_expression":
                child = above
            case _:
                return child.type == "slice_expression"
    return False
