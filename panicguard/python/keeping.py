"""Whether a function lets an error out, as far as its own text says: what may raise stands in a `try` or does not."""

from __future__ import annotations

import ast
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from panicguard.python.bodies import catches, reports
from panicguard.python.harmless import ENDING, HARMLESS_FUNCTIONS, is_harmless_method
from panicguard.python.slice.facts import last_name, own
from panicguard.python.slice.layout import FUNCTIONS, TRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PASSED_OVER = (*FUNCTIONS, ast.Import, ast.ImportFrom, ast.Pass, ast.Global, ast.Nonlocal)


class Kept(enum.Enum):
    """What becomes of the errors in a function."""

    OUT = "they may leave it"
    EXPECTED = "those to be expected end in it"
    KEPT = "they end in it"
    TOLD = "they are logged, or handed on to something"


def errors(function: Any, named: Callable[[str], Any]) -> Kept:
    """What becomes of the errors in the tree of a function; `named` finds those that it calls: by their names, methods
    of its own object with a dot in front."""
    tries = [node for node in own(function.body) if isinstance(node, TRIES)]
    catching = [h for node in tries for h in node.handlers if catches(h.type)]  # type: ignore[attr-defined]
    calls = (last_name(node.func).lstrip(".") for node in own(function.body) if isinstance(node, ast.Call))
    if not (catching or any(name not in ENDING for name in calls)) or not _Safe(named).are(function.body):
        return Kept.OUT
    return Kept.TOLD if catching and all(map(reports, catching)) else Kept.KEPT


@dataclass(frozen=True)
class _Safe:
    """What lets no error out; the functions that are called are followed for a `depth`."""

    named: Callable[[str], Any]
    depth: int = 3

    def are(self, body: Iterable[ast.AST]) -> bool:
        return all(map(self._is, body))

    def _is(self, node: Any) -> bool:
        """Whether a statement lets no error out."""
        if isinstance(node, TRIES):
            handlers = node.handlers  # type: ignore[attr-defined]
            is_guard = any(catches(handler.type) for handler in handlers) and all(map(_keeps, handlers))
            return is_guard and self.are(node.orelse)  # type: ignore[attr-defined]
        if isinstance(node, (ast.If, ast.While)):
            return self._asks(node.test) and self.are((*node.body, *node.orelse))
        if isinstance(node, (ast.With, ast.AsyncWith)):
            return all(self._raises_nothing(item.context_expr) for item in node.items) and self.are(node.body)
        if isinstance(node, ast.For):
            return self._raises_nothing(node.iter) and self.are((*node.body, *node.orelse))
        if isinstance(node, (ast.Raise, ast.Assert, ast.AsyncFor, ast.ClassDef)):
            return False
        return isinstance(node, _PASSED_OVER) or self._raises_nothing(node)

    def _asks(self, test: ast.AST) -> bool:
        """Whether a test raises nothing: a call in it without arguments asks for a state."""
        nodes = list(own((test,)))
        return not any(isinstance(node, ast.Await) for node in nodes) and all(
            not node.args or self._is_harmless(node) for node in nodes if isinstance(node, ast.Call)
        )

    def _raises_nothing(self, node: ast.AST) -> bool:
        """Whether an expression or a small statement awaits and calls nothing that may raise."""
        return all(
            self._is_harmless(inner) if isinstance(inner, ast.Call) else _is_of_call(inner) for inner in own((node,))
        )

    def _is_harmless(self, call: ast.Call) -> bool:
        """Whether a call does not raise: by what it is of, or else by its name."""
        name, owner = last_name(call.func), ""
        if isinstance(call.func, ast.Attribute):
            owner = last_name(call.func.value).lstrip(".")
        function = self.named(name) if not owner or owner in ("self", "cls") else None
        if function is not None:
            return self.depth > 0 and _Safe(self.named, self.depth - 1).are(function.body)
        if owner:
            return is_harmless_method(name[1:], owner)
        return name in HARMLESS_FUNCTIONS


def _is_of_call(node: ast.AST) -> bool:
    """Whether a node awaits, if it does, what a call returns."""
    return not isinstance(node, ast.Await) or isinstance(node.value, ast.Call)


def _keeps(handler: ast.ExceptHandler) -> bool:
    """Whether a handler raises nothing that it has not reported."""
    return reports(handler) or not any(isinstance(node, ast.Raise) for node in own(handler.body))
