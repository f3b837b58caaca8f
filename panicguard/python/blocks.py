"""The statements of a block of Python, and how control leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.cst import cst
from panicguard.python.nodes import children

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from libcst import CSTNode

    from panicguard.python.tree import Tree


def statements(body: CSTNode) -> Sequence[CSTNode]:
    """The statements of a function's or block's body, simple statements taken out of their lines, without the
    docstring."""
    flat: list[CSTNode] = []
    for statement in getattr(body, "body", ()):
        if isinstance(statement, cst.SimpleStatementLine):
            flat.extend(statement.body)
        else:
            flat.append(statement)
    if flat and isinstance(flat[0], cst.Expr) and isinstance(flat[0].value, (cst.SimpleString, cst.ConcatenatedString)):
        del flat[0]
    return flat


def always_raises(body: Iterable[CSTNode]) -> bool:
    """Whether every path that reaches the end of these statements or leaves them raises."""
    for statement in body:
        match statement:
            case cst.Raise():
                return True
            case cst.Return() | cst.Break() | cst.Continue():
                return False
            case cst.If(body=then, orelse=orelse):
                branches = [statements(then)]
                other = orelse
                if isinstance(other, cst.Else):
                    branches.append(statements(other.body))
                elif other is not None:
                    branches.append([other])
                raises = [always_raises(b) for b in branches]
                if all(raises) and other is not None:
                    return True
                if any(leaves(b) and not r for b, r in zip(branches, raises, strict=True)):
                    return False
            case cst.With(body=inner):
                if always_raises(statements(inner)):
                    return True
                if leaves(statements(inner)):
                    return False
            case cst.Try(body=inner, finalbody=final):
                if final is not None and always_raises(statements(final.body)):
                    return True
                if always_raises(statements(inner)):
                    return True
    return False


def leaves(body: Iterable[CSTNode]) -> bool:
    """Whether a return, break or continue stands in these statements, outside nested functions."""
    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, (cst.Return, cst.Break, cst.Continue)):
            return True
        if not isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            stack.extend(children(node))
    return False


def finally_left_by(tree: Tree, node: CSTNode) -> cst.Finally | None:
    """The innermost `finally` that a return, break or continue leaves, and with it any error that waits there; None
    where it leaves none, as the `break` of a loop that stands in the `finally` itself."""
    is_return = isinstance(node, cst.Return)
    for above, child in tree.around(node):
        if isinstance(above, cst.Finally):
            return above
        if not is_return and isinstance(above, (cst.For, cst.While)) and above.body is child:
            return None
    return None
