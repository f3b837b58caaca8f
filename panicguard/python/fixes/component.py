"""The component of a spawn, and the fix of a call without one."""

from __future__ import annotations

import itertools
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from panicguard.diagnostic import Edit, Fix
from panicguard.python.apis import SpawnKind
from panicguard.python.cst import cst
from panicguard.python.fixes.layout import fitted, laid_out
from panicguard.python.fixes.quotes import quote_at
from panicguard.python.fixes.rewrite import WITH_CONTEXT, Rewrite, insert
from panicguard.python.fixes.runtime import reference
from panicguard.python.scopes import BindingKind
from panicguard.python.tree import last_name
from panicguard.settings import component_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn

_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[\W_]+")
_WRAPPERS = frozenset(("functools.partial", "asyncio.to_thread", "asyncio.wait_for", "asyncio.shield"))
"""What only runs its first argument, whose name is worth more."""
_UNSPECIFIC = frozenset(
    "run runner run-forever run-loop run-until-complete start execute exec call create put work worker do do-work bg "
    "background main loop handle print target callback cb wrapper wrapped wrap inner in on ctx context fn fun func "
    "function callable coroutine coro aw awaitable fut future th thread threads task tasks".split()
)
"""What many functions are called, as components are written: that says nothing about what they do."""
_VARIABLES = frozenset("process job item obj".split())
"""What else variables are called that may hold any function, thread or task."""
_DRAWERS = frozenset("util utils helper helpers common misc".split())
"""What modules are called that may hold anything."""
_ENDING = re.compile(r"(?:-(?:threads?|tasks?|func|fn|function|coro|coroutine|impl))+$")
"""What the end of a name says about the kind of what it names."""
_MANNER = re.compile(r"^(?:async|inner|real|safe|do|in|main|thread|task)-|-(?:async|inner|call)$")
"""What a name says about how something is run."""
_OWN = frozenset(("self", "cls"))
_PATTERN = re.compile(r"[%{\\]")
"""Where something is still to be put into a string."""
_HANDLE = re.compile(r"(?:^|-)(?:background|bg|async|thread|task|coro|coroutine|future|fut|job|handle|t)(?=-|$)")
"""What the name of a variable says about the kind of its value."""


def component(module: PythonFile, spawn: Spawn) -> str:
    """The component of a spawn: the settings' for this path, a literal `name=`, what the target is called, what the
    handle is called, the class around it, the module: the first that says something."""
    configured = component_for(module.settings, module.source.path)
    if configured is not None:
        return configured
    literal = _literal_name(spawn)
    names = map(label, (literal, *_target_names(module, spawn)))
    specific = next((name for name in names if _says_something(name)), "")
    return specific or _handle_component(module, spawn) or _around(module, spawn.call) or _module_component(module)


def kebab(name: str) -> str:
    """A name as a component, a plain label of the metrics: `_sendMail`, `send_mail` and `Send mail` are `send-mail`."""
    return _HUMPS.sub("-", name).strip("-").lower()


def label(name: str) -> str:
    """A name as a component, without the kind of what it names: `poll_thread` is `poll`."""
    return _ENDING.sub("", kebab(name))


def _says_something(name: str) -> bool:
    return _MANNER.sub("", name) not in _UNSPECIFIC and any(char.isalpha() for char in name)


def _is_of_a_thing(name: str) -> bool:
    """Whether the name of a variable or a class says something."""
    return len(name) > 1 and name not in _VARIABLES and _says_something(name)


def component_fix(module: PythonFile, spawn: Spawn) -> Fix | None:
    """SafeGoWithContext -> SafeGoWithContextAndComponent, with the component as the second argument."""
    args = spawn.call.args
    quote = quote_at(module, spawn.call)
    if len(args) < 3 or any(arg.star for arg in args) or any(a.keyword is not None for a in args[:3]) or quote is None:
        return None
    renaming = _renaming(module, spawn.call)
    if renaming is None:
        return None
    written = f"{quote}{component(module, spawn)}{quote}"
    at = module.span(args[1])[0]
    made = laid_out(module, spawn.call, lambda gap: Rewrite(WITH_CONTEXT, [*renaming, insert(at, f"{written}{gap}")]))
    edits = [] if made is None else fitted(module, spawn.call, made.edits)
    return Fix(f"Name the component with `{WITH_CONTEXT}`", tuple(sorted(edits)))


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
    """The string that a task or a thread is named with; "" if there is none, or it is a pattern."""
    if spawn.kind not in (SpawnKind.TASK, SpawnKind.THREAD):
        return ""
    for arg in spawn.call.args:
        if arg.keyword is not None and arg.keyword.value == "name" and isinstance(arg.value, cst.SimpleString):
            written = str(arg.value.raw_value)
            return "" if _PATTERN.search(written) else written
    return ""


def _target_names(module: PythonFile, spawn: Spawn) -> Iterator[str]:
    """The names of what runs, without wrappers: the function's, then that of the object whose method it is."""
    target = _unwrapped_target(module, spawn)
    if isinstance(target, cst.Lambda) and isinstance(target.body, cst.Call):
        target = target.body
    start = callee = target.func if isinstance(target, cst.Call) else target
    while isinstance(callee, cst.Attribute):
        yield callee.attr.value
        callee = callee.value.func if isinstance(callee.value, cst.Call) else callee.value
    if isinstance(callee, cst.Name) and callee.value not in _OWN:
        is_variable = module.names.definition(callee) is None and not (callee is start and isinstance(target, cst.Call))
        if not is_variable or _is_of_a_thing(label(callee.value)):
            yield callee.value


def _handle_component(module: PythonFile, spawn: Spawn) -> str:
    """What the variable or the attribute that the spawn is assigned to is called, without the kind of its value."""
    assign = module.tree.parents[spawn.call]
    if not (isinstance(assign, cst.Assign) and len(assign.targets) == 1):
        return ""
    name = _HANDLE.sub("", kebab(last_name(assign.targets[0].target))).strip("-")
    return name if _is_of_a_thing(name) else ""


def _around(module: PythonFile, node: CSTNode) -> str:
    """The class around a node."""
    name = next((above.name.value for above, _ in module.tree.frames(node) if isinstance(above, cst.ClassDef)), "")
    return label(name) if _is_of_a_thing(label(name)) else ""


def _unwrapped_target(module: PythonFile, spawn: Spawn) -> CSTNode | None:
    target = spawn.target
    while True:
        if isinstance(target, cst.Call) and module.names.qualified(target.func) in _WRAPPERS and target.args:
            target = target.args[0].value
        elif isinstance(target, cst.Attribute) and target.attr.value == "run" and _is_context(module, target.value):
            target = _first_argument(spawn.call, target)
        elif isinstance(target, cst.Name) and (made := _made(module, target)) is not None:
            target = made
        else:
            return target


def _made(module: PythonFile, name: cst.Name) -> cst.Call | None:
    """The call whose result a variable is, if it is assigned once."""
    _, bindings = module.names.lookup(name.value, module.names.scope(name))
    value = bindings[0].value if len(bindings) == 1 and bindings[0].kind is BindingKind.VALUE else None
    return value if isinstance(value, cst.Call) else None


def _is_context(module: PythonFile, node: CSTNode | None) -> bool:
    """Whether an expression is a copy of the context variables."""
    if isinstance(node, cst.Name):
        node = _made(module, node)
    return isinstance(node, cst.Call) and module.names.qualified(node.func) == "contextvars.copy_context"


def _first_argument(call: cst.Call, target: CSTNode) -> CSTNode | None:
    """The first argument that a spawn's target is called with."""
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == "args" and isinstance(arg.value, (cst.Tuple, cst.List)):
            return arg.value.elements[0].value if arg.value.elements else None
    positional = [arg.value for arg in call.args if arg.keyword is None]
    return next((below for above, below in itertools.pairwise(positional) if above is target), None)


def _module_component(module: PythonFile) -> str:
    """The name of the module, or of a package around it where many modules have that name."""
    pure = PurePath(module.source.path)
    stem, *packages = (kebab(name) for name in (pure.stem, pure.parent.name, pure.parent.parent.name))
    names = packages if pure.stem.startswith("__") else [stem, *packages]
    specific = (name for name in names if name not in _DRAWERS and _says_something(name))
    return next(specific, stem or "main")
