"""libcst's nodes: their children that are code."""

from __future__ import annotations

import functools
from dataclasses import fields
from typing import TYPE_CHECKING

from panicguard.python.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

# Fields that hold punctuation, or that no rule needs; and all that start with "whitespace".
_SKIPPED = frozenset(
    "lpar rpar lbracket rbracket lbrace rbrace comma equal semicolon colon dot separator first_colon "
    "second_colon posonly_ind operator asynchronous conversion relative header footer leading_lines "
    "lines_after_decorators leading_whitespace trailing_whitespace trailing_comma".split()
)
# Nodes for which libcst's fields are not in the order of the text, or not nodes.
_FIELDS = {
    "FunctionDef": ("decorators", "name", "type_parameters", "params", "returns", "body"),
    "ClassDef": ("decorators", "name", "type_parameters", "bases", "keywords", "body"),
    "IfExp": ("body", "test", "orelse"),
    "Arg": ("keyword", "value"),
    "Parameters": ("posonly_params", "params", "star_arg", "kwonly_params", "star_kwarg"),
    # Half of all nodes, which hold no others.
    "Name": (),
    "Integer": (),
    "SimpleString": (),
    "FormattedStringText": (),
}


@functools.cache
def child_fields(cls: type[CSTNode]) -> tuple[str, ...]:
    if cls.__name__ in _FIELDS:
        return _FIELDS[cls.__name__]
    return tuple(f.name for f in fields(cls) if f.name not in _SKIPPED and not f.name.startswith("whitespace"))


_FIELD_CACHE: dict[type, tuple[str, ...]] = {}


@functools.cache
def _plain() -> frozenset[type]:
    """The types of field values that are not nodes: exact types, because isinstance() with libcst's abstract classes is
    slow."""
    return frozenset((str, bool, int, type(None), cst.MaybeSentinel))


def children(node: CSTNode) -> list[CSTNode]:
    """The child nodes that are code, in the order of the text."""
    found: list[CSTNode] = []
    cls = type(node)
    names = _FIELD_CACHE.get(cls)
    if names is None:
        names = _FIELD_CACHE[cls] = child_fields(cls)
    plain = _plain()
    for name in names:
        value = getattr(node, name)
        kind = type(value)
        if kind is tuple or kind is list:
            found += value
        elif kind not in plain:
            found.append(value)
    return found


def within(node: CSTNode) -> Iterator[CSTNode]:
    """The node and everything under it, in the order of the text."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        stack += reversed(children(node))


def parents_of(root: CSTNode, by_type: dict[type[CSTNode], list[CSTNode]] | None = None) -> dict[CSTNode, CSTNode]:
    """The parent of each node that is code; `by_type` is filled with the nodes, in the order of the text."""
    parents: dict[CSTNode, CSTNode] = {}
    cache = _FIELD_CACHE
    plain = _plain()
    stack: list[CSTNode] = [root]
    pop = stack.pop
    while stack:
        node = pop()
        cls = type(node)
        if by_type is not None:
            by_type[cls].append(node)
        names = cache.get(cls)
        if names is None:
            names = cache[cls] = child_fields(cls)
        at = len(stack)
        for name in names:
            value = getattr(node, name)
            kind = type(value)
            if kind is tuple or kind is list:
                for child in value:
                    parents[child] = node
                    stack.append(child)
            elif kind not in plain:
                parents[value] = node
                stack.append(value)
        if len(stack) - at > 1:
            stack[at:] = stack[: at - 1 : -1] if at else stack[::-1]
    return parents
