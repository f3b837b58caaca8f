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

_THREADS = "excepthook"
_DEFAULT = f"__{_THREADS}__"
_LOOPS = "set_exception_handler"


@functools.lru_cache(maxsize=4)
def tells_of_threads(text: str) -> bool:
    """Whether a text sets `threading.excepthook`, to another function than the default one."""
    return _THREADS in text and bool(answer(text, lambda module: any(_is_set(module, node) for node in _hooks(module))))


@functools.lru_cache(maxsize=4)
def tells_of_tasks(text: str) -> bool:
    """Whether a text sets the handler of an event loop, to another function than the default one."""
    return _LOOPS in text and bool(answer(text, _handles_loops))


def _hooks(module: Outline) -> Iterator[tuple[ast.expr, ast.expr]]:
    """The owner of each `excepthook` that is set, and what it is set to."""
    for node in module.mentions_of((_THREADS,)):
        match node:
            case ast.Assign(targets=targets, value=value):
                yield from ((t.value, value) for t in targets if isinstance(t, ast.Attribute) and t.attr == _THREADS)
            case ast.Call(func=ast.Name(id="setattr"), args=[owner, ast.Constant(value="excepthook"), value]):
                yield owner, value


def _is_set(module: Outline, hook: tuple[ast.expr, ast.expr]) -> bool:
    owner, value = hook
    return last_name(value).lstrip(".") != _DEFAULT and last_name(owner) in _names_of_threading(module)


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


def _handles_loops(module: Outline) -> bool:
    return any(
        isinstance(node, ast.Call)
        and last_name(node.func) == f".{_LOOPS}"
        and len(node.args) == 1
        and not (isinstance(node.args[0], ast.Constant) and node.args[0].value is None)
        for node in module.mentions_of((_LOOPS,))
    )
