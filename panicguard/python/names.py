"""What a name stands for: derived from what binds it: its qualified name, its definition in this module, its type.

Everything is decided by the text of one module, and by what `elsewhere` says of others. What cannot be known is None:
nothing is guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, Union

from panicguard.python import apis
from panicguard.python.cst import cst
from panicguard.python.elsewhere import Elsewhere
from panicguard.python.scopes import Binding, BindingKind, module_name

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.scopes import Scopes

Resolved: TypeAlias = Union[str, "cst.FunctionDef", "cst.ClassDef", "cst.Lambda"]
"""A qualified name, or a definition in this module."""

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_QUALIFIERS = frozenset(("typing.Final", "typing.ClassVar", "typing_extensions.Final", "typing_extensions.ClassVar"))
"""Annotations that say how a name is used, not what it holds."""
_WRAPPERS = {"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"}


@dataclass(frozen=True)
class Names:
    """What the names of a module stand for, each looked up at a node or in a scope."""

    scopes: Scopes
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    _resolved: dict[CSTNode, Resolved | None] = field(default_factory=dict)
    _types: dict[CSTNode, Resolved | None] = field(default_factory=dict)

    def scope(self, node: CSTNode) -> CSTNode:
        """See `Scopes.scope`."""
        return self.scopes.scope(node)

    def lookup(self, name: str, scope: CSTNode) -> tuple[CSTNode | None, list[Binding]]:
        """See `Scopes.lookup`."""
        return self.scopes.lookup(name, scope)

    @property
    def bindings(self) -> dict[CSTNode, dict[str, list[Binding]]]:
        """See `Scopes.bindings`."""
        return self.scopes.bindings

    def _canonical(self, name: str) -> str:
        return apis.canonical(self.elsewhere.at_home(name), self.scopes.runtime)

    # What a name stands for

    def resolve(self, node: CSTNode) -> Resolved | None:
        """What an expression denotes: a qualified name ("asyncio.create_task"), or a local definition."""
        if node not in self._resolved:
            self._resolved[node] = None  # a name that is defined by itself stands for nothing
            self._resolved[node] = self._resolve(node)
        return self._resolved[node]

    def qualified(self, node: CSTNode) -> str | None:
        resolved = self.resolve(node)
        return resolved if isinstance(resolved, str) else None

    def definition(self, node: CSTNode) -> cst.FunctionDef | cst.ClassDef | cst.Lambda | None:
        resolved = self.resolve(node)
        return None if isinstance(resolved, str) else resolved

    def _resolve(self, node: CSTNode) -> Resolved | None:
        match node:
            case cst.Name(value=name):
                return self.resolve_name(name, self.scope(node))
            case cst.Attribute(value=value, attr=cst.Name(value=attr)):
                base = self.resolve(value)
                if isinstance(base, str):
                    return self._method_of_declared(value, attr) or self._canonical(f"{base}.{attr}")
                return self.member(base if isinstance(base, cst.ClassDef) else self.type_of(value), attr)
            case cst.Call(func=func, args=args):
                name_of = self.qualified(func)
                if name_of in ("functools.partial", "staticmethod", "classmethod") and args:
                    return self.resolve(args[0].value)
                if name_of == "getattr" and len(args) >= 2 and isinstance(args[1].value, cst.SimpleString):
                    base = self.resolve(args[0].value)
                    attribute = args[1].value.evaluated_value
                    if isinstance(base, str) and isinstance(attribute, str):
                        return self._canonical(f"{base}.{attribute}")
            case cst.Lambda():
                return node
        return None

    def _method_of_declared(self, value: CSTNode, attr: str) -> str | None:
        """The method that spawns, of an object that another module has: by what its attribute is declared here."""
        declared = self.type_of(value) if attr in apis.SPAWN_NAMES and isinstance(value, cst.Attribute) else None
        method = self._canonical(f"{declared}.{attr}") if isinstance(declared, str) else ""
        return method if method in apis.SPAWNS else None

    def resolve_name(self, name: str, scope: CSTNode) -> Resolved | None:
        """What a bare name denotes as seen from a scope."""
        owner, bindings = self.lookup(name, scope)
        if owner is None:
            return self._star_imported(name) or (name if name in apis.BUILTINS else None)
        candidates: list[Resolved] = []
        for binding in bindings:
            if binding.kind is BindingKind.IMPORT:
                candidates.append(self._canonical(str(binding.value)))
            elif binding.kind in (BindingKind.FUNCTION, BindingKind.CLASS):
                candidates.append(binding.node)  # type: ignore[arg-type]
            elif binding.kind is BindingKind.VALUE and isinstance(binding.value, cst.CSTNode):
                if _is_none(binding.value):
                    continue
                value = self.resolve(binding.value)
                if value is None:
                    return None
                candidates.append(value)
            elif binding.kind is not BindingKind.ANNOTATED:
                return None
        names = {f for f in candidates if isinstance(f, str)}
        if len(names) != len(set(candidates)):
            return candidates[0] if len(candidates) == 1 else None
        return next((f for f in candidates if f in apis.KNOWN), candidates[0]) if candidates else None

    def _star_imported(self, name: str) -> str | None:
        for statement in self.scopes.tree.all(cst.ImportFrom):
            if isinstance(statement.names, cst.ImportStar):
                qualified = self._canonical(f"{module_name(statement)}.{name}")
                if qualified in apis.KNOWN:
                    return qualified
        return None

    # Types

    def type_of(self, node: CSTNode) -> Resolved | None:
        """The class of what an expression evaluates to: its qualified name, or a local class."""
        if node not in self._types:
            self._types[node] = None
            self._types[node] = self._type_of(node)
        return self._types[node]

    def _type_of(self, node: CSTNode) -> Resolved | None:
        if self.elsewhere.imported and (made := self.elsewhere.of(self.qualified(node), "object")):
            return made
        match node:
            case cst.Name(value=name):
                owner, bindings = self.lookup(name, self.scope(node))
                return self._common_type(bindings) if owner is not None else None
            case cst.Attribute(value=value, attr=cst.Name(value=attr)):
                base = self.type_of(value)
                if not isinstance(base, cst.ClassDef):
                    base = self.resolve(value)
                return self._attribute_type(base, attr) if isinstance(base, cst.ClassDef) else None
            case cst.Call(func=func):
                return self._returned(func)
            case cst.IfExp(body=body, orelse=orelse):
                return self._either(body, orelse)
            case cst.BooleanOperation(left=left, right=right):
                return self._either(left, right)
            case cst.NamedExpr(value=value) | cst.Await(expression=value):
                return self.type_of(value)
        return None

    def _either(self, *nodes: CSTNode) -> Resolved | None:
        types = {self.type_of(n) for n in nodes if not _is_none(n)} - {None}
        return types.pop() if len(types) == 1 else None

    def _returned(self, func: CSTNode) -> Resolved | None:
        callee = self.resolve(func)
        if isinstance(callee, str):
            return apis.returned(callee)
        if isinstance(callee, cst.ClassDef):
            return callee
        if isinstance(callee, cst.FunctionDef) and callee.returns is not None:
            return self.annotation(callee.returns.annotation, self.scope(callee))
        return None

    def _common_type(self, bindings: list[Binding]) -> Resolved | None:
        types: set[Resolved] = set()
        for binding in bindings:
            known, this = self._binding_type(binding)
            if known and this is not None:
                types.add(this)
            elif not known:
                return None
        return types.pop() if len(types) == 1 else None

    def _binding_type(self, binding: Binding) -> tuple[bool, Resolved | None]:
        """Whether the binding is informative, and the type it gives (None: it adds nothing, such as `x = None`)."""
        node, value = binding.node, binding.value
        if isinstance(node, cst.AnnAssign):
            declared = self.annotation(node.annotation.annotation, self.scope(node))
            if declared is not None or node.value is None:
                return declared is not None, declared
        if binding.kind is BindingKind.PARAMETER and isinstance(node, cst.Param):
            return self._parameter_type(node)
        if binding.kind in (BindingKind.VALUE, BindingKind.CONTEXT) and isinstance(value, cst.CSTNode):
            if _is_none(value):
                return True, None
            this = self.type_of(value)
            return this is not None, this
        return False, None

    def _parameter_type(self, param: cst.Param) -> tuple[bool, Resolved | None]:
        function = self.scopes.tree.enclosing(param, cst.FunctionDef, cst.Lambda)
        if param.annotation is not None:
            declared = self.annotation(param.annotation.annotation, self.scope(function or param))
            return declared is not None, declared
        if isinstance(function, cst.FunctionDef):
            owner = self.method_class(function)
            if owner is not None and _first_parameter(function) is param:
                return True, owner
        return param.default is not None and _is_none(param.default), None

    def method_class(self, function: CSTNode) -> cst.ClassDef | None:
        """The class whose body defines this function as a method with a self or cls."""
        scope = self.scope(function)
        if not isinstance(scope, cst.ClassDef) or not isinstance(function, cst.FunctionDef):
            return None
        static = any(
            isinstance(d.decorator, cst.Name) and d.decorator.value == "staticmethod" for d in function.decorators
        )
        return None if static else scope

    def annotation(self, node: CSTNode, scope: CSTNode) -> Resolved | None:
        """The class an annotation names: Optional and unions with None are unwrapped, strings are parsed."""
        match node:
            case cst.SimpleString():
                text = str(node.evaluated_value)
                plain = re.sub(r"\|\s*None\b|\bNone\s*\||\s", "", text)
                optional = re.fullmatch(r"(?:\w+\.)?Optional\[(.*)\]", plain)
                plain = optional[1] if optional else plain
                return self._dotted(plain, scope) if _DOTTED.fullmatch(plain) else None
            case cst.Name(value=name):
                return self._class(self.resolve_name(name, scope))
            case cst.Attribute():
                return self._class(self.resolve(node))
            case cst.Subscript(value=value, slice=elements) if elements:
                head = value.attr.value if isinstance(value, cst.Attribute) else getattr(value, "value", "")
                first = elements[0].slice
                if head in _WRAPPERS and isinstance(first, cst.Index):
                    return self.annotation(first.value, scope)
                return self.annotation(value, scope)
            case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
                parts = [p for p in (left, right) if not _is_none(p)]
                return self.annotation(parts[0], scope) if len(parts) == 1 else None
        return None

    def _dotted(self, text: str, scope: CSTNode) -> Resolved | None:
        head, *rest = text.split(".")
        base = self.resolve_name(head, scope)
        if not rest:
            return self._class(base)
        return self._canonical(".".join((base, *rest))) if isinstance(base, str) else None

    def _class(self, resolved: Resolved | None) -> Resolved | None:
        return None if isinstance(resolved, (cst.FunctionDef, cst.Lambda)) or resolved in _QUALIFIERS else resolved

    # Classes

    def member(self, owner: Resolved | None, attr: str) -> Resolved | None:
        """What `attr` denotes on an instance of a class."""
        if isinstance(owner, str):
            return self._canonical(f"{owner}.{attr}")
        if not isinstance(owner, cst.ClassDef):
            return None
        for base in self.mro(owner):
            if isinstance(base, str):
                return self._canonical(f"{base}.{attr}") if f"{base}.{attr}" in apis.KNOWN else None
            bindings = self.bindings.get(base, {}).get(attr)
            if bindings:
                return self.resolve_name(attr, base)
            if self.attributes.get((base, attr)):
                values = {
                    self.resolve(b.value) for b in self.attributes[base, attr] if isinstance(b.value, cst.CSTNode)
                }
                return values.pop() if len(values) == 1 else None
        return None

    def mro(self, definition: cst.ClassDef) -> list[Resolved]:
        """The class and its bases, depth first: local classes, and qualified names of those outside of the module."""
        order: list[Resolved] = []
        pending: list[Resolved | None] = [definition]
        while pending:
            at = pending.pop(0)
            if at is None or at in order:
                continue
            order.append(at)
            if isinstance(at, str):
                pending.insert(0, self.elsewhere.of(at, "class"))
            elif isinstance(at, cst.ClassDef):
                bases = (b.value.value if isinstance(b.value, cst.Subscript) else b.value for b in at.bases)
                pending[:0] = [self.resolve(b) for b in bases]
        return order

    def is_a(self, kind: Resolved | None, *classes: str) -> bool:
        """Whether a type is, or derives in this module from, one of these classes."""
        if isinstance(kind, cst.ClassDef):
            return any(base in classes for base in self.mro(kind))
        return kind in classes or self.elsewhere.of(kind, "class") in classes

    @cached_property
    def attributes(self) -> dict[tuple[CSTNode, str], list[Binding]]:
        """(class, attribute) -> the bindings of `self.attribute` in its methods."""
        table: dict[tuple[CSTNode, str], list[Binding]] = defaultdict(list)
        for assign in self.scopes.tree.all(cst.Assign):
            for target in assign.targets:
                self._attribute_binding(table, target.target, assign, assign.value)
        for annotated in self.scopes.tree.all(cst.AnnAssign):
            self._attribute_binding(table, annotated.target, annotated, annotated.value)
        return table

    def _attribute_binding(
        self, table: dict[tuple[CSTNode, str], list[Binding]], target: CSTNode, binder: CSTNode, value: CSTNode | None
    ) -> None:
        if not (isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name)):
            return
        owner = self.type_of(target.value)
        if isinstance(owner, cst.ClassDef):
            kind = BindingKind.VALUE if value is not None else BindingKind.ANNOTATED
            table[owner, target.attr.value].append(Binding(kind, binder, value))

    def attribute_bindings(self, owner: cst.ClassDef, attr: str) -> list[Binding]:
        """All bindings of an attribute: in the methods and in the body of the class and its local bases."""
        return [
            binding
            for base in self.mro(owner)
            if isinstance(base, cst.ClassDef)
            for binding in (*self.attributes.get((base, attr), ()), *self.bindings.get(base, {}).get(attr, ()))
        ]

    def _attribute_type(self, owner: cst.ClassDef, attr: str) -> Resolved | None:
        bindings = self.attribute_bindings(owner, attr)
        for kind, node, _ in bindings:
            if kind is BindingKind.FUNCTION and isinstance(node, cst.FunctionDef) and node.returns:
                return self.annotation(node.returns.annotation, self.scope(node))
        return self._common_type(bindings)


def _first_parameter(function: cst.FunctionDef) -> cst.Param | None:
    params = (*function.params.posonly_params, *function.params.params)
    return params[0] if params else None


def _is_none(node: CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"
