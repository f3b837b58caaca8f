"""Who stops a task: whether what runs as one may end its own cancellation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import SpawnKind
from panicguard.python.calls import is_awaited_or_run
from panicguard.python.cst import cst
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn
    from panicguard.python.uses import Use

_SEEN_HERE = frozenset((UseKind.KEPT, UseKind.HELD, UseKind.METHOD, UseKind.TESTED, UseKind.AWAITED, UseKind.WAITED))
"""Uses of a task by which nobody else gets it."""


def is_stopped_by_its_owner(module: PythonFile, function: cst.FunctionDef) -> bool:
    """Whether a function runs only as tasks that are cancelled by the class or the function that starts them, and that
    nobody else gets. If it ends with its cancellation, that is as good as an error; better, if it is awaited then."""
    spawns = [s for s in module.spawns if s.definition is function and s.kind in (SpawnKind.TASK, SpawnKind.SAFE)]
    return (
        bool(spawns)
        and not is_awaited_or_run(module.source.text, function.name.value)
        and all(_is_stopped(module, spawn) for spawn in spawns)
    )


def _is_stopped(module: PythonFile, spawn: Spawn) -> bool:
    # An attribute of the same name in another class may hold another task.
    own = module.tree.enclosing(spawn.call, cst.ClassDef)
    uses = [use for use in module.flow.uses(spawn.call) if module.tree.enclosing(use.node, cst.ClassDef) is own]
    is_cancelled = any(use.kind is UseKind.METHOD and use.name == "cancel" for use in uses)
    return is_cancelled and all(use.kind in _SEEN_HERE or _is_gathered(module, use) for use in uses)


def _is_gathered(module: PythonFile, use: Use) -> bool:
    return isinstance(use.node, cst.Call) and module.names.qualified(use.node.func) == "asyncio.gather"
