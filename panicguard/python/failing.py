"""Whether an async function may end by an error: asked of the whole text, since a slice lacks most of it."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from panicguard.python.bodies import STOPPING, catches, classes, error_name, functions_in, is_declared
from panicguard.python.calls import answer
from panicguard.python.harmless import HARMLESS
from panicguard.python.slice.facts import last_name, within
from panicguard.python.slice.layout import DEFINITIONS, TRIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panicguard.python.slice.outline import Block, Outline

_HARMLESS = HARMLESS | frozenset("acquire put join drain notify notify_all cancel".split())
"""What may be awaited without fear: waits, locks and queues."""
_PASSING = frozenset("wait_for shield gather wait".split())
"""What fails where what it is given does."""
_WITHS = (ast.With, ast.AsyncWith)
_DEPTH = 4
"""How far calls are followed."""


def may_fail(text: str, name: str, row: int | None = None) -> bool | None:
    """Whether an error may leave the function of this name at a row: something is awaited outside of what catches
    every error, or raised; None where that is not known, because it is
    only declared. Without a row, any function of the name."""
    found: bool | None = answer(text, lambda module: _Failing(module).of(name, row))
    return found


def is_hoped_for(text: str, row: int, column: int) -> bool:
    """Whether a call stands in a `try` with a handler for an error that nothing else there can raise."""
    return bool(answer(text, lambda module: _is_hoped_for(module, row - 1, column - 1)))


@dataclass(frozen=True)
class _Failing:
    module: Outline
    _known: dict[ast.AST, bool] = field(default_factory=dict)

    def of(self, name: str, row: int | None) -> bool | None:
        blocks = self.module.by_name.get(name, ()) if row is None else (self.module.block(row - 1),)
        named = [
            (block, function)
            for block in blocks
            if block is not None
            for function in functions_in(block.whole.node, name)
        ]
        bodies = [(block, f) for block, f in named if not (f.decorator_list or is_declared(f))]
        if len(bodies) < len(named) or not named:
            return None if all(f.decorator_list == [] for _, f in named) else False
        return any(self._fails(function, block, _DEPTH) for block, function in bodies)

    def _fails(self, function: Any, block: Block, depth: int) -> bool:
        if function not in self._known:
            self._known[function] = False  # one that calls itself
            self._known[function] = self._any(function.body, block, depth)
        return self._known[function]

    def _any(self, body: Iterable[ast.stmt], block: Block, depth: int) -> bool:
        return any(self._leaves(statement, block, depth) for statement in body)

    def _leaves(self, node: Any, block: Block, depth: int) -> bool:
        """Whether an error may leave a statement."""
        if isinstance(node, DEFINITIONS):
            return False
        if isinstance(node, TRIES):
            body = () if any(map(_keeps, node.handlers)) else node.body  # type: ignore[attr-defined]
            return self._any((*body, *node.orelse), block, depth)  # type: ignore[attr-defined]
        if isinstance(node, ast.Raise):
            return node.exc is not None and error_name(node.exc) not in STOPPING
        if isinstance(node, ast.AsyncFor):
            return True
        if isinstance(node, _WITHS) and any(_suppresses(item.context_expr) for item in node.items):
            return False
        inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
        if any(self._awaits(child, block, depth) for child in ast.iter_child_nodes(node) if child not in inner):
            return True
        return self._any(inner, block, depth)

    def _awaits(self, node: ast.AST, block: Block, depth: int) -> bool:
        """Whether an expression awaits what may fail."""
        awaited = (inner.value for inner in within(node) if isinstance(inner, ast.Await))
        return any(isinstance(value, ast.Call) and self._is_risky(value, block, depth) for value in awaited)

    def _is_risky(self, call: ast.Call, block: Block, depth: int) -> bool:
        name = last_name(call.func).lstrip(".")
        if name in _PASSING and any(word.arg == "return_exceptions" for word in call.keywords):
            return False
        if name in _PASSING:
            return any(isinstance(arg, ast.Call) and self._is_risky(arg, block, depth) for arg in call.args)
        own = list(self._own(call.func, block))
        if own:
            return depth > 0 and any(self._fails(function, at, depth - 1) for at, function in own)
        return name not in _HARMLESS and not name.startswith("wait") and not (name == "get" and not call.args)

    def _own(self, func: ast.expr, block: Block) -> Iterator[tuple[Block, ast.AST]]:
        """The functions of this module that a call may be of."""
        name = last_name(func)
        if isinstance(func, ast.Attribute) and last_name(func.value) != "self":
            return
        for at in self.module.by_name.get(name.lstrip("."), ()):
            yield from ((at, function) for function in functions_in(at.whole.node, at.name))
        if name and not name.startswith("."):
            yield from ((block, function) for function in functions_in(block.whole.node, name))


def _keeps(handler: ast.ExceptHandler) -> bool:
    """Whether a handler catches every error and raises none of them again."""
    return catches(handler.type) and not isinstance(handler.body[-1], ast.Raise)


def _suppresses(context: ast.expr) -> bool:
    return (
        isinstance(context, ast.Call)
        and last_name(context.func).lstrip(".") == "suppress"
        and any(map(catches, context.args))
    )


def _is_hoped_for(module: Outline, row: int, column: int) -> bool:
    block = module.block(row)
    at = (row + 1, len(module.lines[row][:column].encode()))
    for node in within(block.whole.node) if block is not None else ():
        if isinstance(node, ast.Try) and any(map(_is_specific, node.handlers)):
            here = [s for s in node.body if isinstance(s, (ast.Assign, ast.AnnAssign)) and _has_call(s, at)]
            if here and not any(map(_calls_other, (s for s in node.body if s not in here))):
                return True
    return False


def _has_call(statement: ast.stmt, at: tuple[int, int]) -> bool:
    """Whether a statement has a call at a row and an offset in bytes."""
    return any(isinstance(n, ast.Call) and (n.lineno, n.col_offset) == at for n in within(statement))


def _is_specific(handler: ast.ExceptHandler) -> bool:
    """Whether a handler names errors of the project or of a library, and nothing else."""
    names = [error_name(kind) for kind in classes(handler.type) if kind is not None]
    return bool(names) and not any(hasattr(builtins, name) or name in STOPPING for name in names)


def _calls_other(statement: ast.stmt) -> bool:
    return any(isinstance(node, ast.Call) and error_name(node) not in _HARMLESS for node in within(statement))
