"""Who runs an async function of a module: somebody who awaits it and may do more, or only an event loop.

A rule sees a slice of a module; here all of its text counts.
"""

from __future__ import annotations

import ast
import enum
import re
from typing import TYPE_CHECKING

from panicguard.python.calls import answer
from panicguard.python.slice.facts import children, last_name, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from panicguard.python.slice.outline import Outline


class Runner(enum.Enum):
    """Who runs a function."""

    HELPED = "a function that awaits it, and may do more afterwards"
    LOOP = "an event loop, as a task or as the main program, or whoever it is handed to"
    TAIL = "functions that end with it, of which nobody says who runs them"


_WAITING = frozenset(("wait_for", "shield", "gather", "wait"))
"""Functions that run their arguments for whoever awaits them."""
_RUNS = re.compile(r"task|spawn|future|start_soon|coroutine|(?:^|\.)run(?:_|$)", re.IGNORECASE)
"""What the names of functions that run a coroutine as a task have in them."""
_RECEIVERS = frozenset(("self", "cls", "super"))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_TURNS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_DEPTH = 4
"""How many functions that end with each other are followed."""


def runners(text: str, name: str) -> frozenset[Runner]:
    """Who runs the functions and methods of this name, as far as their module says."""
    return answer(text, lambda module: _runners(module, name, _DEPTH, {})) or frozenset()


def _runners(
    module: Outline, name: str, depth: int, known: dict[tuple[str, int], frozenset[Runner]]
) -> frozenset[Runner]:
    if (name, depth) in known:
        return known[name, depth]
    found: set[Runner] = set()
    for node, parents in _read(module, name):
        await_ = _awaited(node, parents)
        if await_ is None:
            if _is_handed_on(node, parents):
                found.add(Runner.LOOP)
        elif _is_own(node):
            caller = _tail_of(await_, parents)
            above = _runners(module, caller, depth - 1, known) if caller and depth and caller != name else frozenset()
            found |= {Runner.HELPED} if caller is None else above or {Runner.TAIL}
    known[name, depth] = frozenset(found)
    return known[name, depth]


def _read(module: Outline, name: str) -> Iterator[tuple[ast.AST, Mapping[ast.AST, ast.AST]]]:
    """Where a name is read, as a variable or an attribute, and the parents of the nodes around: of those in a function,
    or of those outside."""
    blocks = module.standing((name,))
    trees = dict.fromkeys(tree for b in blocks for tree in (b.whole.nodes if b.function else (module.tree,)))
    for parents in map(_parents, trees):
        for node in parents:
            if last_name(node).lstrip(".") == name and isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
                yield node, parents


def _parents(tree: ast.AST) -> Mapping[ast.AST, ast.AST]:
    parents: dict[ast.AST, ast.AST] = {}
    stack = [tree]
    while stack:
        node = stack.pop()
        below = children(node)
        parents.update(dict.fromkeys(below, node))
        stack += below
    return parents


def _is_own(node: ast.AST) -> bool:
    """Whether a function is named as one of this module: `f`, `self.f`, `super().f`."""
    if isinstance(node, ast.Attribute):
        value = node.value.func if isinstance(node.value, ast.Call) else node.value
        return isinstance(value, ast.Name) and value.id in _RECEIVERS
    return True


def _awaited(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> ast.AST | None:
    """The `await` that runs a call of the function that is named: its own, or that of a function that waits for it."""
    call = parents.get(node)
    if not (isinstance(call, ast.Call) and call.func is node):
        return None
    outer = parents[call]
    if isinstance(outer, ast.Call) and last_name(outer.func).lstrip(".") in _WAITING:
        outer = parents[outer]
    return outer if isinstance(outer, ast.Await) else None


def _is_handed_on(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> bool:
    """Whether a function, or its coroutine, is given to somebody: as an argument, or a value that is kept or returned.
    That of another object counts where it is given to what runs coroutines."""
    at: ast.AST = node
    above = parents.get(at)
    if isinstance(above, ast.Call) and above.func is node:
        at, above = above, parents.get(above)
    while isinstance(above, (ast.Starred, ast.keyword, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.Lambda, *_TURNS)):
        at, above = above, parents.get(above)
    if isinstance(above, ast.Call):
        return at is not above.func and (_is_own(node) or _RUNS.search(last_name(above.func)) is not None)
    return _is_own(node) and isinstance(above, (ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.Return, ast.withitem))


def _tail_of(node: ast.AST, parents: Mapping[ast.AST, ast.AST]) -> str | None:
    """The name of the function that ends with an `await`; None where it may do more."""
    at: ast.AST = node
    is_returned = False
    while at in parents and not isinstance(at, _FUNCTIONS):
        above = parents[at]
        is_returned = is_returned or isinstance(at, ast.Return)
        if not is_returned and (isinstance(above, _TURNS) or any(map(_waits, _behind(above, at)))):
            return None
        at = above
    return at.name if isinstance(at, _FUNCTIONS) else ""


def _behind(above: ast.AST, at: ast.AST) -> Iterator[ast.stmt]:
    """The statements that run after one of a block."""
    for field in ("body", "orelse", "handlers"):
        block = getattr(above, field, ())
        if isinstance(block, list) and at in block:
            yield from block[block.index(at) + 1 :] if field != "handlers" else ()
    if isinstance(above, ast.Try) and at in above.body:
        yield from above.orelse


def _waits(statement: ast.stmt) -> bool:
    return any(isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield)) for node in within(statement))
