"""What a name stands for: scopes, bindings, and from them qualified names, local definitions and types.

Everything is decided by the text of one module. What cannot be known is None: nothing is guessed.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, Union

from panicguard.python import apis
from panicguard.python.lazy import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.tree import Tree

Resolved: TypeAlias = Union[str, "cst.FunctionDef", "cst.ClassDef", "cst.Lambda"]
"""A qualified name, or a definition in this module."""

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_QUALIFIERS = frozenset(("typing.Final", "typing.ClassVar", "typing_extensions.Final", "typing_extensions.ClassVar"))
"""Annotations that say how a name is used, not what it holds."""
_WRAPPERS = {"Optional", "Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"}


_COMPREHENSIONS = frozenset(("ListComp", "SetComp", "GeneratorExp", "DictComp"))
_SCOPES = _COMPREHENSIONS | {"FunctionDef", "ClassDef", "Lambda"}
# Names of exact types, because isinstance() with libcst's abstract classes is slow and this runs for every name.


class Binding(NamedTuple):
    """One place that binds a name.

    kind: import (value: qualified name), function, class, parameter, value (value: the expression), annotated,
    context (value: the `with` item), element (value: what is iterated over), other.
    """

    kind: str
    node: CSTNode
    value: CSTNode | str | None = None


@dataclass(frozen=True)
class Names:
    """The scopes of a module, and answers about names in them."""

    tree: Tree
    runtime: str | None = None
    """The qualified name under which this project imports the runtime, if it is not called mruntime."""
    _resolved: dict[CSTNode, Resolved | None] = field(default_factory=dict)
    _types: dict[CSTNode, Resolved | None] = field(default_factory=dict)

    # Scopes

    def scope(self, node: CSTNode) -> CSTNode:
        """The module, function, lambda, class or comprehension whose names the node sees first."""
        parents = self.tree.parents
        child, parent = node, parents.get(node)
        while parent is not None:
            kind = type(parent)
            if (name := kind.__name__) in _SCOPES:
                if name in _COMPREHENSIONS:
                    outermost = parent.for_in  # type: ignore[attr-defined]
                    if not (child is outermost and self._is_iterable_of(node, outermost)):
                        return parent
                elif parent.body is child:  # type: ignore[attr-defined]
                    return parent
            child, parent = parent, parents.get(parent)
        return self.tree.root

    def _is_iterable_of(self, node: CSTNode, comp_for: CSTNode) -> bool:
        """Python evaluates the first iterable of a comprehension in the enclosing scope."""
        child = node
        for parent in (*self.tree.ancestors(node),):
            if parent is comp_for:
                return bool(parent.iter is child)  # type: ignore[attr-defined]
            child = parent
        return False

    @cached_property
    def bindings(self) -> dict[CSTNode, dict[str, list[Binding]]]:
        """Scope -> name -> its bindings, in no particular order."""
        table: dict[CSTNode, dict[str, list[Binding]]] = defaultdict(lambda: defaultdict(list))
        redirects = self._redirects
        for name, scope, binding in self._all_bindings():
            table[redirects.get((scope, name), scope)][name].append(binding)
        return table

    @cached_property
    def _redirects(self) -> dict[tuple[CSTNode, str], CSTNode]:
        found: dict[tuple[CSTNode, str], CSTNode] = {}
        for declaration in self.tree.all(cst.Global, cst.Nonlocal):
            scope = self.scope(declaration)
            outer: CSTNode = self.tree.root
            if isinstance(declaration, cst.Nonlocal):
                outer = next((f for f in self.tree.ancestors(scope) if isinstance(f, cst.FunctionDef)), outer)
            for item in declaration.names:
                found[scope, item.name.value] = outer
        return found

    def _all_bindings(self) -> Iterator[tuple[str, CSTNode, Binding]]:
        tree = self.tree
        for statement in tree.all(cst.Import, cst.ImportFrom, *_lazy_imports()):
            scope = self.scope(statement)
            for name, qualified in _imported(statement):
                yield name, scope, Binding("import", statement, apis.canonical(qualified, self.runtime))
        for function in tree.all(cst.FunctionDef):
            yield function.name.value, self.scope(function), Binding("function", function)
        for definition in tree.all(cst.ClassDef):
            yield definition.name.value, self.scope(definition), Binding("class", definition)
        for param in tree.all(cst.Param):
            owner = tree.enclosing(param, cst.FunctionDef, cst.Lambda)
            if owner is not None:
                yield param.name.value, owner, Binding("parameter", param)
        for assign in tree.all(cst.Assign):
            for target in assign.targets:
                yield from self._targets(target.target, "value", assign, assign.value)
        for annotated in tree.all(cst.AnnAssign):
            kind = "value" if annotated.value is not None else "annotated"
            yield from self._targets(annotated.target, kind, annotated, annotated.value)
        for walrus in tree.all(cst.NamedExpr):
            scope = self.scope(walrus)
            while isinstance(scope, _comprehensions()):
                scope = self.scope(scope)
            if isinstance(walrus.target, cst.Name):
                yield walrus.target.value, scope, Binding("value", walrus, walrus.value)
        for loop in tree.all(cst.For):
            yield from self._targets(loop.target, "element", loop, loop.iter)
        for comp in tree.all(cst.CompFor):
            owner_scope = next(a for a in tree.ancestors(comp) if isinstance(a, _comprehensions()))
            for target_name in _target_names(comp.target):
                yield target_name.value, owner_scope, Binding("element", comp, comp.iter)
        for item in tree.all(cst.WithItem):
            if item.asname is not None:
                yield from self._targets(item.asname.name, "context", item, item.item)
        for augmented in tree.all(cst.AugAssign):
            yield from self._targets(augmented.target, "augmented", augmented, augmented.value)
        for handler in tree.all(cst.ExceptHandler, cst.ExceptStarHandler):
            if handler.name is not None:
                yield from self._targets(handler.name.name, "other", handler, None)
        for pattern in tree.all(cst.MatchAs, cst.MatchStar):
            if pattern.name is not None:
                yield pattern.name.value, self.scope(pattern), Binding("other", pattern)
        for mapping in tree.all(cst.MatchMapping):
            if mapping.rest is not None:
                yield mapping.rest.value, self.scope(mapping), Binding("other", mapping)

    def _targets(
        self, target: CSTNode, kind: str, binder: CSTNode, value: CSTNode | None
    ) -> Iterator[tuple[str, CSTNode, Binding]]:
        scope = self.scope(binder)
        if isinstance(target, cst.Name):
            yield target.value, scope, Binding(kind, binder, value)
        elif isinstance(target, (cst.Tuple, cst.List)):
            parts = value.elements if isinstance(value, (cst.Tuple, cst.List)) else ()
            matched = len(parts) == len(target.elements) and kind == "value"
            for position, element in enumerate(target.elements):
                part = parts[position].value if matched else None
                yield from self._targets(element.value, kind if part is not None else "other", binder, part)

    def lookup(self, name: str, scope: CSTNode) -> tuple[CSTNode | None, list[Binding]]:
        """The scope that binds the name as seen from `scope`, and its bindings there; (None, []) if it is free."""
        seen_from: CSTNode | None = scope
        at: CSTNode | None = self._redirects.get((scope, name), scope)
        while at is not None:
            if at is seen_from or not isinstance(at, cst.ClassDef):
                found = self.bindings.get(at, {}).get(name)
                if found:
                    return at, found
            at = None if at is self.tree.root else self.scope(at)
        return None, []

    # What a name stands for

    def resolve(self, node: CSTNode) -> Resolved | None:
        """What an expression denotes: a qualified name ("asyncio.create_task"), or a local definition."""
        if node not in self._resolved:
            self._resolved[node] = None  # a name that is defined by itself stands for nothing
            self._resolved[node] = self._resolve(node)
        return self._resolved[node]

    def qualified(self, node: CSTNode) -> str | None:
        found = self.resolve(node)
        return found if isinstance(found, str) else None

    def definition(self, node: CSTNode) -> cst.FunctionDef | cst.ClassDef | cst.Lambda | None:
        found = self.resolve(node)
        return None if isinstance(found, str) else found

    def _resolve(self, node: CSTNode) -> Resolved | None:
        match node:
            case cst.Name(value=name):
                return self.resolve_name(name, self.scope(node))
            case cst.Attribute(value=value, attr=cst.Name(value=attr)):
                base = self.resolve(value)
                if isinstance(base, str):
                    return apis.canonical(f"{base}.{attr}", self.runtime)
                owner = base if isinstance(base, cst.ClassDef) else self.type_of(value)
                return self.member(owner, attr)
            case cst.Call(func=func, args=args):
                name_of = self.qualified(func)
                if name_of in ("functools.partial", "staticmethod", "classmethod") and args:
                    return self.resolve(args[0].value)
                if name_of == "getattr" and len(args) >= 2 and isinstance(args[1].value, cst.SimpleString):
                    base = self.resolve(args[0].value)
                    attribute = args[1].value.evaluated_value
                    if isinstance(base, str) and isinstance(attribute, str):
                        return apis.canonical(f"{base}.{attribute}", self.runtime)
            case cst.Lambda():
                return node
        return None

    def resolve_name(self, name: str, scope: CSTNode) -> Resolved | None:
        """What a bare name denotes as seen from a scope."""
        owner, bindings = self.lookup(name, scope)
        if owner is None:
            return self._star_imported(name) or (name if name in apis.BUILTINS else None)
        found: list[Resolved] = []
        for binding in bindings:
            if binding.kind == "import":
                found.append(str(binding.value))
            elif binding.kind in ("function", "class"):
                found.append(binding.node)  # type: ignore[arg-type]
            elif binding.kind == "value" and isinstance(binding.value, cst.CSTNode):
                if _is_none(binding.value):
                    continue
                value = self.resolve(binding.value)
                if value is None:
                    return None
                found.append(value)
            elif binding.kind != "annotated":
                return None
        names = {f for f in found if isinstance(f, str)}
        if len(names) != len(set(found)):
            return found[0] if len(found) == 1 else None
        return next((f for f in found if f in apis.KNOWN), found[0]) if found else None

    def _star_imported(self, name: str) -> str | None:
        for statement in self.tree.all(cst.ImportFrom):
            if isinstance(statement.names, cst.ImportStar):
                qualified = apis.canonical(f"{_module_name(statement)}.{name}", self.runtime)
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
            if callee in apis.RETURNS:
                return apis.RETURNS[callee]
            last = callee.rpartition(".")[2]
            return callee if last[:1].isupper() and not last.isupper() else None
        if isinstance(callee, cst.ClassDef):
            return callee
        if isinstance(callee, cst.FunctionDef) and callee.returns is not None:
            return self.annotation(callee.returns.annotation, self.scope(callee))
        return None

    def _common_type(self, bindings: list[Binding]) -> Resolved | None:
        found: set[Resolved] = set()
        for binding in bindings:
            known, this = self._binding_type(binding)
            if known and this is not None:
                found.add(this)
            elif not known:
                return None
        return found.pop() if len(found) == 1 else None

    def _binding_type(self, binding: Binding) -> tuple[bool, Resolved | None]:
        """Whether the binding says something, and the type it says (None: it adds nothing, as `x = None`)."""
        node, value = binding.node, binding.value
        if isinstance(node, cst.AnnAssign):
            declared = self.annotation(node.annotation.annotation, self.scope(node))
            if declared is not None or node.value is None:
                return declared is not None, declared
        if binding.kind == "parameter" and isinstance(node, cst.Param):
            return self._parameter_type(node)
        if binding.kind in ("value", "context") and isinstance(value, cst.CSTNode):
            if _is_none(value):
                return True, None
            this = self.type_of(value)
            return this is not None, this
        return False, None

    def _parameter_type(self, param: cst.Param) -> tuple[bool, Resolved | None]:
        function = self.tree.enclosing(param, cst.FunctionDef, cst.Lambda)
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
        """The class an annotation names: Optional and unions with None unwrapped, strings read."""
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
        return apis.canonical(".".join((base, *rest)), self.runtime) if isinstance(base, str) else None

    def _class(self, found: Resolved | None) -> Resolved | None:
        return None if isinstance(found, (cst.FunctionDef, cst.Lambda)) or found in _QUALIFIERS else found

    # Classes

    def member(self, owner: Resolved | None, attr: str) -> Resolved | None:
        """What `attr` denotes on an instance of a class."""
        if isinstance(owner, str):
            return apis.canonical(f"{owner}.{attr}", self.runtime)
        if not isinstance(owner, cst.ClassDef):
            return None
        for base in self.mro(owner):
            if isinstance(base, str):
                return apis.canonical(f"{base}.{attr}", self.runtime) if f"{base}.{attr}" in apis.KNOWN else None
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
        """The class and its bases, nearest first: local classes, and qualified names where it leaves the module."""
        order: list[Resolved] = []
        pending: list[Resolved | None] = [definition]
        while pending:
            at = pending.pop(0)
            if at is None or at in order:
                continue
            order.append(at)
            if isinstance(at, cst.ClassDef):
                bases = (b.value.value if isinstance(b.value, cst.Subscript) else b.value for b in at.bases)
                pending.extend(self.resolve(b) for b in bases)
        return order

    def is_a(self, found: Resolved | None, *classes: str) -> bool:
        """Whether a type is, or derives in this module from, one of these classes."""
        if isinstance(found, cst.ClassDef):
            return any(base in classes for base in self.mro(found))
        return found in classes

    @cached_property
    def attributes(self) -> dict[tuple[CSTNode, str], list[Binding]]:
        """(class, attribute) -> the bindings of `self.attribute` in its methods."""
        table: dict[tuple[CSTNode, str], list[Binding]] = defaultdict(list)
        for assign in self.tree.all(cst.Assign):
            for target in assign.targets:
                self._attribute_binding(table, target.target, assign, assign.value)
        for annotated in self.tree.all(cst.AnnAssign):
            self._attribute_binding(table, annotated.target, annotated, annotated.value)
        return table

    def _attribute_binding(
        self, table: dict[tuple[CSTNode, str], list[Binding]], target: CSTNode, binder: CSTNode, value: CSTNode | None
    ) -> None:
        if not (isinstance(target, cst.Attribute) and isinstance(target.value, cst.Name)):
            return
        owner = self.type_of(target.value)
        if isinstance(owner, cst.ClassDef):
            kind = "value" if value is not None else "annotated"
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
        for binding in bindings:
            if binding.kind == "function" and isinstance(binding.node, cst.FunctionDef) and binding.node.returns:
                return self.annotation(binding.node.returns.annotation, self.scope(binding.node))
        return self._common_type(bindings)


def _comprehensions() -> tuple[type[CSTNode], ...]:
    return (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp)


def _lazy_imports() -> tuple[type[CSTNode], ...]:
    """`lazy import` (Python 3.15), where this libcst knows it."""
    return tuple(getattr(cst, name) for name in ("LazyImport", "LazyImportFrom") if hasattr(cst, name))


def _imported(statement: CSTNode) -> Iterator[tuple[str, str]]:
    """The names an import statement binds, with what they stand for."""
    names = getattr(statement, "names", ())
    if isinstance(names, cst.ImportStar):
        return
    prefix = f"{_module_name(statement)}." if hasattr(statement, "module") else ""
    for alias in names:
        dotted = _text(alias.name)
        if alias.asname is not None:
            yield alias.asname.name.value, prefix + dotted
        elif prefix:
            yield dotted, prefix + dotted
        else:
            head = dotted.partition(".")[0]
            yield head, head


def _module_name(statement: CSTNode) -> str:
    dots = "." * len(getattr(statement, "relative", ()))
    module = getattr(statement, "module", None)
    return (dots + _text(module) if module is not None else dots[:-1]) or "."


def _text(node: CSTNode) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_text(node.value)}.{node.attr.value}"
    return str(getattr(node, "value", ""))


def _target_names(node: CSTNode) -> Iterator[cst.Name]:
    if isinstance(node, cst.Name):
        yield node
    elif isinstance(node, (cst.Tuple, cst.List)):
        for element in node.elements:
            yield from _target_names(element.value)


def _first_parameter(function: cst.FunctionDef) -> cst.Param | None:
    params = (*function.params.posonly_params, *function.params.params)
    return params[0] if params else None


def _is_none(node: CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"
