"""The hooks by which a module is told of errors that nothing caught: its whole text is asked, since hooks are set
anywhere."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING

from panicguard.python.calls import answer
from panicguard.python.slice.facts import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.python.slice.outline import Outline
    from panicguard.settings import Settings

THREADS, TASKS = "threading.excepthook", "set_exception_handler"
_HOOK = "excepthook"
_DEFAULT = f"__{_HOOK}__"
WORDS = (_HOOK, TASKS)
"""Texts without one of which no text sets a hook."""
_REPLACED = frozenset(("run", "__init__"))
"""Methods of threads in the place of which others call a hook."""


def tells_of_threads(text: str, settings: Settings) -> bool:
    """Whether `threading.excepthook` is set, to another function than the default one, by a text or by other modules of
    its project."""
    return _is_told(THREADS, text, settings)


def tells_of_tasks(text: str, settings: Settings) -> bool:
    """The same for the handler of an event loop."""
    return _is_told(TASKS, text, settings)


def _is_told(kind: str, text: str, settings: Settings) -> bool:
    if settings.error_hooks is not None:
        return settings.error_hooks
    return any(kind == hook.kind for hook in settings.hooks) or any(kind == known for known, _ in hooks(text))


@functools.lru_cache(maxsize=4)
def hooks(text: str) -> tuple[tuple[str, int], ...]:
    """The kind of each hook that a text sets, and its row."""
    return (answer(text, lambda module: tuple(_set_in(module))) or ()) if any(word in text for word in WORDS) else ()


def _set_in(module: Outline) -> Iterator[tuple[str, int]]:
    for node in module.mentions_of((_HOOK, TASKS, *_REPLACED)):
        match node:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Attribute) and _is_hook(module, target.value, target.attr, value):
                        yield THREADS, node.lineno
            case ast.Call(func=ast.Name(id="setattr"), args=[owner, ast.Constant(value=str(name)), value]):
                if _is_hook(module, owner, name, value):
                    yield THREADS, node.lineno
            case ast.Call(func=ast.Attribute(attr=name), args=[handler]) if name == TASKS:
                if not (isinstance(handler, ast.Constant) and handler.value is None):
                    yield TASKS, node.lineno


def _is_hook(module: Outline, owner: ast.expr, name: str, value: ast.expr) -> bool:
    """Whether an attribute that is set is the hook of threads, or a method in which they call one."""
    if name == _HOOK:
        return last_name(value).lstrip(".") != _DEFAULT and last_name(owner) in _names_of_threading(module)
    if name not in _REPLACED or _HOOK not in module.text:
        return False
    match owner:
        case ast.Attribute(value=of, attr="Thread"):
            return last_name(of) in _names_of_threading(module)
        case ast.Name(id="Thread"):
            return "from threading import" in module.text
    return False


def _names_of_threading(module: Outline) -> set[str]:
    """The names that a module imports `threading` by, and those that it gives to these."""
    names: set[str] = set()
    for node in module.mentions_of(("threading",)):
        match node:
            case ast.Import(names=aliases):
                names.update(alias.asname or alias.name for alias in aliases if alias.name == "threading")
            case ast.Assign(targets=[ast.Name(id=other)], value=ast.Name(id="threading")):
                names.add(other)
    return names
