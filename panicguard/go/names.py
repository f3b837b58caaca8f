"""What names stand for in a Go file: its imports, its functions, and types, as far as they are declared in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from panicguard.go.apis import CONTEXT, RESULTS, RUNTIME
from panicguard.go.nodes import ancestors, generic, parts, plain, text
from panicguard.go.packages import package_name, specs
from panicguard.go.scopes import Binding, BindingKind, is_visible
from panicguard.go.types import element_type, first, plain_type, receiver_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tree_sitter import Node

    from panicguard.go.scopes import Scopes
    from panicguard.go.tree import Tree

_REFERENCES = frozenset("pointer_type slice_type map_type channel_type function_type interface_type".split())
"""Types whose copies share what they refer to."""
_KEYED = frozenset("map_type array_type slice_type implicit_length_array_type".split())
"""Types in whose literals a key is an expression."""


@dataclass(frozen=True, eq=False)
class GoNames:
    """What the names of a file stand for, each looked up at a node."""

    scopes: Scopes
    runtime: str | None = None
    """The path of the runtime, if its package has another name than `mruntime`."""
    package: frozenset[str] = frozenset()
    """The names that other files of the package are known to declare."""
    _typed: dict[tuple[int, str], list[Binding]] = field(default_factory=dict)

    @property
    def tree(self) -> Tree:
        return self.scopes.tree

    def lookup(self, identifier: Node, name: str | None = None) -> Binding | None:
        """See `Scopes.lookup`. None for the name of a field, in `point{x: 1}`."""
        if name is None and self.is_field_key(identifier):
            return None
        return self.scopes.lookup(identifier, name)

    def is_declared_in(self, block: Node, name: str) -> bool:
        """See `Scopes.is_declared_in`."""
        return self.scopes.is_declared_in(block, name)

    def is_reassigned(self, binding: Binding) -> bool:
        """See `Scopes.is_reassigned`."""
        return self.scopes.is_reassigned(binding)

    def assigned(self, binding: Binding) -> list[Node]:
        """See `Scopes.assigned`."""
        return self.scopes.assigned(binding)

    @cached_property
    def imports(self) -> dict[str, str]:
        """The path of each package by its name in this file; a dot import has none."""
        return {name: path for name, path in self._imported if name not in (".", "_")}

    @cached_property
    def dots(self) -> tuple[str, ...]:
        """The paths of the dot imports, whose names need no qualifier."""
        return tuple(path for name, path in self._imported if name == ".")

    @cached_property
    def _imported(self) -> list[tuple[str, str]]:
        imported = []
        for spec in (spec for declaration in self.tree.all("import_declaration") for spec in specs(declaration)):
            path = text(spec.child_by_field_name("path"))[1:-1]
            name = text(spec.child_by_field_name("name"))
            imported.append((name or package_name(path), path))
        return imported

    def is_field_key(self, identifier: Node) -> bool:
        """Whether an identifier is a key in a literal, and that is not of a type which has expressions as keys."""
        element = identifier.parent
        pair = element.parent if element is not None and element.type == "literal_element" else None
        if pair is None or pair.type != "keyed_element" or pair.named_children[0] != element or pair.parent is None:
            return False
        kind = self._literal_type(pair.parent)
        return kind is None or kind.type not in _KEYED

    def _literal_type(self, values: Node) -> Node | None:
        """The type of a literal, by its values in braces; within another one it may be that of an element."""
        above = values.parent
        if above is None or above.type == "composite_literal":
            return self.written_type(above)
        while above is not None and above.type in ("literal_element", "keyed_element"):
            above = above.parent
        return self.resolved(element_type(self._literal_type(above))) if above is not None else None

    def nearest(self, node: Node, type_name: str) -> Binding | None:
        """The variable of a type that is declared nearest above a node."""
        child = node
        for scope in ancestors(node):
            for binding in self._variables(scope, type_name):
                if is_visible(binding, scope, child, node.start_byte):
                    return binding
            child = scope
        return None

    def _variables(self, scope: Node, type_name: str) -> list[Binding]:
        """The variables of a type in a scope, the last first."""
        key = scope.id, type_name
        if key not in self._typed:
            named = (
                binding
                for bindings in self.scopes.bindings(scope).values()
                for binding in bindings
                if binding.name != "_"
            )
            variables = [binding for binding in named if self.type_of_binding(binding) == type_name]
            self._typed[key] = sorted(variables, key=lambda binding: -binding.start)
        return self._typed[key]

    def is_taken(self, name: str, node: Node) -> bool:
        """Whether a name stands for something at a node, or for a package in this file."""
        return name in self.imports or name in self.package or self.lookup(node, name) is not None

    def is_builtin(self, identifier: Node | None, name: str) -> bool:
        """Whether an expression is the builtin function of this name."""
        return (
            identifier is not None
            and identifier.type == "identifier"
            and text(identifier) == name
            and name not in self.imports
            and self.lookup(identifier) is None
        )

    def qualified(self, node: Node | None) -> str | None:
        """The name of what an expression or a type stands for, with the path of its package: `time.AfterFunc`. The
        runtime is `mruntime`, wherever it comes from. None for what is not imported."""
        if node is None:
            return None
        match node.type:
            case "selector_expression":
                operand, name = node.child_by_field_name("operand"), node.child_by_field_name("field")
            case "qualified_type":
                operand, name = node.child_by_field_name("package"), node.child_by_field_name("name")
            case "identifier" | "type_identifier":
                if self.dots and self.lookup(node) is None:
                    return f"{self.normal(self.dots[0])}.{text(node)}"
                return None
            case "generic_type":
                return self.qualified(node.child_by_field_name("type"))
            case _:
                return None
        if operand is None or operand.type not in ("identifier", "package_identifier"):
            return None
        path = self.imports.get(text(operand))
        if path is None or self.lookup(operand) is not None:
            return None
        return f"{self.normal(path)}.{text(name)}"

    def normal(self, path: str) -> str:
        """The path of a package; that of the runtime is `mruntime`, wherever it is."""
        return RUNTIME if path == self.runtime or package_name(path) == RUNTIME else path

    def declared(self, node: Node | None) -> Node | None:
        """The function that an identifier is declared as in this file, or the literal that a variable was declared
        with, if it is never set to anything else; for `x.m`, the method of that name if x has a type of this file that
        has it."""
        node = plain(node)
        if node is None:
            return None
        if node.type == "func_literal":
            return node
        if node.type in ("identifier", "type_identifier"):  # the latter is `f` of `f[int](x)`, to the grammar
            binding = self.lookup(node)
            if binding is None:
                return None
            if binding.kind is BindingKind.FUNC:
                return binding.node
            value = plain(binding.value)
            if value is not None and value.type == "func_literal" and not self.is_reassigned(binding):
                return value
            return None
        if node.type == "selector_expression":
            name = text(node.child_by_field_name("field"))
            receiver = self.type_of(node.child_by_field_name("operand"))
            return self.methods.get((receiver, name)) if receiver is not None else None
        return None

    @cached_property
    def methods(self) -> dict[tuple[str, str], Node]:
        """The methods of this file by receiver and name."""
        methods = {}
        for method in self.tree.all("method_declaration"):
            name = text(method.child_by_field_name("name"))
            methods[(receiver_type(method), name)] = method
        return methods

    def is_touched(self, binding: Binding) -> bool:
        """Whether a part of the variable may change while its name stays with it: a field or an element that is set or
        whose address is taken, a method called on it. False for what only points to its parts."""
        value = plain(binding.value)
        kind = binding.type
        if kind is not None and kind.type in _REFERENCES:
            return False
        if self.type_of_binding(binding) == CONTEXT or (value is not None and text(value).startswith("&")):
            return False
        return bool(self.scopes.changed_in_part(binding))

    # Types

    def type_of(self, node: Node | None) -> str | None:
        """The type of an expression, a pointer being what it points to: `sync.WaitGroup`, or `worker` for one of this
        file; None if this file does not tell."""
        node = plain(node)
        if node is None:
            return None
        match node.type:
            case "identifier":
                binding = self.lookup(node)
                return None if binding is None else self.type_of_binding(binding)
            case "selector_expression":
                owner = self.type_of(node.child_by_field_name("operand"))
                if owner is None:
                    return None
                return self.type_name(self._fields.get(owner, {}).get(text(node.child_by_field_name("field"))))
            case "index_expression":
                return self.type_name(element_type(self.written_type(node.child_by_field_name("operand"))))
            case "unary_expression":
                return self.type_of(next(iter(parts(node)), None))
            case "composite_literal":
                return self.type_name(node.child_by_field_name("type"))
            case "call_expression":
                return self._result_of(node, 0)
        return None

    def written_type(self, node: Node | None) -> Node | None:
        """The type of an expression as this file writes it, a pointer being what it points to and a name of this file
        what it is declared as: `map[string]int`."""
        node = plain(node)
        if node is None:
            return None
        match node.type:
            case "identifier":
                binding = self.lookup(node)
                if binding is None or binding.index != 0 or binding.kind is BindingKind.RANGE:
                    return None
                return self.resolved(binding.type) if binding.type is not None else self.written_type(binding.value)
            case "selector_expression":
                owner = self.type_of(node.child_by_field_name("operand")) or ""
                return self.resolved(self._fields.get(owner, {}).get(text(node.child_by_field_name("field"))))
            case "index_expression":
                return self.resolved(element_type(self.written_type(node.child_by_field_name("operand"))))
            case "unary_expression" if text(node).startswith("&"):
                return self.written_type(first(node))
            case "composite_literal":
                return self.resolved(node.child_by_field_name("type"))
            case "call_expression" if self.is_builtin(plain(node.child_by_field_name("function")), "make"):
                return self.resolved(first(node.child_by_field_name("arguments")))
        return None

    def resolved(self, kind: Node | None) -> Node | None:
        """What a type is declared as, if this file does so."""
        kind = plain_type(kind)
        binding = self.scopes.lookup(kind) if kind is not None and kind.type == "type_identifier" else None
        if binding is None or binding.kind is not BindingKind.TYPE:
            return kind
        return binding.node.child_by_field_name("type")

    def type_of_binding(self, binding: Binding) -> str | None:
        if binding.kind is BindingKind.RANGE and binding.index == 1:
            return self.type_name(element_type(self.written_type(binding.node.child_by_field_name("right"))))
        if binding.kind not in (BindingKind.VAR, BindingKind.PARAM):
            return None
        if binding.type is not None:
            return self.type_name(binding.type)
        value = plain(binding.value)
        if value is None:
            return None
        if value.type == "call_expression":
            return self._result_of(value, binding.index)
        return self.type_of(value) if binding.index == 0 else None

    def _result_of(self, call: Node, index: int) -> str | None:
        function = plain(call.child_by_field_name("function"))
        if self.is_builtin(function, "new"):
            return self.type_name(first(call.child_by_field_name("arguments")))
        results = RESULTS.get(self.qualified(generic(function)) or "")
        return results[index] if results is not None and index < len(results) else None

    def type_name(self, node: Node | None) -> str | None:
        """The name of a type, a pointer being what it points to."""
        node = plain_type(node)
        if node is None:
            return None
        if node.type in ("qualified_type", "selector_expression"):
            return self.qualified(node)
        if node.type in ("type_identifier", "identifier"):
            return self.qualified(node) or text(node)
        return node.type

    @cached_property
    def _fields(self) -> dict[str, dict[str, Node]]:
        """The types of the fields of the structs of this file; an embedded one has the name of its type."""
        structs: dict[str, dict[str, Node]] = {}
        for spec in (spec for declaration in self.tree.all("type_declaration") for spec in parts(declaration)):
            kind = spec.child_by_field_name("type")
            if kind is None or kind.type != "struct_type" or not (bodies := parts(kind)):
                continue
            fields = structs.setdefault(text(spec.child_by_field_name("name")), {})
            for declared in parts(bodies[0]):
                field_type = declared.child_by_field_name("type")
                if declared.type == "field_declaration" and field_type is not None:
                    names = declared.children_by_field_name("name")
                    for name in names:
                        fields[text(name)] = field_type
                    if not names:
                        fields[text(field_type).rpartition(".")[2]] = field_type
        return structs

    def embedded(self, type_name: str) -> Iterator[str]:
        """The types that a struct of this file embeds."""
        for name, kind in self._fields.get(type_name, {}).items():
            field_type = self.type_name(kind)
            if field_type is not None and field_type.rpartition(".")[2] == name:
                yield field_type

    def is_value(self, node: Node) -> bool:
        """Whether a name is a variable of a loop over values, not pointers, of a type of this file."""
        binding = self.lookup(node) if node.type == "identifier" else None
        if binding is None or binding.kind is not BindingKind.RANGE:
            return False
        ranged = plain(binding.node.child_by_field_name("right"))
        over = self.lookup(ranged) if ranged is not None and ranged.type == "identifier" else None
        element = over.type.child_by_field_name("element") if over is not None and over.type is not None else None
        return element is not None and element.type == "type_identifier"
