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

    from panicguard.python.slice.outline import Outline

T = TypeVar("T")
_EFFECT = "side_effect"


def _answer(text: str, question: Callable[[Outline], T]) -> T | None:
    """The answer to a question about a module; None where the running Python cannot parse it."""
    from panicguard.python.slice.whole import NotReadError, ask  # most runs ask nothing, and all would wait for it

    try:
        return ask(plain(text), question)
    except NotReadError:
        return None


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
    return _answer(text, lambda module: frozenset(_given(module, wanted))) or frozenset()


def _given(module: Outline, takers: Sequence[str]) -> Iterator[str]:
    """The names in what is given to calls of these functions."""
    for call in module.mentions_of([taker.rpartition(".")[2] for taker in takers]):
        if isinstance(call, ast.Call) and any(f".{_dotted(call.func)}".endswith(f".{taker}") for taker in takers):
            for value in (*call.args, *(keyword.value for keyword in call.keywords)):
                yield from (node.id for node in within(value) if isinstance(node, ast.Name))


def _dotted(node: ast.expr) -> str:
    return ".".join(name.lstrip(".") for name in reversed(chain(node)))
