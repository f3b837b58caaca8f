"""Syntax that came after Python 3.10, the oldest that panicguard runs on, and the version in which it came.

Nodes are matched by the name of their class: libcst has the newest ones only in its newest release.
"""

from __future__ import annotations

import ast
import sys
import warnings
from typing import TYPE_CHECKING

from panicguard.python.cst import cst

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from libcst import CSTNode

_COMPREHENSIONS = "ListComp", "SetComp", "GeneratorExp"


def holds_newer(root: CSTNode, than: tuple[int, int] = sys.version_info[:2]) -> bool:
    """Whether a tree contains syntax that is newer than a version of Python, by default the running one."""
    tests = [uses for since, uses in _SINCE.items() if since > than]
    nodes = [root] if tests else []
    while nodes:
        node = nodes.pop()
        kind = type(node).__name__
        if any(uses(node, kind) for uses in tests):
            return True
        nodes += node.children
    return False


def _of_3_11(node: CSTNode, kind: str) -> bool:
    """`except*`, PEP 646 (`x[*y]`, `*args: *Ts`), asynchronous comprehensions within others."""
    return (
        kind == "TryStar"
        or (kind == "Index" and bool(getattr(node, "star", None)))
        or (kind == "Annotation" and _is_starred(node, "annotation"))
        or (kind == "CompFor" and getattr(node, "asynchronous", None) is not None)
    )


def _of_3_12(node: CSTNode, kind: str) -> bool:
    """PEP 695 (`type X`, `def f[T]`) and PEP 701: quotes, backslashes and newlines in an f-string's braces."""
    return kind in ("TypeAlias", "TypeParameters") or (kind == "FormattedString" and not _is_read(node))


def _of_3_13(node: CSTNode, kind: str) -> bool:
    """PEP 696: `def f[T = int]`."""
    return kind == "TypeParam" and isinstance(getattr(node, "default", None), cst.CSTNode)


def _of_3_14(node: CSTNode, kind: str) -> bool:
    """PEP 750 (`t"..."`) and PEP 758: `except A, B:`."""
    caught = getattr(node, "type", None)
    bare = kind in ("ExceptHandler", "ExceptStarHandler") and isinstance(caught, cst.Tuple) and not caught.lpar
    return bare or kind == "TemplatedString"


def _of_3_15(node: CSTNode, kind: str) -> bool:
    """PEP 798 (`[*x for x in y]`) and PEP 810: `lazy import x`."""
    return (
        kind == "StarredDictComp"
        or (kind in _COMPREHENSIONS and _is_starred(node, "elt"))
        or isinstance(getattr(node, "whitespace_after_lazy", None), cst.CSTNode)
    )


_SINCE: Mapping[tuple[int, int], Callable[[CSTNode, str], bool]] = {
    (3, 11): _of_3_11,
    (3, 12): _of_3_12,
    (3, 13): _of_3_13,
    (3, 14): _of_3_14,
    (3, 15): _of_3_15,
}
"""Functions that recognize the syntax of a version, given a node and the name of its class."""


def _is_starred(node: CSTNode, part: str) -> bool:
    return isinstance(getattr(node, part, None), cst.StarredElement)


def _is_read(node: CSTNode) -> bool:
    """Whether the running Python parses an expression on its own."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(f"({cst.Module([]).code_for_node(node)})")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True
