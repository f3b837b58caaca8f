"""The component of a spawn, and the fix of a call without one."""

from __future__ import annotations

import itertools
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit, Fix
from panicguard.python.apis import SpawnKind
from panicguard.python.cst import cst
from panicguard.python.fixes.quotes import quote_at
from panicguard.python.fixes.rewrite import WITH_CONTEXT, insert
from panicguard.python.fixes.runtime import reference
from panicguard.settings import component_for

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|_+")
_PLAIN_NAME = re.compile(r"[\w.:/ -]+")
_WRAPPERS = frozenset(("functools.partial", "asyncio.to_thread", "asyncio.wait_for", "asyncio.shield"))
"""What only runs its first argument, whose name is worth more."""
_UNSPECIFIC = frozenset(
    "f fn func function target callable callback cb coro coroutine aw awaitable fut future task".split()
)
"""Names of variables that say nothing about their values."""


def component(module: PythonFile, spawn: Spawn) -> str:
    """The component of a spawn: the settings' for this path, a literal `name=`, the target's name, the module's."""
    configured = component_for(module.settings, module.source.path)
    if configured is not None:
        return configured
    literal = _literal_name(spawn)
    if _PLAIN_NAME.fullmatch(literal):
        return literal
    return kebab(_target_name(module, spawn)) or _module_component(module.source.path)


def kebab(name: str) -> str:
    """A name of Python as a component: `_sendMail` and `send_mail` are `send-mail`."""
    return _HUMPS.sub("-", name.strip("_")).lower()


def component_fix(module: PythonFile, spawn: Spawn) -> Fix | None:
    """SafeGoWithContext -> SafeGoWithContextAndComponent, with the component as the second argument."""
    args = spawn.call.args
    quote = quote_at(module, spawn.call)
    if len(args) < 3 or any(arg.star for arg in args) or any(a.keyword is not None for a in args[:3]) or quote is None:
        return None
    renaming = _renaming(module, spawn.call)
    if renaming is None:
        return None
    written = f"{quote}{component(module, spawn)}{quote}, "
    edits = sorted((insert(module.span(args[1])[0], written), *renaming))
    return Fix(f"Name the component with `{WITH_CONTEXT}`", tuple(edits))


def _renaming(module: PythonFile, call: cst.Call) -> tuple[Edit, ...] | None:
    """The edits that call SafeGoWithContextAndComponent instead; None if nothing can name it."""
    func = call.func
    if isinstance(func, cst.Attribute):
        return (Edit(*module.span(func.attr), WITH_CONTEXT),)
    if module.names.resolve_name(WITH_CONTEXT, module.names.scope(func)) == f"mruntime.{WITH_CONTEXT}":
        return (Edit(*module.span(func), WITH_CONTEXT),)
    runtime = reference(module, call)
    if runtime is None:
        return None
    return Edit(*module.span(func), f"{runtime.prefix}{WITH_CONTEXT}"), *runtime.edits


def _literal_name(spawn: Spawn) -> str:
    """The string that a task or a thread is named with; "" if there is none."""
    if spawn.kind not in (SpawnKind.TASK, SpawnKind.THREAD):
        return ""
    for arg in spawn.call.args:
        if arg.keyword is not None and arg.keyword.value == "name" and isinstance(arg.value, cst.SimpleString):
            return str(arg.value.raw_value)
    return ""


def _target_name(module: PythonFile, spawn: Spawn) -> str:
    """The name of what runs, without wrappers; "" if it has no name, or one that says nothing."""
    target = _unwrapped_target(module, spawn)
    callee = target.func if isinstance(target, cst.Call) else target
    if not isinstance(callee, (cst.Name, cst.Attribute)):
        return ""
    name = callee.attr.value if isinstance(callee, cst.Attribute) else callee.value
    if callee is target and name.strip("_") in _UNSPECIFIC and module.names.definition(callee) is None:
        return ""
    return name


def _unwrapped_target(module: PythonFile, spawn: Spawn) -> CSTNode | None:
    target = spawn.target
    while True:
        if isinstance(target, cst.Call) and module.names.qualified(target.func) in _WRAPPERS and target.args:
            target = target.args[0].value
        elif isinstance(target, cst.Attribute) and target.attr.value == "run" and _is_context(module, target.value):
            target = _first_argument(spawn.call, target)
        else:
            return target


def _is_context(module: PythonFile, node: CSTNode | None) -> bool:
    """Whether an expression is a copy of the context variables."""
    if isinstance(node, cst.Name):
        _, bindings = module.names.lookup(node.value, module.names.scope(node))
        values = [binding.value for binding in bindings]
        node = values[0] if len(values) == 1 and isinstance(values[0], cst.Call) else None
    return isinstance(node, cst.Call) and module.names.qualified(node.func) == "contextvars.copy_context"


def _first_argument(call: cst.Call, target: CSTNode) -> CSTNode | None:
    """The first argument that a spawn's target is called with."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == "args" and isinstance(arg.value, (cst.Tuple, cst.List)):
            return arg.value.elements[0].value if arg.value.elements else None
    positional = [arg.value for arg in call.args if arg.keyword is None]
    return next((below for above, below in itertools.pairwise(positional) if above is target), None)


def _module_component(path: str) -> str:
    pure = PurePath(path)
    stem = pure.parent.name if pure.stem.startswith("__") else pure.stem
    return kebab(stem) or "main"
