"""Functions of a module that start a task and return it: what becomes of it where they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.apis import SpawnKind
from panicguard.python.coroutines import runs_into_error
from panicguard.python.cst import cst
from panicguard.python.fates import Fate
from panicguard.python.scopes import BindingKind
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn


def handles(module: PythonFile, function: cst.FunctionDef) -> Iterator[CSTNode]:
    """What the calls of a function in this module evaluate to; of an async one, once they are awaited."""
    for call in module.calls.get(function, ()):
        outer = module.tree.parents[call]
        yield outer if function.asynchronous is not None and isinstance(outer, cst.Await) else call


def is_of_module(module: PythonFile, function: cst.FunctionDef) -> bool:
    """Whether a function is called in this module, and nothing else is done with it here or elsewhere."""
    name = function.name.value
    if function.decorators or not (name.startswith("_") or isinstance(module.names.scope(function), cst.FunctionDef)):
        return False
    called = {part for call in module.calls.get(function, ()) for part in (call.func, getattr(call.func, "attr", None))}
    return bool(called) and all(node in called for node in module.tree.named[name] if node is not function.name)


def dropped_calls(module: PythonFile, spawn: Spawn) -> Iterator[cst.Call]:
    """The calls of the function that returns a task, of which the result goes nowhere, while what runs may fail."""
    returned = [module.tree.function(use.node) for use in spawn.uses if use.kind is UseKind.RETURNED]
    others = (use for use in spawn.uses if use.kind is not UseKind.RETURNED)
    if spawn.kind is not SpawnKind.TASK or len(returned) != 1 or module.fates.of(others) >= Fate.OBSERVED:
        return
    function = returned[0]
    if not isinstance(function, cst.FunctionDef) or any(map(_changes, function.decorators)):
        return
    known = {other.call for other in module.spawns}
    for value in handles(module, function):
        call = value.expression if isinstance(value, cst.Await) else value
        if function.asynchronous is not None and call is value:
            continue
        is_dropped = module.fates.of(module.flow.uses(value)) is Fate.DROPPED
        if isinstance(call, cst.Call) and is_dropped and call not in known and _may_lose(module, spawn, function, call):
            yield call


def _changes(decorator: cst.Decorator) -> bool:
    """Whether a decorator may make something else of a function."""
    return last_name(decorator.decorator) not in ("staticmethod", "classmethod")


def _may_lose(module: PythonFile, spawn: Spawn, function: cst.FunctionDef, call: cst.Call) -> bool:
    """Whether what a call starts may fail: what it is given, where the function runs that; else its own coroutine."""
    target = spawn.target
    if isinstance(target, cst.Name) and _is_parameter_of(module, target, function):
        given = [arg.value for arg in call.args if isinstance(arg.value, cst.Call)]
        return len(given) == 1 and runs_into_error(module, given[0]) is not False
    return target is not None and runs_into_error(module, target) is True


def _is_parameter_of(module: PythonFile, name: cst.Name, function: cst.FunctionDef) -> bool:
    scope, bindings = module.names.lookup(name.value, module.names.scope(name))
    return scope is function and all(binding.kind is BindingKind.PARAMETER for binding in bindings)
