"""What is set on an object of which nothing is known: where the item that `hass.data[KEY] = x` sets is used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.tree import Tree

_TAKING = frozenset("get pop setdefault".split())
"""Methods that return the item of the key that they are given."""

_ASKING = frozenset("Comparison ComparisonTarget BooleanOperation UnaryOperation If".split())
"""Types of nodes that only ask whether something is there."""
_SETTING_UP = frozenset("set_name get_name add_done_callback".split())
"""Methods of a task that are called where it is started."""


class Item(NamedTuple):
    """What is subscripted, and the keys, outermost last."""

    base: cst.Name | cst.Attribute
    keys: tuple[CSTNode, ...]


class _Step(NamedTuple):
    value: CSTNode
    key: CSTNode


def item(subscript: CSTNode) -> Item | None:
    """The item that a subscript sets; None where it is not one of a name or an attribute, by keys that are named."""
    keys: list[CSTNode] = []
    node = subscript
    while isinstance(node, cst.Subscript):
        key = _key(node)
        if key is None or _written(key) is None:
            return None
        keys.insert(0, key)
        node = node.value
    return Item(node, tuple(keys)) if isinstance(node, (cst.Name, cst.Attribute)) and _written(node) else None


def uses_of(tree: Tree, wanted: Item, loads: Iterable[CSTNode]) -> list[CSTNode] | None:
    """The expressions that are the item, of the places where its base is read; None where it may be used in ways that
    are not seen."""
    found: list[CSTNode] = []
    for load in loads:
        if _written(load) == _written(wanted.base):
            used = list(_climbed(tree, load, wanted.keys))
            if None in used:
                return None
            found += (node for node in used if node is not None)
    return found


def are_looked_at(tree: Tree, uses: Iterable[CSTNode]) -> bool:
    """Whether a module does more with what it sets than to set it up, and to ask whether it is there; else that is for
    the owner of the object."""
    return any(type(tree.parents[node]).__name__ not in _ASKING and not _is_set_up(tree, node) for node in uses)


def is_read_here(classes: Sequence[object], name: str) -> bool:
    """Whether an attribute is for this module to read: of a class of it, and not a public one that a base class in
    another module of the package may have as well. `classes` are the class and its bases."""
    return bool(classes) and (name[0] == "_" or not any(isinstance(c, str) and c[0] == "." for c in classes))


def _is_set_up(tree: Tree, node: CSTNode) -> bool:
    match tree.parents[node]:
        case cst.Attribute(attr=cst.Name(value=name)):
            return name in _SETTING_UP
    return False


def _climbed(tree: Tree, node: CSTNode, keys: tuple[CSTNode, ...]) -> Iterator[CSTNode | None]:
    """The item that is read from its base here, if it is; None where what it is read from goes elsewhere."""
    for key in keys:
        step = _step(tree, node)
        if step is None:
            if not _is_harmless(tree.parents[node]):
                yield None
            return
        if _are_others(step.key, key):
            return
        node = step.value
    if not isinstance(tree.parents[node], (cst.AssignTarget, cst.AnnAssign, cst.Del)):
        yield node


def _is_harmless(above: CSTNode) -> bool:
    """Whether what holds an item is only set, deleted, compared or dropped."""
    return isinstance(above, (cst.AssignTarget, cst.Del, cst.Comparison, cst.ComparisonTarget, cst.Expr))


def _step(tree: Tree, node: CSTNode) -> _Step | None:
    """The expression that takes an item out of a node, and the key by which it does."""
    match above := tree.parents[node]:
        case cst.Subscript(value=value) if value is node and (key := _key(above)) is not None:
            return _Step(above, key)
        case cst.Attribute(attr=cst.Name(value=name)) if name in _TAKING:
            call = tree.parents[above]
            if isinstance(call, cst.Call) and call.func is above and call.args:
                return _Step(call, call.args[0].value)
    return None


def _key(subscript: cst.Subscript) -> CSTNode | None:
    match subscript.slice:
        case [cst.SubscriptElement(slice=cst.Index(value=key))]:
            return key
    return None


def _are_others(key: CSTNode, other: CSTNode) -> bool:
    """Whether two keys are surely not the same: other constants, or names of constants."""
    return _is_constant(key) and _is_constant(other) and _written(key) != _written(other)


def _is_constant(key: CSTNode) -> bool:
    return isinstance(key, (cst.SimpleString, cst.Integer)) or (isinstance(key, cst.Name) and key.value.isupper())


def _written(node: CSTNode) -> str | None:
    """A name, a dotted name or a constant as text; None for anything else."""
    match node:
        case cst.Name(value=name):
            return name
        case cst.Attribute(value=value, attr=cst.Name(value=attr)):
            owner = _written(value)
            return None if owner is None else f"{owner}.{attr}"
        case cst.SimpleString():
            return repr(node.evaluated_value)
        case cst.Integer(value=digits):
            return digits
    return None
