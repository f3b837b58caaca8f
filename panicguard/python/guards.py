"""Which functions report every error before it leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.blocks import statements
from panicguard.python.cst import cst
from panicguard.python.handlers import catches_all, does_something
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn


def is_guarded(module: PythonFile, function: CSTNode) -> bool:
    """Whether no error of the function leaves it unreported: its whole body is in a `try` whose `except Exception`
    does something with the error, in a `with` of one of the runtime's recoverers, or it is decorated with one."""
    if not isinstance(function, cst.FunctionDef):
        return False
    decorators = (d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator for d in function.decorators)
    if any(_is_guard(module, d, apis.GUARDS) for d in decorators):
        return True
    body = statements(function.body)
    return all(_is_safe(module, s) for s in body) and any(
        isinstance(node, (cst.Try, cst.With)) for node in module.tree.own(function)
    )


def runs_guarded(module: PythonFile, spawn: Spawn) -> bool:
    """Whether what is spawned reports every error before it ends."""
    started = module.names.definition(spawn.call.func)
    if isinstance(started, cst.ClassDef):
        run = module.method(started, "run")
        return run is not None and is_guarded(module, run)
    if isinstance(spawn.target, cst.Call) and _is_guard(module, spawn.target.func, apis.GUARDS):
        return True
    return spawn.definition is not None and is_guarded(module, spawn.definition)


def _is_guard(module: PythonFile, node: CSTNode, known: Sequence[str]) -> bool:
    name = module.names.qualified(node)
    return name in known or apis.is_named(name, module.settings.extend_guards)


def _is_safe(module: PythonFile, statement: CSTNode) -> bool:
    """Whether a statement cannot let an error out unreported."""
    match statement:
        case cst.Try(handlers=[], body=body):
            return all(_is_safe(module, s) for s in statements(body))
        case cst.Try(handlers=handlers):
            return any(catches_all(module, h) and does_something(h) for h in handlers)
        case cst.With(items=items):
            calls = (item.item for item in items if isinstance(item.item, cst.Call))
            return any(_is_guard(module, call.func, apis.RECOVERS) for call in calls)
        case cst.While(test=test, body=body, orelse=None) | cst.If(test=test, body=body, orelse=None):
            asks = all(not call.args or last_name(call.func) in apis.HARMLESS for call in _calls(module, test))
            return asks and all(_is_safe(module, s) for s in statements(body))
        case cst.FunctionDef() | cst.Pass() | cst.Global() | cst.Nonlocal() | cst.Break() | cst.Continue():
            return True
        case cst.Import() | cst.ImportFrom():
            return True
        case cst.Raise() | cst.Assert():
            return False
        case cst.BaseSmallStatement():
            return _is_harmless(module, statement)
    return False


def _is_harmless(module: PythonFile, node: CSTNode) -> bool:
    return all(last_name(call.func) in apis.HARMLESS for call in _calls(module, node))


def _calls(module: PythonFile, node: CSTNode) -> Iterator[cst.Call]:
    return (call for call in module.tree.within(node) if isinstance(call, cst.Call))
