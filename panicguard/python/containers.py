"""Which expressions are containers: lists, sets, dicts and deques of this module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.python.cst import cst
from panicguard.python.scopes import BindingKind

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.names import Names

_CONTAINERS = frozenset(
    "list set dict frozenset collections.deque collections.defaultdict collections.OrderedDict "
    "weakref.WeakSet weakref.WeakValueDictionary weakref.WeakKeyDictionary queue.deque".split()
)
_CONTAINER_ANNOTATIONS = frozenset(
    "list set dict deque defaultdict List Set Dict Deque DefaultDict MutableSet MutableSequence "
    "MutableMapping WeakSet OrderedDict WeakValueDictionary WeakKeyDictionary".split()
)


@dataclass(frozen=True)
class Containers:
    names: Names

    def holds(self, container: CSTNode) -> bool:
        """Whether an expression is known to be a list, set, dict or deque."""
        return self.root(container) is not None

    def root(self, container: CSTNode) -> CSTNode | None:
        """The variable or attribute under `d[k]` and `d.setdefault(k, set())`; None if it is no known container."""
        root = container
        while True:
            match root:
                case cst.Subscript(value=root):
                    pass
                case cst.Call(func=cst.Attribute(value=root, attr=cst.Name(value="setdefault" | "get"))):
                    pass
                case cst.Name() | cst.Attribute() if any(map(self._is_container, self._bindings(root))):
                    return root
                case _:
                    return None

    def _bindings(self, node: CSTNode) -> list[tuple[CSTNode | None, CSTNode | None]]:
        """(value, annotation) for each binding of a variable or of self's attribute, but for what a caller gives."""
        if isinstance(node, cst.Name):
            bindings = self.names.lookup(node.value, self.names.scope(node))[1]
        elif isinstance(node, cst.Attribute):
            owner = self.names.type_of(node.value) or self.names.resolve(node.value)
            if not isinstance(owner, cst.ClassDef):
                return []
            bindings = self.names.attribute_bindings(owner, node.attr.value)
        else:
            return []
        return [
            (
                b.value if isinstance(b.value, cst.CSTNode) else None,
                getattr(getattr(b.node, "annotation", None), "annotation", None),
            )
            for b in bindings
            if b.kind not in (BindingKind.CONTEXT, BindingKind.ELEMENT, BindingKind.AUGMENTED)
            and not (isinstance(b.value, cst.Name) and self.is_parameter(b.value))
        ]

    def _is_container(self, binding: tuple[CSTNode | None, CSTNode | None]) -> bool:
        value, annotation = binding
        if isinstance(annotation, cst.Subscript):
            annotation = annotation.value
        if isinstance(annotation, cst.Attribute):
            annotation = annotation.attr
        if isinstance(annotation, cst.Name) and annotation.value in _CONTAINER_ANNOTATIONS:
            return True
        if isinstance(value, (cst.List, cst.Set, cst.Dict, cst.ListComp, cst.SetComp, cst.DictComp)):
            return True
        return isinstance(value, cst.Call) and self.names.qualified(value.func) in _CONTAINERS

    def is_parameter(self, name: cst.Name) -> bool:
        """Whether a variable is a parameter: its value is a caller's."""
        bindings = self.names.lookup(name.value, self.names.scope(name))[1]
        return any(b.kind is BindingKind.PARAMETER for b in bindings)
