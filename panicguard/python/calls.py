"""What a whole text calls: a rule sees a slice of a module, in which calls may be missing."""

from __future__ import annotations

import ast
import functools
from typing import TYPE_CHECKING, TypeVar

from panicguard.python.plain import plain
from panicguard.python.slice.facts import chain, last_name, within
from panicguard.python.slice.parse import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from panicguard.python.slice.outline import Block, Outline

T = TypeVar("T")
_QUEUES = frozenset(("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"))
_EFFECT = "side_effect"


def answer(text: str, question: Callable[[Outline], T]) -> T | None:
    """The answer to a question about a module; None where the running Python cannot parse it."""
    from panicguard.python.slice.whole import NotReadError, ask  # most runs ask nothing, and all would wait for it

    try:
        return ask(plain(text), question)
    except NotReadError:
        return None


def may_make_daemons(text: str, name: str) -> bool:
    """Whether what a class of this name makes may be daemons: that is said in its methods or where it is made, or it is
    made elsewhere."""
    return answer(text, lambda module: _may_make_daemons(module, name)) is not False


def _may_make_daemons(module: Outline, name: str) -> bool:
    own = [block for block in module.blocks if any(owner.name == name for owner in block.owners)]
    makers = [block for block in module.blocks if any(_calls(node, name) for node in _nodes(block))]
    return not makers or any(_says_daemon(node) for block in (*own, *makers) for node in _nodes(block))


def _nodes(block: Block) -> Iterator[ast.AST]:
    return (inner for unit in block.units for node in unit.nodes for inner in within(node))


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and last_name(node.func).lstrip(".") == name


def _says_daemon(node: ast.AST) -> bool:
    match node:
        case ast.keyword(arg="daemon", value=value):
            return not (isinstance(value, ast.Constant) and value.value is False)
        case ast.Assign(targets=[target], value=ast.Constant(value=True)):
            return last_name(target).lstrip(".") == "daemon"
        case ast.Call(func=ast.Attribute(attr="setDaemon")):
            return True
    return False


def is_unbounded_queue(text: str, name: str) -> bool:
    """Whether all that a text assigns to variables and attributes of this name is a new queue without a limit."""

    def question(module: Outline) -> bool:
        made = list(_assigned(module, name))
        return bool(made) and all(map(_is_unbounded, made))

    return bool(answer(text, question))


def _assigned(module: Outline, name: str) -> Iterator[ast.expr]:
    """What is assigned to variables and attributes of a name, but for None."""
    for node in module.mentions_of((name,)):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            is_none = isinstance(node.value, ast.Constant) and node.value.value is None
            if not is_none and any(last_name(target).lstrip(".") == name for target in targets):
                yield node.value


def _is_unbounded(made: ast.expr) -> bool:
    is_queue = isinstance(made, ast.Call) and last_name(made.func).lstrip(".") in _QUEUES
    return is_queue and not (made.args or made.keywords)  # type: ignore[attr-defined]


@functools.lru_cache(maxsize=4)
def mocked(text: str) -> frozenset[str]:
    """The last names of what the mocks in a text raise, call or return: of `side_effect=CancelledError`, of a list with
    one, of a function."""
    tree = parsed(plain(text)) if _EFFECT in text else None
    effects = () if tree is None else _effects(tree)
    return frozenset(last_name(node).lstrip(".") for effect in effects for node in within(effect))


def _effects(tree: ast.Module) -> Iterator[ast.expr]:
    for node in within(tree):
        if (isinstance(node, ast.keyword) and node.arg == _EFFECT) or (
            isinstance(node, ast.Assign) and any(last_name(target) == f".{_EFFECT}" for target in node.targets)
        ):
            yield node.value


@functools.lru_cache(maxsize=8)
def passed_to(text: str, takers: str) -> frozenset[str]:
    """The names in the positional arguments of calls of these functions, each with as much of its dotted name as says
    which is meant."""
    wanted = [taker for taker in takers.split() if all(part in text for part in taker.split("."))]
    if not wanted:
        return frozenset()
    return answer(text, lambda module: frozenset(_given(module, wanted))) or frozenset()


def _given(module: Outline, takers: Sequence[str]) -> Iterator[str]:
    """The names in what is given to calls of these functions."""
    for call in module.mentions_of([taker.rpartition(".")[2] for taker in takers]):
        if isinstance(call, ast.Call) and any(f".{_dotted(call.func)}".endswith(f".{taker}") for taker in takers):
            for value in (*call.args, *(keyword.value for keyword in call.keywords)):
                yield from (node.id for node in within(value) if isinstance(node, ast.Name))


def _dotted(node: ast.expr) -> str:
    return ".".join(name.lstrip(".") for name in reversed(chain(node)))
