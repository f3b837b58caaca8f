"""When an expression runs, and whether it matters that a fix moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import RETURNS
from panicguard.python.cst import cst

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn


def has_effects(module: PythonFile, expression: CSTNode) -> bool:
    """Whether evaluating an expression after the arguments instead of before them could make a difference."""
    return any(
        isinstance(node, cst.Call) and module.names.qualified(node.func) not in RETURNS
        for node in module.tree.within(expression)
    )


def is_async(function: CSTNode | None) -> bool:
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None


def runs_later(module: PythonFile, spawn: Spawn) -> bool:
    """Whether calling the target does not run its body: an async function, a generator. SafeGo refuses those."""
    function = spawn.definition
    return isinstance(function, cst.FunctionDef) and (
        is_async(function) or any(isinstance(node, cst.Yield) for node in module.tree.own(function))
    )
