"""The fix of asyncio tasks and futures: `create_task(send(x))` -> `SafeGo("send", KeepRunning, send(x))`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import LOOP
from panicguard.python.cst import cst
from panicguard.python.fates import Fate
from panicguard.python.fixes.evaluation import has_effects, is_async
from panicguard.python.fixes.rewrite import SAFEGO, Labels, Rewrite, insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libcst import CSTNode

    from panicguard.diagnostic import Edit
    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn


def rewrite_task(module: PythonFile, spawn: Spawn, labels: Labels) -> Rewrite | None:
    """A SafeGo of the same awaitable, with `loop=` where the task was started on a loop that need not be the running
    one."""
    args = spawn.call.args
    if spawn.target is None or args[0].keyword is not None:
        return None
    if any(arg.keyword is not None and arg.keyword.value == "eager_start" for arg in args):
        return None
    labelled = insert(module.span(args[0])[0], labels.before())
    match spawn.api:
        case "asyncio.ensure_future":
            # If no loop is running, it takes the current loop of the policy, and SafeGo refuses.
            is_sure = is_async(module.tree.function(spawn.call)) or any(arg.keyword is not None for arg in args)
            return Rewrite(SAFEGO, [labelled], unsafe=not is_sure)
        case "asyncio.run_coroutine_threadsafe":
            # Its future is of another type if the loop is the caller's or is not running yet.
            edits = [labelled, *_named_loop(module, args)]
            return Rewrite(SAFEGO, edits, unsafe=spawn.fate is not Fate.DROPPED)
    if spawn.api != f"{LOOP}.create_task" or _is_running_loop(module, spawn.owner):
        return Rewrite(SAFEGO, [labelled])
    if spawn.owner is None:
        return None
    loop = insert(module.span(args[-1])[1], f"{labels.separator}loop={module.text(spawn.owner)}")
    return Rewrite(SAFEGO, [labelled, loop], unsafe=has_effects(module, spawn.owner))


def rewrite_handed(module: PythonFile, spawn: Spawn, handed: CSTNode, labels: Labels) -> Rewrite | None:
    """A SafeGo that an event loop calls, as it would have called `create_task`: that loop is the running one then."""
    if spawn.api == f"{LOOP}.create_task":
        calling = spawn.call.func
        if not (isinstance(handed, cst.Attribute) and isinstance(calling, cst.Attribute)):
            return None
        if module.text(handed.value) != module.text(calling.value):
            return None
    elif spawn.api not in ("asyncio.create_task", "asyncio.ensure_future"):
        return None
    return Rewrite(SAFEGO, [insert(module.span(handed)[1], f", {labels.component}, {labels.policy}")])


def _named_loop(module: PythonFile, args: Sequence[cst.Arg]) -> list[Edit]:
    """The edit that passes a second argument as `loop=`, unless it has that name."""
    if len(args) == 2 and args[1].keyword is None:
        return [insert(module.span(args[1])[0], "loop=")]
    return []


def _is_running_loop(module: PythonFile, owner: CSTNode | None) -> bool:
    return isinstance(owner, cst.Call) and module.names.qualified(owner.func) == "asyncio.get_running_loop"
