"""Loops in which spawned code works on without a word of what fails: the errors that are lost again and again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python.blocks import statements
from panicguard.python.cancellation import ends_with
from panicguard.python.cst import cst
from panicguard.python.handlers import catches_all
from panicguard.python.loops import is_fed
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler

_WAITING = re.compile(
    r"(?:get|accept|poll|select|recv|receive|read|sleep|wait)(?:_\w+)?$|task_done$|is_set$|time$|monotonic$|perf_counter$"
)
"""Functions with which a turn of a loop waits for its work, or for the next turn."""


def loses_turns(module: PythonFile, node: cst.Try | cst.TryStar | cst.With) -> bool:
    """Whether a body is all the work of a turn of a loop, and the loop goes on where it fails; it does not end where it
    succeeds, as a new attempt does."""
    loop = _loop(module, node)
    if loop is None or _is_attempt(node) or any(_leaves(module, handler) for handler in _taking_all(module, node)):
        return False
    inside = set(module.tree.within(node))
    rest = (inner for inner in module.tree.own(loop) if inner not in inside)
    return _works(module, node.body) and all(_WAITING.match(name) for name in _called(rest))


def dies(module: PythonFile, function: CSTNode | None, node: cst.Try | cst.TryStar | cst.With) -> bool:
    """Whether a body is all that is left of a spawned function, and a loop in it, which ends with what it reads, works:
    nothing else says that it has ended."""
    if function not in module.spawned or not ends_with(module, node) or getattr(node, "finalbody", None) is not None:
        return False
    last = statements(node.body)[-1:]
    return any(isinstance(loop, (cst.While, cst.For)) and not is_fed(module, loop) for loop in last)


def _taking_all(module: PythonFile, node: cst.Try | cst.TryStar | cst.With) -> Iterator[Handler]:
    return (h for h in getattr(node, "handlers", ()) if catches_all(module, h))


def _leaves(module: PythonFile, handler: Handler) -> bool:
    return any(isinstance(inner, (cst.Break, cst.Return)) for inner in module.tree.within(handler.body))


def _is_attempt(node: cst.Try | cst.TryStar | cst.With) -> bool:
    """Whether a body that succeeds leaves the loop."""
    other = getattr(node, "orelse", None)
    blocks = (node.body, *(() if other is None else (other.body,)))
    return any(isinstance(last, (cst.Break, cst.Return)) for block in blocks for last in statements(block)[-1:])


def _loop(module: PythonFile, node: CSTNode) -> cst.While | cst.For | None:
    """The loop in which a statement stands directly, and which may go on for as long as the program does."""
    around = module.tree.around(node)
    above, _ = next(around, (None, None))
    if isinstance(above, cst.BaseSuite):
        above, child = next(around, (None, None))
        if isinstance(above, cst.While) or (isinstance(above, cst.For) and above.asynchronous is not None):
            return above if above.body is child else None
    return None


def _works(module: PythonFile, body: CSTNode) -> bool:
    """Whether a body calls something that is more than a wait."""
    return any(not _WAITING.match(name) for name in _called(module.tree.within(body)))


def _called(nodes: Iterator[CSTNode]) -> Iterator[str]:
    return (last_name(node.func) for node in nodes if isinstance(node, cst.Call))
