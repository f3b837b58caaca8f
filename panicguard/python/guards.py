"""Which spawns lose no error: what they run reports every error before it ends, or does nothing that may fail."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python import harmless
from panicguard.python.apis import SpawnKind
from panicguard.python.calls import is_unbounded_queue
from panicguard.python.cst import cst
from panicguard.python.escapes import Escapes, inherited, is_guard
from panicguard.python.fates import Fate
from panicguard.python.hooks import tells_of_tasks
from panicguard.python.loops import innermost_loop
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_FLAGGING = frozenset("wait acquire set clear inc dec increment decrement".split())
"""Methods of events, locks and counters."""
_CLOSING = frozenset(("close", "aclose", "wait_closed"))
"""Methods that close something: what that is of another module says what it has to."""
_BLANK = re.compile(r"[\s\\]+")
_THREADSAFE = "asyncio.run_coroutine_threadsafe"


def is_guarded(module: PythonFile, function: CSTNode) -> bool:
    """Whether no error of the function leaves it unreported: all of its body that may raise is in a `try` whose
    `except Exception` reports it, in a `with` of one of the runtime's recoverers, or it is decorated with one."""
    return isinstance(function, cst.FunctionDef) and Escapes(module).is_reported(function)


def runs_guarded(module: PythonFile, spawn: Spawn) -> bool:
    """Whether what is spawned reports every error before it ends."""
    started = module.names.definition(spawn.call.func)
    if isinstance(started, cst.ClassDef):
        run = module.method(started, "run") or inherited(module, started, "run")
        return run is not None and is_guarded(module, run)
    if isinstance(spawn.target, cst.Call) and is_guard(module, spawn.target.func):
        return True
    if _kept_elsewhere(module, spawn) is not None:
        return True
    escapes = Escapes(module)
    if isinstance(spawn.definition, cst.Lambda):
        return escapes.calls_reported(spawn.definition.body)
    if spawn.definition is not None:
        return escapes.is_reported(spawn.definition)
    functions = _functions_of_one_name(module, spawn)
    return bool(functions) and all(map(escapes.is_reported, functions))


def tells_of_its_errors(module: PythonFile, spawn: Spawn) -> bool:
    """Whether what is spawned has a handler for every error that logs it or hands it on, or a decorator that does."""
    function = spawn.definition
    if function is None:
        return _kept_elsewhere(module, spawn) == "TOLD"
    return isinstance(function, cst.FunctionDef) and runs_guarded(module, spawn) and Escapes(module).tells(function)


def _kept_elsewhere(module: PythonFile, spawn: Spawn) -> str | None:
    """What becomes of the errors in what is spawned, if that is of another module of the project and keeps them."""
    target = spawn.target.func if isinstance(spawn.target, cst.Call) else spawn.target
    kept = keeps_elsewhere(module, target) if spawn.definition is None else None
    return None if kept == "EXPECTED" else kept


def keeps_elsewhere(module: PythonFile, target: CSTNode | None) -> str | None:
    """What another module of the project shows of the errors in what it defines: the name of a `Kept`, if any."""
    if not isinstance(target, (cst.Name, cst.Attribute)):
        return None
    return module.names.elsewhere.of(_BLANK.sub("", module.text(target)), "keeps")


def runs_own_code(module: PythonFile, definition: cst.ClassDef) -> bool:
    """Whether a class of threads, or one that it derives from in this module, has a `run`."""
    return (module.method(definition, "run") or inherited(module, definition, "run")) is not None


def has_nothing_to_lose(module: PythonFile, spawn: Spawn) -> bool:
    """Whether what is spawned only waits for, sets or closes something that is not defined in this module."""
    target = spawn.target
    if spawn.kind is SpawnKind.THREAD:
        is_waiting = isinstance(target, cst.Attribute) and target.attr.value in harmless.WAITING
        return is_waiting and module.names.definition(target) is None  # type: ignore[arg-type]
    match target:
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name)) as func, args=[]) if name in _FLAGGING:
            return module.names.definition(func) is None
        case cst.Call(func=cst.Attribute(attr=cst.Name(value=name)) as func) if name in _CLOSING:
            is_own = not isinstance(func.value, cst.Attribute) and module.names.definition(func) is not None
            return not is_own or _is_in_finalizer(module, spawn.call)
        case cst.Call(func=func) if spawn.fate is not Fate.DROPPED:
            return module.names.qualified(func) == "asyncio.sleep"
    return False


def _is_in_finalizer(module: PythonFile, node: CSTNode) -> bool:
    """Whether something is done as an object is freed: nobody is left to hear of an error."""
    function = module.tree.function(node)
    return isinstance(function, cst.FunctionDef) and function.name.value == "__del__"


def is_handed_on(module: PythonFile, spawn: Spawn) -> bool:
    """Whether a coroutine is run on another thread's loop only to reach what is there: it reports its errors, starts a
    task in a group, which awaits it, or puts something into a queue that has room for it."""
    if spawn.api != _THREADSAFE and spawn.handed is None:
        return False
    match spawn.target:
        case cst.Call(func=cst.Attribute(value=owner, attr=cst.Name(value=name)) as func):
            is_own = module.names.definition(func) is not None
            if name == "put" and not is_own and last_name(owner):
                return is_unbounded_queue(module.source.text, last_name(owner))
            if name in harmless.SPAWNING_METHODS and not is_own:
                return harmless.is_group(last_name(owner))
    return runs_guarded(module, spawn)


def is_heard(module: PythonFile, spawn: Spawn) -> bool:
    """Whether a task that something holds reports its errors: by itself, or by the handler of its loop, which hears of
    them as the task is collected, once it has taken itself out of what held it."""
    return runs_guarded(module, spawn) or (
        is_let_go(module, spawn) and tells_of_tasks(module.source.text, module.settings)
    )


def is_let_go(module: PythonFile, spawn: Spawn) -> bool:
    """Whether what holds a task lets go of it once it is done: its loop hears of the error as it is collected."""
    leaves = any(use.kind is UseKind.METHOD and use.name == "add_done_callback" for use in spawn.uses)
    stays = any(use.kind is UseKind.KEPT and _is_assigned(module, use.node) for use in spawn.uses)
    return leaves and not stays and spawn.api != _THREADSAFE


def _is_assigned(module: PythonFile, target: CSTNode) -> bool:
    return isinstance(module.tree.parents[target], (cst.AssignTarget, cst.AnnAssign, cst.NamedExpr))


def is_held_while_it_runs(module: PythonFile, spawn: Spawn) -> bool:
    """Whether a loop that goes on keeps the task in a container of its function."""
    loop = innermost_loop(module, spawn.call)
    return isinstance(loop, cst.While) and any(
        use.kind is UseKind.HELD and _is_made_before(module, use.node, loop) for use in spawn.uses
    )


def _is_made_before(module: PythonFile, container: CSTNode, loop: CSTNode) -> bool:
    """Whether a container is a variable of the function that a loop is in, and not made anew by its turns."""
    scope, bindings = module.names.lookup(last_name(container), module.names.scope(container))
    return scope is module.tree.function(loop) and not any(module.tree.is_in(b.node, loop) for b in bindings)


def _functions_of_one_name(module: PythonFile, spawn: Spawn) -> Sequence[cst.FunctionDef]:
    """The functions that a target may be where several have its name: the last one above in the block of the spawn, or
    else all."""
    if not isinstance(spawn.target, cst.Name):
        return ()
    _, bindings = module.names.lookup(spawn.target.value, module.names.scope(spawn.target))
    functions = [b.node for b in bindings if isinstance(b.node, cst.FunctionDef)]
    if len(functions) != len(bindings):
        return ()
    for above, child in module.tree.frames(spawn.call):
        if isinstance(above, cst.IndentedBlock):
            block: list[CSTNode] = list(above.body)
            here = [function for function in functions if function in block[: block.index(child)]]
            if here:
                return [max(here, key=block.index)]
    return functions
