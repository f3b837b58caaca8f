"""Whether a function provides for the errors that are to be expected in it, where nothing proves that it lets none out.

It does if what it does stands under handlers and the rest is no more than calls of its own objects; or if it calls
nothing that fails in practice. All of this is said by names: what reads, runs or sends may fail, a counter may not.
"""

from __future__ import annotations

import ast
import builtins
import enum
import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.python import harmless, naming
from panicguard.python.bodies import (
    EVERYTHING,
    STOPPING,
    catches,
    classes,
    error_name,
    functions_in,
    is_declared,
    reports,
)
from panicguard.python.harmless import by_one_name, is_caught
from panicguard.python.imported import imports
from panicguard.python.slice.facts import chain, last_name, own, within
from panicguard.python.slice.layout import DEFINITIONS, TRIES
from panicguard.settings import last_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

_SYSTEM = frozenset("OSError IOError EnvironmentError ConnectionError error".split())
"""Errors of files, sockets and processes: who catches them has thought of what is to be expected."""
_OF_LIBRARY = re.compile(r"(?:Error|Exception|Timeout|_errors|_exceptions)$")
_PASSING_BY = frozenset("CancelledError TimeoutError QueueEmpty QueueFull Empty Full JSONDecodeError".split())
"""Errors of which a handler says nothing of others."""
_MAY_FAIL = re.compile(
    r"_*(?:a|async_?|do_|on_|try_|un|re)?(?:read|write|send|recv|receive|open|connect|load|save|dump|fetch|request|exec|"
    r"query|commit|publish|post|download|upload|run|call|handle|process|dispatch|parse|decode|import|render|deliver|"
    r"emit|fire|invoke|apply|serve|start|listen|select|bind|sync|refresh|subscribe|login|push|pull|poll|perform|submit|"
    r"launch|install|work|step|consume|forward|analy|scan|search|transfer|copy_|move|mk|list|stat|glob|create|delete|"
    r"insert|spawn|iter|next|check_|loop|main|capture|get_records|Popen)"
)
"""How functions are called that do something outside of the program, or that somebody else has written."""
_OUTSIDE = frozenset(
    "os subprocess socket shutil requests urllib json pickle ssl select httpx aiohttp pathlib tempfile".split()
)
"""Modules of which most functions fail for what is outside of the program."""
_NOT_FAILING = frozenset(
    "pid_exists callLater after after_idle remove Timer Thread Event Lock RLock Condition Path".split()
)
_PARSES = re.compile(r"_*(?:loads?|parse|decode|unpack|strptime|int|float)(?:_|$)", re.IGNORECASE)
"""Functions that fail for what is in the data, not for how it came."""
_OF_CLIENT = re.compile(r"session|client|http|api|request", re.IGNORECASE)
"""What an object is called of which `get` and `put` are requests."""
_CLOSES = re.compile(r"_*(?:a?close|wait_closed|disconnect|terminate|kill|dispose|release)$")
_WAITS = re.compile(r"_*(?:wait|sleep)|_wait")
_RECEIVERS = ("self", "cls")
_DEPTH = 3
"""How far calls are followed."""


class _Left(enum.Flag):
    """What a function does, as to errors."""

    NOTHING = 0
    HANDLED = enum.auto()
    """It works under a handler for what is to be expected."""
    HANDLED_ALL = enum.auto()
    """It works under a handler for every error."""
    PLAIN = enum.auto()
    """Something is called outside of handlers that is not called as if it failed."""
    OPEN = enum.auto()
    """Something is called there that may be anything."""
    RISKY = enum.auto()
    """Something is done there that is known to fail: it raises, awaits, or asks the system."""


def provides(function: Any, root: ast.AST, text: str, named: Callable[[str], Sequence[Any]]) -> bool:
    """Whether a function of a text provides for the errors to be expected. `root` is the outermost function around it,
    and `named` finds other functions of the module: by their names, methods of its own object with a dot in front."""
    left = _Practice(_outside_of(text), named).of(function, root, _DEPTH, ())
    if _Left.RISKY in left:
        return False
    if _Left.OPEN in left:
        return _Left.HANDLED_ALL in left
    return _Left.HANDLED in left or _Left.PLAIN not in left


class _Call(NamedTuple):
    """A call outside of handlers."""

    call: ast.Call
    is_awaited: bool


@functools.lru_cache(maxsize=4)
def _outside_of(text: str) -> Mapping[str, str]:
    """What the imports of a text take from the modules that do something outside of the program, by its name there."""
    return {local: of for local, of in imports(text) if of.partition(".")[0] in _OUTSIDE}


@dataclass(frozen=True)
class _Practice:
    outside: Mapping[str, str]
    named: Callable[[str], Sequence[Any]]

    def of(self, function: Any, root: ast.AST, depth: int, above: tuple[Any, ...]) -> _Left:
        """What a function does; `above` are those that call it."""
        if function in above:
            return _Left.NOTHING
        if depth < 0:
            return _Left.PLAIN
        if is_declared(function):
            return _Left.RISKY  # others say what it does
        found = _Left.NOTHING
        for what in _outside(function.body, frozenset()):
            at = (root, depth, (*above, function))
            found |= what if isinstance(what, _Left) else self._called(what.call, what.is_awaited, *at)
        return found

    def _called(self, call: ast.Call, is_awaited: bool, root: ast.AST, depth: int, above: tuple[Any, ...]) -> _Left:
        """What a call does outside of handlers."""
        name, owner = last_name(call.func).lstrip("."), _owner(call)
        is_method = isinstance(call.func, ast.Attribute)
        found = _Left.NOTHING
        functions = list(self._functions(name, root, is_method)) if not is_method or owner in _RECEIVERS else []
        for at, function in functions:
            if is_awaited or isinstance(function, (ast.FunctionDef, ast.Module)):
                found |= self.of(function, at, depth - 1, above)
        if functions or name in harmless.LOGGING:
            return found
        of = [part.lstrip(".") for part in chain(call.func)]
        if of and of[-1] in self.outside and "path" not in of:
            its = name if is_method else last_part(self.outside[name])
            return _Left.NOTHING if its == "getppid" or its in harmless.HARMLESS else _Left.RISKY
        if name in harmless.QUEUED and is_method and not _OF_CLIENT.search(owner):
            return _queued(call, name)
        if is_awaited:
            return _awaited(name)
        if _is_harmless(name, owner, is_method):
            return _Left.NOTHING
        if name.lstrip("_")[:1].isupper():
            return _Left.NOTHING if _OF_LIBRARY.search(name) else _Left.PLAIN
        if not is_method and hasattr(builtins, name):
            return _Left.RISKY if name == "open" else _Left.NOTHING
        is_handed = not is_method and name in _bound(root)
        may_fail = is_handed or name in harmless.QUEUED or _MAY_FAIL.match(name)
        return _Left.OPEN if may_fail else _Left.PLAIN

    def _functions(self, name: str, root: ast.AST, is_method: bool) -> Iterator[tuple[ast.AST, Any]]:
        """The functions that a call may be of, each with the outermost one around it."""
        nested = [] if is_method else [f for f in functions_in(root, name) if f is not root]
        yield from ((root, function) for function in nested)
        if not nested:
            yield from ((function, function) for function in self.named(f".{name}" if is_method else name))


def _outside(body: Iterable[ast.stmt], caught: frozenset[str]) -> Iterator[_Call | _Left]:
    """The calls outside of handlers, without those that raise only what is caught, and what else there is."""
    for node in body:
        if isinstance(node, TRIES):
            yield from _tried(node, caught)
        elif isinstance(node, ast.Raise):
            if node.exc is None or error_name(node.exc) not in STOPPING:
                yield _Left.RISKY
        elif isinstance(node, ast.AsyncFor) or (isinstance(node, ast.Assert) and _compares(node.test)):
            yield _Left.RISKY
        elif isinstance(node, (ast.With, ast.AsyncWith)) and (how := _suppressed(node)):
            yield how
        elif not isinstance(node, (*DEFINITIONS, ast.Import, ast.ImportFrom)):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, (ast.stmt, ast.match_case)):
                    yield from _outside((child,) if isinstance(child, ast.stmt) else child.body, caught)
                else:
                    yield from _calls(child, caught)


def _tried(node: Any, caught: frozenset[str]) -> Iterator[_Call | _Left]:
    guards = [handler for handler in node.handlers if catches(handler.type, _is_expected)]
    inside = [inner for statement in node.body for inner in within(statement) if isinstance(inner, ast.Call)]
    if not guards:
        names = {by_one_name(error_name(kind)) for handler in node.handlers for kind in classes(handler.type) if kind}
        yield from _outside(node.body, caught | names)
    elif any(catches(handler.type) for handler in guards):
        yield _Left.HANDLED | _Left.HANDLED_ALL if inside else _Left.NOTHING
    else:
        is_system = not any(catches(handler.type, lambda error: error not in _SYSTEM) for handler in guards)
        parses = is_system and any(_PARSES.match(last_name(call.func).lstrip(".")) for call in inside)
        yield _Left.HANDLED | (_Left.OPEN if parses else _Left.NOTHING) if inside else _Left.NOTHING
    for handler in node.handlers:
        is_stop = handler.type is not None and not catches(handler.type, lambda error: error not in STOPPING)
        raises = any(isinstance(inner, ast.Raise) for inner in own(handler.body))
        if raises and not is_stop and not reports(handler):
            yield _Left.RISKY
    yield from _outside(node.orelse, caught)


def _calls(node: ast.AST, caught: frozenset[str]) -> Iterator[_Call | _Left]:
    """The calls that run with an expression; what is handed to an event loop or a group is judged by itself."""
    stack = [(node, False)]
    while stack:
        inner, is_awaited = stack.pop()
        if isinstance(inner, ast.Await):
            stack.append((inner.value, True))
        elif isinstance(inner, ast.Call):
            name = last_name(inner.func).lstrip(".")
            given = [arg.value if isinstance(arg, ast.Starred) else arg for arg in inner.args]
            stack += [(keyword.value, False) for keyword in inner.keywords]
            stack += [(inner.func, False)] if isinstance(inner.func, ast.Attribute) else []
            if name in harmless.HANDING or (name in harmless.SPAWNING_METHODS and harmless.is_group(_owner(inner))):
                continue
            is_run = name in harmless.RUNNING and bool(given) and isinstance(given[0], ast.Call)
            if is_run or name in harmless.PASSING:
                if not any(keyword.arg == "return_exceptions" for keyword in inner.keywords):
                    stack += [(arg, not isinstance(arg, ast.Constant)) for arg in given]
                continue
            stack += [(arg, False) for arg in given]
            if not is_caught(harmless.RAISES.get(name, ()), caught):
                yield _Call(inner, is_awaited)
        elif is_awaited:
            yield _Left.RISKY  # a future, or several things
        elif not isinstance(inner, ast.Lambda):
            if isinstance(inner, ast.BinOp) and _divides(inner):
                yield _Left.PLAIN
            stack += [(child, False) for child in ast.iter_child_nodes(inner)]


def _compares(test: ast.expr) -> bool:
    """Whether an `assert` says more than that something is there."""
    return isinstance(test, ast.Compare) and not any(isinstance(op, (ast.Is, ast.IsNot)) for op in test.ops)


def _divides(node: ast.BinOp) -> bool:
    return isinstance(node.op, (ast.Div, ast.FloorDiv)) and not isinstance(node.right, ast.Constant)


def _awaited(name: str) -> _Left:
    """What an `await` of a call of another module does."""
    if _WAITS.search(name) or name in harmless.HARMLESS:
        return _Left.NOTHING
    if _CLOSES.match(name):
        return _Left.NOTHING
    return _Left.PLAIN if naming.is_cleanup(name) and "flush" not in name else _Left.RISKY


def _queued(call: ast.Call, name: str) -> _Left:
    """What a method of a queue does: one that does not wait for as long as it takes raises that it was in vain."""
    if name == "get_nowait" or any(keyword.arg in ("timeout", "block") for keyword in call.keywords):
        return _Left.RISKY
    return _Left.PLAIN if name == "put_nowait" else _Left.NOTHING


def _is_harmless(name: str, owner: str, is_method: bool) -> bool:
    """Whether a call does not fail in practice."""
    if name in _NOT_FAILING or (is_method and name.startswith("open") and "browser" in owner):
        return True
    if not is_method:
        return name in harmless.HARMLESS_FUNCTIONS or naming.is_cleanup(name)
    if name in ("write", "flush"):
        return owner in ("stdout", "stderr")
    return name in harmless.TAKING or naming.is_cleanup(name) or harmless.is_harmless_method(name, owner)


def _owner(call: ast.Call) -> str:
    if not isinstance(call.func, ast.Attribute):
        return ""
    value = call.func.value
    return last_name(value.func if isinstance(value, ast.Call) else value).lstrip(".")


def _bound(root: ast.AST) -> set[str]:
    """The parameters and variables of a function and of those in it."""
    nodes = list(within(root))
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return stored | {n.arg for n in nodes if isinstance(n, ast.arg)}


def _is_expected(error: str) -> bool:
    """Whether who catches an error has thought of what is to be expected: all errors, the system's, a library's."""
    is_own = error not in _PASSING_BY and not hasattr(builtins, error)
    return error in EVERYTHING or error in _SYSTEM or (is_own and _OF_LIBRARY.search(error) is not None)


def _suppressed(node: ast.With | ast.AsyncWith) -> _Left:
    """What a `with` does, as to errors: one that is called as if it kept them in does so."""
    found = _Left.NOTHING
    for item in node.items:
        if isinstance(item.context_expr, ast.Call):
            name, kinds = last_name(item.context_expr.func).lstrip("."), item.context_expr.args
            if name != "suppress" and harmless.is_suppressing(name):
                found |= _Left.HANDLED | _Left.HANDLED_ALL
            if name == "suppress" and any(catches(kind, _is_expected) for kind in kinds):
                found |= _Left.HANDLED
    return found
