"""Branches that never run, as a constant of their module says: modules that are generated twice from one text have
them."""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING

from panicguard.python.calls import answer
from panicguard.python.cst import cst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.slice.outline import Outline
    from panicguard.python.tree import Tree

_CONSTANT = re.compile(r"_*[A-Z][A-Z0-9_]*")
_DEPTH = 3
"""How often a constant is another one."""
_SAID = {"True": True, "False": False}


def never_runs(tree: Tree, text: str, node: CSTNode) -> bool:
    """Whether a node stands in a branch that the test of an `if` rules out."""
    for block, _ in tree.frames(node):
        above = tree.parents.get(block)
        match above:
            case cst.If(test=test):
                rules_out = _value(text, test) is False or _is_ruled_out(tree, text, above)
            case cst.Else():
                rules_out = _is_ruled_out(tree, text, above)
            case _:
                rules_out = False
        if rules_out:
            return True
    return False


def _is_ruled_out(tree: Tree, text: str, orelse: CSTNode) -> bool:
    """Whether the branch before an `else` or an `elif` always runs."""
    above = tree.parents[orelse]
    return isinstance(above, cst.If) and above.orelse is orelse and _value(text, above.test) is True


def _value(text: str, test: CSTNode) -> bool | None:
    """What a test always is; None where it depends on anything."""
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            value = _value(text, inner)
            return None if value is None else not value
        case cst.Name(value=name) if name in _SAID:
            return _SAID[name]
        case cst.Name(value=name) if _CONSTANT.fullmatch(name):
            return _constant(text, name)
    return None


@functools.lru_cache(maxsize=16)
def _constant(text: str, name: str, depth: int = _DEPTH) -> bool | None:
    """The truth value that a module gives a name, if it does so once, and nothing else is called so."""

    def question(module: Outline) -> ast.expr | None:
        nodes = list(module.mentions_of((name,)))
        values = [value for node in nodes for value in _given(node, name)]
        bound = sum(_binds(node, name) for node in nodes)
        return values[0] if len(values) == 1 == bound else None

    match answer(text, question):
        case ast.Constant(value=bool(value)):
            return value
        case ast.Name(id=other) if depth:
            return _constant(text, other, depth - 1)
    return None


def _given(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """What a node assigns to a name."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _parts(target, value, name)
        case ast.AnnAssign(target=ast.Name(id=bound), value=ast.expr() as value) if bound == name:
            yield value
        case ast.NamedExpr(target=ast.Name(id=bound), value=value) if bound == name:
            yield value


def _parts(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    """What a target of an assignment gets, if it is a name, or the part of a tuple that is."""
    match target, value:
        case ast.Name(id=bound), _ if bound == name:
            yield value.value if isinstance(value, ast.NamedExpr) else value
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=values) | ast.List(elts=values))):
            for inner, given in zip(targets, values, strict=False):
                yield from _parts(inner, given, name)


def _binds(node: ast.AST, name: str) -> bool:
    match node:
        case ast.Name(id=bound, ctx=ast.Store() | ast.Del()) | ast.arg(arg=bound):
            return bound == name
        case ast.alias(name=of, asname=bound):
            return name in (of, bound)
    return False
