"""What a statement says, its bodies left out: the names in it, what it binds, what it calls.

A name is written as it is read: `task`, and with a dot in front where it is an attribute: `.task`. What holds of the
one says nothing of the other.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from panicguard.python.apis import ADDERS
from panicguard.python.slice.layout import DEFINITIONS, FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Set

_PASSED_THROUGH = frozenset(("setdefault", "get"))
_WORD = re.compile(r"\w+")
_NO_NODES = frozenset(
    "ctx op ops id attr arg name asname names module level kind type_comment conversion simple is_async rest kwd_attrs "
    "tag str".split()
)
"""Fields that hold no node, but where `_WITH_NODES` says so."""
_WITH_NODES = {
    "names": ("Import", "ImportFrom"),
    "name": ("TypeAlias",),
}
_WITHOUT_VALUE = ("Constant", "MatchSingleton")
_WITH_HOLES = frozenset((ast.Dict, ast.arguments))
"""Nodes with lists in which nothing may stand in the place of a node."""
_NAMED = frozenset(
    getattr(ast, name)
    for name in ("ExceptHandler", "MatchAs", "MatchStar", *(d.__name__ for d in DEFINITIONS))
    if hasattr(ast, name)
)
"""Nodes that bind their `name`."""

_OWN_BODY = frozenset((*DEFINITIONS, ast.Lambda))

WRAPPERS = frozenset(("partial", "staticmethod", "classmethod"))
"""Calls that are, for what is spawned, what they are given first."""
_ASKS = frozenset(("isinstance", "suppress"))
"""Calls with the name of an error among their arguments."""

_LEADING, _OWNER, _LATER = 1, 2, 4


class Facts:
    """What one walk over a statement finds."""

    __slots__ = (
        "assigns",
        "awaits",
        "binds",
        "called",
        "ends",
        "holders",
        "leading",
        "names",
        "spawned",
        "spawns_late",
        "yields",
    )

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.binds: set[str] = set()
        """What is assigned to, declared, or has something put into it."""
        self.holders: set[str] = set()
        """What those containers and attributes are reached through."""
        self.called: set[str] = set()
        """What is called, or has an attribute read."""
        self.leading: set[str] = set()
        """The names without those in the later arguments of calls: what these are is of no concern."""
        self.ends: set[str] = set()
        """The last names of dotted ones that may be spawned: not what only calls are given."""
        self.spawned: list[ast.AST] = []
        """The arguments of the calls that spawn."""
        self.spawns_late = False
        """Whether a lambda or a definition is in it, which reads its names later."""
        self.yields = False
        self.awaits = False
        self.assigns = False
        """Whether a value is given to a name in it: other than by a loop, a `with` or an import."""


class _Fields(dict[type[ast.AST], tuple[str, ...]]):
    """The fields of each kind of node that hold nodes, but for some."""

    def __init__(self, left_out: Set[str] = frozenset()) -> None:
        super().__init__()
        self._left_out = left_out

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        found = self[kind] = tuple(field for field in _fields(kind) if field not in self._left_out)
        return found


_ALL = _Fields()
_HEADERS = _Fields(frozenset(("body", "orelse", "finalbody", "handlers")))


def header(node: ast.AST) -> list[ast.AST]:
    """The nodes right under a statement, but for the statements in its bodies."""
    return children(node, _HEADERS)


def children(node: ast.AST, fields: _Fields = _ALL) -> list[ast.AST]:
    """All nodes right under a node."""
    found: list[ast.AST] = []
    kind = type(node)
    for field in fields[kind]:
        value = getattr(node, field, None)
        if type(value) is list:
            found += value
        elif value is not None:
            found.append(value)
    return [child for child in found if child is not None] if kind in _WITH_HOLES else found


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """The fields of a kind of node that hold nodes."""
    name = kind.__name__
    found = (f for f in kind._fields if f not in _NO_NODES or name in _WITH_NODES.get(f, ()))
    return () if name in _WITHOUT_VALUE else tuple(found)


def within(node: ast.AST | None) -> Iterator[ast.AST]:
    """A node and all under it."""
    stack = [] if node is None else [node]
    while stack:
        node = stack.pop()
        yield node
        stack += children(node)


def own(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """What runs when these run: all under them, but for nested definitions."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        yield node
        if type(node) not in _OWN_BODY:
            stack += children(node)


def last_name(node: ast.AST) -> str:
    """`.c` of `a.b.c`, the name of a name; empty for what is neither."""
    if type(node) is ast.Attribute:
        return f".{node.attr}"
    return node.id if type(node) is ast.Name else ""


def facts(nodes: Iterable[ast.AST], spawning: Set[ast.AST] = frozenset()) -> Facts:
    """What the nodes say, all under them included. Of the calls of `spawning` all arguments are leading ones."""
    found = Facts()
    names, binds, called, leading, ends = found.names, found.binds, found.called, found.leading, found.ends
    stack: list[tuple[ast.AST, int]] = [(node, _LEADING) for node in nodes]
    while stack:
        node, flags = stack.pop()
        kind = type(node)
        if kind is ast.Name:
            name = node.id  # type: ignore[attr-defined]
            names.add(name)
            if flags & _LEADING:
                leading.add(name)
            if type(node.ctx) is not ast.Load:  # type: ignore[attr-defined]
                binds.add(name)
            elif flags < _OWNER:
                ends.add(name)
        elif kind is ast.Attribute:
            value: ast.AST = node.value  # type: ignore[attr-defined]
            name = f".{node.attr}"  # type: ignore[attr-defined]
            names.add(name)
            if flags & _LEADING:
                leading.add(name)
            if type(node.ctx) is not ast.Load:  # type: ignore[attr-defined]
                binds.add(name)
                found.holders.update(_chain(value))
            elif flags < _OWNER:
                ends.add(name)
            called.add(last_name(value))
            stack.append((value, flags & ~_OWNER if name == ".remote" else flags | _OWNER))
        elif kind is ast.Call:
            _call(found, node, flags & ~_OWNER, spawning, stack)  # type: ignore[arg-type]
        elif kind is not ast.Constant:
            if kind in _OTHERS:
                _OTHERS[kind](found, node)
            flags &= ~_OWNER
            stack += [(child, flags) for child in children(node)]
    called.discard("")
    return found


def _call(found: Facts, node: ast.Call, flags: int, spawning: Set[ast.AST], stack: list[tuple[ast.AST, int]]) -> None:
    func = node.func
    name = last_name(func)
    found.called.add(name)
    first, later = flags | _LATER, (flags & ~_LEADING) | _LATER
    if func in spawning or (spawning and not spawning.isdisjoint(node.args)):
        first = later = _LEADING
        found.spawned += (*node.args, *node.keywords)
    elif name.lstrip(".") in WRAPPERS:
        first = flags
    elif name.lstrip(".") in _ASKS:
        later = first
    elif type(func) is ast.Attribute and func.attr in ADDERS:
        _put_into(found, func.value)
    elif name == "getattr" and len(node.args) > 1:
        asked = node.args[1]
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str):
            read = f".{asked.value}"
            found.names.add(read)
            found.ends.add(read)
            found.leading.add(read)
    stack.append((func, flags))
    for position, arg in enumerate(node.args):
        stack.append((arg, later if position else first))
    stack += [(keyword.value, later) for keyword in node.keywords]


def _put_into(found: Facts, container: ast.AST) -> None:
    """Something is put into a container: into `tasks` by `self.tasks[key].append(x)` and the like."""
    root = container
    while True:
        if type(root) is ast.Subscript:
            root = root.value
        elif type(root) is ast.Call and type(root.func) is ast.Attribute and root.func.attr in _PASSED_THROUGH:
            root = root.func.value
        else:
            break
    if name := last_name(root):
        found.binds.add(name)
        if type(root) is ast.Attribute:
            found.holders.update(_chain(root.value))


def _chain(node: ast.AST) -> Iterator[str]:
    """The names of a dotted one."""
    while name := last_name(node):
        yield name
        if type(node) is not ast.Attribute:
            return
        node = node.value


def chain(node: ast.AST) -> list[str]:
    """The names of a dotted one, from the last to the first."""
    return list(_chain(node))


def _subscript(found: Facts, node: ast.Subscript) -> None:
    if type(node.ctx) is not ast.Load:
        _put_into(found, node.value)


def _alias(found: Facts, node: ast.alias) -> None:
    found.binds.add(node.asname or node.name.partition(".")[0])
    found.names.add(node.asname or node.name.partition(".")[0])


def _names(found: Facts, node: ast.Global | ast.Nonlocal) -> None:
    found.binds.update(node.names)
    found.names.update(node.names)


def _name(found: Facts, node: ast.AST) -> None:
    name = node.name  # type: ignore[attr-defined]
    if name:
        found.binds.add(name)
        found.names.add(name)
    if isinstance(node, FUNCTIONS):
        found.spawns_late = True
        _annotation(found, node.returns)


def _rest(found: Facts, node: ast.AST) -> None:
    if rest := node.rest:  # type: ignore[attr-defined]
        found.binds.add(rest)


def _lambda(found: Facts, _: ast.AST) -> None:
    found.spawns_late = True


def _yield(found: Facts, _: ast.AST) -> None:
    found.yields = True


def _await(found: Facts, _: ast.AST) -> None:
    found.awaits = True


def _comprehension(found: Facts, node: ast.comprehension) -> None:
    found.awaits = found.awaits or bool(node.is_async)


def _arg(found: Facts, node: ast.arg) -> None:
    _annotation(found, node.annotation)


def _assigned(found: Facts, node: ast.AST) -> None:
    found.assigns = True
    _annotation(found, getattr(node, "annotation", None))


def _annotation(found: Facts, node: ast.AST | None) -> None:
    names = set(_in_text(node))
    found.names |= names
    found.leading |= names


def _in_text(annotation: ast.AST | None) -> Iterator[str]:
    """The names in the texts of an annotation, which may be written as one."""
    stack = [] if annotation is None else [annotation]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                yield from _WORD.findall(node.value)
        else:
            stack += children(node)


_OTHERS: dict[type[ast.AST], Callable[[Facts, Any], None]] = {
    ast.Subscript: _subscript,
    ast.alias: _alias,
    ast.Global: _names,
    ast.Nonlocal: _names,
    ast.Lambda: _lambda,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.Await: _await,
    ast.AsyncFor: _await,
    ast.AsyncWith: _await,
    ast.comprehension: _comprehension,
    ast.arg: _arg,
    ast.Assign: _assigned,
    ast.NamedExpr: _assigned,
    ast.AnnAssign: _assigned,
    **dict.fromkeys(_NAMED, _name),
    **({ast.MatchMapping: _rest} if hasattr(ast, "MatchMapping") else {}),
}
