"""The loops of a module: which a node is in, whether one is endless, and what ends it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python.apis import START_APIS, SpawnKind
from panicguard.python.calls import may_make_daemons
from panicguard.python.cancellation import own_context
from panicguard.python.cst import cst
from panicguard.python.handlers import EVERY_ERROR
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libcst import CSTNode

    from panicguard.python.file import PythonFile

_ASKING = frozenset(
    "done cancelled cancelling is_set wait err check is_alive isInterruptionRequested is_shutdown".split()
)
"""Methods and attributes of a context, an event, a task or a thread that tell whether to stop."""
_READING = re.compile(r"get|accept|poll|select|next_message|(?:read|recv|receive)(?:_?\w+)?")
"""Methods that wait until there is something to read."""
_LEAVING = frozenset(("sys.exit", "os._exit", "os.kill", "os.abort", "exit", "quit", "next"))
"""Functions that may end a loop by raising or by ending the process."""


def loops(module: PythonFile, node: CSTNode) -> Iterator[CSTNode]:
    """The loops and comprehensions in whose bodies a node is, within its function, the innermost first."""
    loop = innermost_loop(module, node)
    while loop is not None:
        yield loop
        loop = innermost_loop(module, loop)


def innermost_loop(module: PythonFile, node: CSTNode) -> CSTNode | None:
    """The loop or comprehension in whose body the node is, within its function."""
    for above, child in module.tree.frames(node):
        if isinstance(above, (cst.For, cst.While)) and above.body is child:
            return above
        if isinstance(above, (cst.ListComp, cst.SetComp, cst.GeneratorExp)) and above.elt is child:
            return above
        if isinstance(above, cst.DictComp) and child in (above.key, above.value):
            return above
        if isinstance(above, (cst.FunctionDef, cst.Lambda, cst.ClassDef)):
            return None
    return None


def is_endless(module: PythonFile, loop: CSTNode) -> bool:
    """Whether a loop's head never ends it: `while True`, or a `for` over `itertools.count()`."""
    match loop:
        case cst.While(test=cst.Name(value="True") | cst.Integer(value="1")):
            return True
        case cst.For(iter=cst.Call(func=func)):
            return module.names.qualified(func) == "itertools.count"
    return False


def ends(module: PythonFile, loop: CSTNode) -> bool:
    """Whether something in a loop leaves it, waits cancellably, or checks whether to stop; or the loop ends by an
    exception that is named around it."""
    function = module.tree.function(loop)
    context = own_context(function) if function is not None else None
    return _ends_by_an_exception(module, loop) or any(
        _leaves_or_asks(module, node, context) for node in module.tree.own(loop)
    )


def _ends_by_an_exception(module: PythonFile, loop: CSTNode) -> bool:
    """Whether the nearest `try` around a loop catches a specific exception by which the loop may end, or any that comes
    when what the loop reads from is closed."""
    for above, child in module.tree.around(loop):
        if isinstance(above, cst.Try) and above.body is child:
            names = (module.names.qualified(h.type) for h in above.handlers if h.type is not None)
            return any(name not in EVERY_ERROR for name in names) or (bool(above.handlers) and is_fed(module, loop))
    return False


def is_fed(module: PythonFile, loop: CSTNode) -> bool:
    """Whether each turn of a loop waits for something to read: a message, a job of a queue, a connection."""
    return any(
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Attribute)
        and _READING.fullmatch(node.func.attr.value) is not None
        and not (node.args and node.func.attr.value == "get")
        for node in module.tree.own(loop)
    )


def may_run_as_daemon(module: PythonFile, function: CSTNode) -> bool:
    """Whether a spawned function may run in threads that end with the process: it is all that need stop them."""
    spawn = module.spawned[function]
    if spawn is None:
        definition = module.tree.enclosing(function, cst.ClassDef)
        return definition is not None and may_make_daemons(module.source.text, definition.name.value)
    return spawn.api in START_APIS or (
        spawn.kind is SpawnKind.THREAD
        and (
            any(map(_may_say_daemon, spawn.call.args))
            or any(use.kind is UseKind.METHOD and use.name in ("daemon", "setDaemon") for use in spawn.uses)
        )
    )


def _may_say_daemon(argument: cst.Arg) -> bool:
    if argument.star == "**":
        return True
    return argument.keyword is not None and argument.keyword.value == "daemon" and not _is_false(argument.value)


def _is_false(node: CSTNode) -> bool:
    return isinstance(node, cst.Name) and node.value == "False"


def _leaves_or_asks(module: PythonFile, node: CSTNode, context: str | None) -> bool:
    """Whether a node leaves the loop that it is in, waits cancellably, or checks whether to stop."""
    match node:
        case cst.Break() | cst.Return() | cst.Raise() | cst.Await() | cst.Yield():
            return True
        case cst.For(asynchronous=cst.Asynchronous()) | cst.With(asynchronous=cst.Asynchronous()):
            return True
        case cst.CompFor(asynchronous=cst.Asynchronous()):
            return True
        case cst.Attribute(attr=cst.Name(value=name)):
            return name in _ASKING
        case cst.Name(value=name):
            return name == context
        case cst.Call(func=func):
            return _may_leave(module, func)
    return False


def _may_leave(module: PythonFile, func: CSTNode) -> bool:
    """Whether a call may end the loop: it exits, or is a function of this module in which something raises or
    checks."""
    called = module.names.resolve(func)
    if isinstance(called, str):
        return called in _LEAVING
    return isinstance(called, cst.FunctionDef) and any(
        isinstance(node, cst.Raise)
        or (
            isinstance(node, cst.Attribute) and (node.attr.value in _ASKING or module.names.qualified(node) in _LEAVING)
        )
        for node in module.tree.own(called)
    )
