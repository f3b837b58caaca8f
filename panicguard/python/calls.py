"""What a whole text calls: a rule sees a slice of a module, in which calls may be missing."""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING, TypeVar

from panicguard.python.plain import plain
from panicguard.python.slice.facts import chain, last_name, within
from panicguard.python.slice.parse import parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from panicguard.python.slice.outline import Block, Outline

T = TypeVar("T")
_RUNNERS = frozenset((".run", "run", ".run_until_complete"))
_QUEUES = frozenset(("Queue", "LifoQueue", "PriorityQueue", "SimpleQueue"))
_CANCELLED = "CancelledError"
_EFFECT = "side_effect"


def is_awaited_or_run(text: str, name: str) -> bool:
    """Whether a call of a function or method of this name is awaited, or is what an event loop is run for; of a text
    that the running Python cannot parse, whether there may be a call at all."""
    known = answer(text, lambda module: name in _awaited(module, name))
    return len(re.findall(rf"\b{name}\s*\(", text)) > 1 if known is None else known  # one is its definition


def answer(text: str, question: Callable[[Outline], T]) -> T | None:
    """The answer to a question about a module; None where the running Python cannot parse it."""
    from panicguard.python.slice.whole import NotReadError, ask  # most runs ask nothing, and all would wait for it

    try:
        return ask(plain(text), question)
    except NotReadError:
        return None


def _awaited(module: Outline, name: str) -> Iterator[str]:
    """The names of the calls that are awaited or run, where a name is mentioned."""
    for node in module.mentions_of((name,)):
        values: list[ast.expr] = []
        if isinstance(node, ast.Await):
            values = [node.value]
        elif isinstance(node, ast.Call) and last_name(node.func) in _RUNNERS:
            values = node.args
        yield from (last_name(value.func).lstrip(".") for value in values if isinstance(value, ast.Call))


def makes_daemons(text: str, name: str) -> bool:
    """Whether the methods of a class of this name say that what it makes are daemons, or that is said of it where it is
    made."""
    if "aemon" not in text:
        return False
    return bool(answer(text, lambda module: any(_says_daemon(block, name) for block in module.blocks)))


def _says_daemon(block: Block, name: str) -> bool:
    is_in_class = any(owner.name == name for owner in block.owners)
    for node in (node for unit in block.units for node in unit.nodes):
        for inner in within(node):
            match inner:
                case ast.keyword(arg="daemon", value=ast.Constant(value=True)) if is_in_class:
                    return True
                case ast.Assign(targets=[target], value=ast.Constant(value=True)) if is_in_class:
                    if last_name(target).lstrip(".") == "daemon":
                        return True
                case ast.Call(func=func, keywords=keywords) if last_name(func).lstrip(".") == name:
                    if any(k.arg == "daemon" for k in keywords):
                        return True
                case ast.Call(func=ast.Attribute(attr="setDaemon")) if is_in_class:
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
def mocks_cancellation(text: str) -> bool:
    """Whether a mock in a text raises a cancellation: `side_effect=CancelledError`, or a list with one."""
    if _EFFECT not in text or _CANCELLED not in text:
        return False
    tree = parsed(plain(text))
    effects = () if tree is None else _effects(tree)
    return any(last_name(node).lstrip(".") == _CANCELLED for effect in effects for node in within(effect))


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
