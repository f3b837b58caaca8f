"""Who stops a task: what of a module cancels it and waits for it, and what then becomes of the cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import SpawnKind
from panicguard.python.cancellation import catches_cancellation, is_async, takes_cancellation
from panicguard.python.cst import cst
from panicguard.python.handlers import raises, suppressed_types
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn
    from panicguard.python.uses import Use

_SUITES = (cst.If, cst.Else, cst.ExceptHandler, cst.ExceptStarHandler)
"""What a statement may stand in without being run whenever what follows is."""


def is_stopped_by_its_owner(module: PythonFile, function: CSTNode) -> bool:
    """Whether a function runs as a task that this module cancels and then awaits, where nothing handles the error: that
    works because the function ends its own cancellation."""
    return is_async(function) and any(
        _is_stopped(module, spawn)
        for spawn in module.spawns
        if spawn.definition is function and spawn.kind is SpawnKind.TASK
    )


def _is_stopped(module: PythonFile, spawn: Spawn) -> bool:
    own = module.tree.enclosing(
        spawn.call, cst.ClassDef
    )  # an attribute of the same name elsewhere may hold another one
    uses = [use for use in spawn.uses if module.tree.enclosing(use.node, cst.ClassDef) is own]
    cancelled = [use.node for use in uses if use.kind is UseKind.METHOD and use.name == "cancel"]
    awaited = [use.node for use in uses if _raises_there(module, use)]
    return any(_follows(module, await_, cancel) for await_ in awaited for cancel in cancelled)


def _raises_there(module: PythonFile, use: Use) -> bool:
    """Whether a use awaits a task, and a cancellation of it leaves the function."""
    node = use.node
    if use.kind is UseKind.ARGUMENT and isinstance(node, cst.Call):
        if module.names.qualified(node.func) != "asyncio.gather" or any(arg.keyword is not None for arg in node.args):
            return False
        node = module.tree.parents[node]
    return isinstance(node, cst.Await) and not _is_handled(module, node)


def _is_handled(module: PythonFile, node: CSTNode) -> bool:
    """Whether a cancellation that is raised at a node ends in the function around it."""
    child = node
    for ancestor in module.tree.around(node):
        if isinstance(ancestor, (cst.Try, cst.TryStar)) and ancestor.body is child:
            if any(catches_cancellation(module, h) and not raises(module, h) for h in ancestor.handlers):
                return True
        elif isinstance(ancestor, cst.With):
            types = (t for item in ancestor.items for t in suppressed_types(module, item.item))
            if any(takes_cancellation(module, t) for t in types):
                return True
        child = ancestor
    return False


def _follows(module: PythonFile, node: CSTNode, before: CSTNode) -> bool:
    """Whether a node stands in the same function as another one and behind it, and runs whenever that one does not."""
    tree = module.tree
    if tree.function(node) is not tree.function(before) or tree.span(node)[0] < tree.span(before)[1]:
        return False
    branch = next((above for above in tree.around(before) if isinstance(above, _SUITES)), None)
    return branch is None or any(above is branch.body for above in tree.around(node))
