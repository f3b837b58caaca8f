"""What a call is of: its name, by which tables of functions know it, and its function in the module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.cst import cst
from panicguard.python.nodes import children
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile


def called_name(module: PythonFile, func: CSTNode) -> str:
    """The last name of a callee: `partial` where `from functools import partial as p` makes it `p`."""
    own = module.names.qualified(func) if isinstance(func, cst.Name) else None
    return last_name(func) if own is None else own.rpartition(".")[2]


def own_definition(module: PythonFile, func: CSTNode) -> CSTNode | None:
    """What is defined here of what is called, unless that is a method of an attribute: what it holds is often not in
    sight."""
    if isinstance(func, cst.Attribute) and isinstance(func.value, cst.Attribute):
        return None
    return module.names.definition(func)


def calls(node: CSTNode) -> Iterator[cst.Call]:
    """The calls that run when a node does: those of a lambda run later."""
    stack = [node]
    while stack:
        inner = stack.pop()
        if isinstance(inner, cst.Call):
            yield inner
        if not isinstance(inner, cst.Lambda):
            stack.extend(children(inner))
