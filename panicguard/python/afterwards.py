"""What a function still waits for once a statement of it has swallowed a cancellation."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from panicguard.python.cst import cst
from panicguard.python.endings import only_ends
from panicguard.python.outcomes import Exit
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler


class More(enum.Enum):
    """What a function may still do after a statement, beyond what ends it."""

    TURNS = "the loop that the statement stands in has another turn, or a generator goes on"
    REST = "it waits for something that stands behind"
    NOTHING = "it ends"


def after(module: PythonFile, node: CSTNode, handler: Handler | None, ways: Set[Exit]) -> More:
    """What may run behind a statement that its handler (None: none is written) leaves in one of these ways."""
    found = {More.NOTHING}
    loop = _loop(module, node)
    if Exit.YIELD in ways:
        found.add(More.TURNS)
    if Exit.PAST in ways:
        found.add(_behind(module, node, handler))
    if loop is not None and Exit.CONTINUE in ways:
        found.add(_behind(module, loop, handler) if _is_ended_by(module, loop, handler) else More.TURNS)
    if loop is not None and Exit.BREAK in ways:
        found.add(_behind(module, loop, handler))
    return next(more for more in More if more in found)


def _loop(module: PythonFile, node: CSTNode) -> cst.For | cst.While | None:
    """The loop in whose body a node stands."""
    for above, child in module.tree.around(node):
        if isinstance(above, (cst.For, cst.While)) and above.body is child:
            return above
    return None


def _behind(module: PythonFile, node: CSTNode, handler: Handler | None) -> More:
    """What may run once a statement has come to its end."""
    found = More.NOTHING
    for above, child in module.tree.around(node):
        if isinstance(above, cst.IndentedBlock):
            for statement in _following(above, child):
                if waits(module, statement):
                    found = More.REST
                match statement:
                    case cst.Return() | cst.Raise():
                        return found
                    case cst.Continue():
                        return More.TURNS
                    case cst.Break() if (loop := _loop(module, child)) is not None:
                        return More.REST if found is More.REST else _behind(module, loop, handler)
        elif isinstance(above, (cst.For, cst.While)) and above.body is child:
            if not _is_ended_by(module, above, handler):
                return More.TURNS
        elif isinstance(above, cst.Try) and above.body is child:
            found = More.REST if above.orelse is not None and waits(module, above.orelse) else found
    return found


def _following(block: cst.IndentedBlock, child: CSTNode) -> Iterator[CSTNode]:
    """The statements of a block behind the one that is, or holds, a node."""
    lines = iter(block.body)
    for line in lines:
        if line is child:
            break
    for line in lines:
        yield from line.body if isinstance(line, cst.SimpleStatementLine) else (line,)


def waits(module: PythonFile, statement: CSTNode) -> bool:
    """Whether a statement awaits something that is more than an end, or gives a value to the consumer of a
    generator."""
    if isinstance(statement, (cst.FunctionDef, cst.ClassDef)):
        return False
    return any(_waits(module, node) for node in module.tree.within(statement))


def _waits(module: PythonFile, node: CSTNode) -> bool:
    match node:
        case cst.Await(expression=awaited):
            return not only_ends(awaited)
        case cst.For() | cst.CompFor():
            return node.asynchronous is not None
        case cst.With():
            return node.asynchronous is not None and not all(_is_quick(item.item) for item in node.items)
        case cst.Yield():
            return True
    return False


def _is_quick(item: CSTNode) -> bool:
    """Whether an async context is a lock, which says nothing of what is done under it."""
    return "lock" in last_name(item.func if isinstance(item, cst.Call) else item).lower()


def _is_ended_by(module: PythonFile, loop: cst.For | cst.While, handler: Handler | None) -> bool:
    """Whether a handler sets what the test of a loop asks for."""
    if not isinstance(loop, cst.While) or handler is None:
        return False
    asked = {last_name(n) for n in module.tree.within(loop.test) if isinstance(n, (cst.Name, cst.Attribute))}
    return not asked.isdisjoint(_assigned(module, handler))


def _assigned(module: PythonFile, handler: Handler) -> Iterable[str]:
    for node in module.tree.within(handler.body):
        if isinstance(node, cst.Assign):
            yield from (last_name(target.target) for target in node.targets)
        elif (
            isinstance(node, cst.Call)
            and isinstance(node.func, cst.Attribute)
            and node.func.attr.value in ("set", "clear")
        ):
            yield last_name(node.func.value)
