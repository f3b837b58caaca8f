"""The scopes of a Python module, and what binds a name in them.

Everything is decided by the text of one module. What a bound name stands for is determined in `names`.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python import apis
from panicguard.python.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from libcst import CSTNode

    from panicguard.python.tree import Tree

_COMPREHENSIONS = frozenset(("ListComp", "SetComp", "GeneratorExp", "DictComp"))
_SCOPES = _COMPREHENSIONS | {"FunctionDef", "ClassDef", "Lambda"}
# Names of exact types, because isinstance() with libcst's abstract classes is slow and this runs for every name.


class BindingKind(str, enum.Enum):
    """How a name is bound, and therefore what the value of the binding is."""

    IMPORT = "import"
    """By an import; the value is the qualified name of what is imported."""
    FUNCTION = "function"
    """By a `def`; no value, the node is the definition."""
    CLASS = "class"
    """By a `class`; no value, the node is the definition."""
    PARAMETER = "parameter"
    """As a parameter of a function or a lambda; no value."""
    VALUE = "value"
    """By an assignment or a `:=`; the value is the expression, or the part of it that the name gets."""
    ANNOTATED = "annotated"
    """By an annotation alone, `x: int`; no value."""
    CONTEXT = "context"
    """By `with ... as`; the value is the expression that gives the context manager."""
    ELEMENT = "element"
    """By a loop or a comprehension; the value is what is iterated over."""
    AUGMENTED = "augmented"
    """By `+=` and the like; the value is the right side."""
    OTHER = "other"
    """By unpacking, an `except ... as` or a pattern: nothing is known about the value."""


class Binding(NamedTuple):
    """One place that binds a name. `node` is the statement, parameter or item that does; `value`: see `BindingKind`."""

    kind: BindingKind
    node: CSTNode
    value: CSTNode | str | None = None


@dataclass(frozen=True)
class Scopes:
    """Which scope a node is in, what each scope binds, and which binding a name means."""

    tree: Tree
    runtime: str | None = None
    """The qualified name under which this project imports the runtime, if it is not called mruntime."""
    _sharing: dict[str, set[CSTNode]] = field(default_factory=dict)

    def scope(self, node: CSTNode) -> CSTNode:
        """The module, function, lambda, class or comprehension whose names the node sees first."""
        for above, child in self.tree.frames(node):
            if (name := type(above).__name__) in _SCOPES:
                if name in _COMPREHENSIONS:
                    outermost = above.for_in  # type: ignore[attr-defined]
                    if not (child is outermost and self._is_iterable_of(node, outermost)):
                        return above
                elif above.body is child:  # type: ignore[attr-defined]
                    return above
        return self.tree.root

    def _is_iterable_of(self, node: CSTNode, comp_for: CSTNode) -> bool:
        """Python evaluates the first iterable of a comprehension in the enclosing scope."""
        child = node
        for parent in self.tree.ancestors(node):
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
    def runtimes(self) -> dict[CSTNode, dict[str, list[Binding]]]:
        """The names by which each scope imports the runtime, with all their bindings."""
        table: dict[CSTNode, dict[str, list[Binding]]] = {}
        for scope, names in self.bindings.items():
            own = {name: bindings for name, bindings in names.items() if any(map(is_runtime, bindings))}
            if own:
                table[scope] = own
        return table

    @cached_property
    def _redirects(self) -> dict[tuple[CSTNode, str], CSTNode]:
        redirects: dict[tuple[CSTNode, str], CSTNode] = {}
        for declaration in self.tree.all(cst.Global, cst.Nonlocal):
            scope = self.scope(declaration)
            outer: CSTNode = self.tree.root
            if isinstance(declaration, cst.Nonlocal):
                outer = self.tree.enclosing(scope, cst.FunctionDef) or outer
            for item in declaration.names:
                redirects[scope, item.name.value] = outer
        return redirects

    def _all_bindings(self) -> Iterator[tuple[str, CSTNode, Binding]]:
        tree = self.tree
        for statement in tree.all(cst.Import, cst.ImportFrom, *_lazy_imports()):
            scope = self.scope(statement)
            for name, qualified in _imported(statement):
                yield name, scope, Binding(BindingKind.IMPORT, statement, apis.canonical(qualified, self.runtime))
        for function in tree.all(cst.FunctionDef):
            yield function.name.value, self.scope(function), Binding(BindingKind.FUNCTION, function)
        for definition in tree.all(cst.ClassDef):
            yield definition.name.value, self.scope(definition), Binding(BindingKind.CLASS, definition)
        for param in tree.all(cst.Param):
            owner = tree.enclosing(param, cst.FunctionDef, cst.Lambda)
            if owner is not None:
                yield param.name.value, owner, Binding(BindingKind.PARAMETER, param)
        for assign in tree.all(cst.Assign):
            for target in assign.targets:
                yield from self._targets(target.target, BindingKind.VALUE, assign, assign.value)
        for annotated in tree.all(cst.AnnAssign):
            kind = BindingKind.VALUE if annotated.value is not None else BindingKind.ANNOTATED
            yield from self._targets(annotated.target, kind, annotated, annotated.value)
        for walrus in tree.all(cst.NamedExpr):
            scope = self.scope(walrus)
            while isinstance(scope, _comprehensions()):
                scope = self.scope(scope)
            if isinstance(walrus.target, cst.Name):
                yield walrus.target.value, scope, Binding(BindingKind.VALUE, walrus, walrus.value)
        for loop in tree.all(cst.For):
            yield from self._targets(loop.target, BindingKind.ELEMENT, loop, loop.iter)
        for comp in tree.all(cst.CompFor):
            owner_scope = next(a for a in tree.ancestors(comp) if isinstance(a, _comprehensions()))
            for target_name in _target_names(comp.target):
                yield target_name.value, owner_scope, Binding(BindingKind.ELEMENT, comp, comp.iter)
        for item in tree.all(cst.WithItem):
            if item.asname is not None:
                yield from self._targets(item.asname.name, BindingKind.CONTEXT, item, item.item)
        for augmented in tree.all(cst.AugAssign):
            yield from self._targets(augmented.target, BindingKind.AUGMENTED, augmented, augmented.value)
        for handler in tree.all(cst.ExceptHandler, cst.ExceptStarHandler):
            if handler.name is not None:
                yield from self._targets(handler.name.name, BindingKind.OTHER, handler, None)
        for pattern in tree.all(cst.MatchAs, cst.MatchStar):
            if pattern.name is not None:
                yield pattern.name.value, self.scope(pattern), Binding(BindingKind.OTHER, pattern)
        for mapping in tree.all(cst.MatchMapping):
            if mapping.rest is not None:
                yield mapping.rest.value, self.scope(mapping), Binding(BindingKind.OTHER, mapping)

    def _targets(
        self, target: CSTNode, kind: BindingKind, binder: CSTNode, value: CSTNode | None
    ) -> Iterator[tuple[str, CSTNode, Binding]]:
        scope = self.scope(binder)
        if isinstance(target, cst.Name):
            yield target.value, scope, Binding(kind, binder, value)
        elif isinstance(target, (cst.Tuple, cst.List)):
            parts = value.elements if isinstance(value, (cst.Tuple, cst.List)) else ()
            matched = len(parts) == len(target.elements) and kind is BindingKind.VALUE
            for position, element in enumerate(target.elements):
                part = parts[position].value if matched else None
                yield from self._targets(element.value, kind if part is not None else BindingKind.OTHER, binder, part)

    def sharing(self, name: str) -> Set[CSTNode]:
        """The functions in which a name stands for more than what they themselves see by it: in a function, a class or
        a comprehension inside, or in a decorator or a default of their own."""
        found = self._sharing.get(name)
        if found is None:
            found = self._sharing[name] = {
                above
                for node in self.tree.named.get(name, ())
                for above, _ in self.tree.frames(node)
                if isinstance(above, (cst.FunctionDef, cst.Lambda)) and self.scope(node) is not above
            }
        return found

    @cached_property
    def apps(self) -> frozenset[str]:
        """The variables of the module that hold an app of marimo: the module is a notebook."""
        top = self.bindings.get(self.tree.root, {})
        values = (b.value for bindings in top.values() for b in bindings)
        if not any(isinstance(value, str) and value.startswith("marimo") for value in values):
            return frozenset()
        return frozenset(
            name
            for name, bindings in top.items()
            if any(
                isinstance(b.value, cst.Call) and self._imported_name(b.value.func) == "marimo.App" for b in bindings
            )
        )

    def _imported_name(self, node: CSTNode) -> str:
        """What an imported name at the top of the module stands for, or an attribute of it."""
        if isinstance(node, cst.Attribute):
            return f"{self._imported_name(node.value)}.{node.attr.value}"
        bindings = self.bindings.get(self.tree.root, {}).get(node.value, ()) if isinstance(node, cst.Name) else ()
        return next((str(b.value) for b in bindings if b.kind is BindingKind.IMPORT), "")

    @cached_property
    def cells(self) -> dict[CSTNode, None]:
        """The cells of a notebook of marimo, in the order of the text: functions whose parameters are the variables of
        other cells."""
        functions = self.tree.all(cst.FunctionDef) if self.apps else ()
        return {f: None for f in functions if any(self.is_of_app(d.decorator, "cell") for d in f.decorators)}

    def is_of_app(self, node: CSTNode, name: str) -> bool:
        """Whether an expression is a method of an app of marimo, or a call of one."""
        func = node.func if isinstance(node, cst.Call) else node
        match func:
            case cst.Attribute(value=cst.Name(value=app), attr=cst.Name(value=attr)):
                return attr == name and app in self.apps
        return False

    @cached_property
    def _given(self) -> dict[str, tuple[CSTNode, list[Binding]]]:
        """What the cells of a notebook import for each other, of what spawns."""
        given: dict[str, tuple[CSTNode, list[Binding]]] = {}
        for cell in self.cells:
            for name, bindings in self.bindings.get(cell, {}).items():
                if all(gives_spawns(binding) for binding in bindings):
                    given.setdefault(name, (cell, bindings))
        return given

    def lookup(self, name: str, scope: CSTNode) -> tuple[CSTNode | None, list[Binding]]:
        """The scope that binds the name as seen from `scope`, and its bindings there; (None, []) if it is free."""
        seen_from: CSTNode | None = scope
        at: CSTNode | None = self._redirects.get((scope, name), scope)
        while at is not None:
            if at is seen_from or not isinstance(at, cst.ClassDef):
                bindings = self.bindings.get(at, {}).get(name)
                if bindings:
                    is_given = at in self.cells and all(b.kind is BindingKind.PARAMETER for b in bindings)
                    return self._given.get(name, (at, bindings)) if is_given else (at, bindings)
            at = None if at is self.tree.root else self.scope(at)
        return None, []


def is_runtime(binding: Binding) -> bool:
    """Whether a binding is an import of the runtime."""
    qualified = str(binding.value) if binding.kind is BindingKind.IMPORT else ""
    return qualified == "mruntime" or qualified.endswith(".mruntime")


def gives_spawns(binding: Binding) -> bool:
    """Whether a binding is the import of a module that spawns, of a spawning function, or of the runtime."""
    if binding.kind is not BindingKind.IMPORT:
        return False
    value = str(binding.value)
    return value in apis.SPAWNING_MODULES or value in apis.SPAWNS or value.rpartition(".")[2] == "mruntime"


def _comprehensions() -> tuple[type[CSTNode], ...]:
    newer = [getattr(cst, name) for name in ("StarredDictComp",) if hasattr(cst, name)]  # Python 3.15
    return (cst.ListComp, cst.SetComp, cst.GeneratorExp, cst.DictComp, *newer)


def _lazy_imports() -> tuple[type[CSTNode], ...]:
    """`lazy import` (Python 3.15), if this libcst knows it."""
    return tuple(getattr(cst, name) for name in ("LazyImport", "LazyImportFrom") if hasattr(cst, name))


def _imported(statement: CSTNode) -> Iterator[tuple[str, str]]:
    """The names an import statement binds, with what they stand for."""
    names = getattr(statement, "names", ())
    if isinstance(names, cst.ImportStar):
        return
    prefix = f"{module_name(statement).removesuffix('.')}." if hasattr(statement, "module") else ""
    for alias in names:
        dotted = _text(alias.name)
        if dotted == "asyncio" and prefix.strip("."):
            yield (dotted if alias.asname is None else alias.asname.name.value), dotted  # what a module hands on
        elif alias.asname is not None:
            yield alias.asname.name.value, prefix + dotted
        elif prefix:
            yield dotted, prefix + dotted
        else:
            head = dotted.partition(".")[0]
            yield head, head


def module_name(statement: CSTNode) -> str:
    """The module that an import statement is from, with the dots of a relative one."""
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
