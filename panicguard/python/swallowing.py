"""Whether a handler that ends a cancellation keeps it from whoever asked for it, or serves them: the task ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.afterwards import More, after
from panicguard.python.blocks import statements
from panicguard.python.callers import Runner, runners
from panicguard.python.cancellation import ends_with, is_in_loop
from panicguard.python.cst import cst
from panicguard.python.endings import only_sleeps
from panicguard.python.handlers import caught_types
from panicguard.python.loops import is_endless
from panicguard.python.naming import is_entry
from panicguard.python.outcomes import Exit
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Set

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler

_RAISES = frozenset((Exit.AGAIN, Exit.OTHER))


def replaces(ways: Set[Exit]) -> bool:
    """Whether a handler raises another error in place of the cancellation, whatever it does before."""
    return Exit.OTHER in ways and ways <= _RAISES


def is_lost(
    module: PythonFile, function: cst.FunctionDef, node: cst.Try | cst.TryStar, handler: Handler, ways: Set[Exit]
) -> bool:
    """Whether a cancellation that a handler leaves in one of these ways gets lost.

    It does where a loop goes on. Where the function ends, or has only a few things left to do, it is served if the
    function is a task of its own; but whoever awaits it goes on.
    """
    if ways <= _RAISES:
        return False
    more = after(module, node, handler, ways)
    if more is More.TURNS:
        return True
    if more is More.NOTHING and only_sleeps(node) and not ends_with(module, node):
        return False  # it is cancelled to do the rest at once
    if more is More.NOTHING and _tells(module, function, handler):
        return False
    known = runners(module.source.text, function.name.value)
    if known:
        return Runner.HELPED in known or (more is More.REST and Runner.LOOP not in known)
    return more is More.REST or _is_helper(module, function, node, handler)


def _tells(module: PythonFile, function: cst.FunctionDef, handler: Handler) -> bool:
    """Whether a handler sets a variable that is called as a cancellation, and that its function returns."""
    assigned = (node for node in module.tree.within(handler.body) if isinstance(node, cst.Assign))
    noted = {last_name(target.target) for node in assigned for target in node.targets}
    returned = (node.value for node in module.tree.own(function) if isinstance(node, cst.Return))
    return any("cancel" in name.lower() for name in noted.intersection(last_name(r) for r in returned if r is not None))


def _is_helper(module: PythonFile, function: cst.FunctionDef, node: cst.Try | cst.TryStar, handler: Handler) -> bool:
    """Whether a function of which nobody in its module says who runs it is likely to be awaited: it runs what it is
    given, or it is no method and not called as a task is. One that is decorated has whoever decorates it; nobody waits
    for the end of one that ends by a cancellation alone."""
    if function.decorators:
        return False
    runs_alone = is_entry(function.name.value)
    if _names_cancellation(module, handler) and _never_ends(module, node):
        return False
    if _runs_parameter(module, function, node) and not (runs_alone and is_in_loop(module, node)):
        return True
    if not _names_cancellation(module, handler):
        return True
    is_method = module.tree.enclosing(node, cst.ClassDef) is not None
    return not is_method and not runs_alone


def _runs_parameter(module: PythonFile, function: cst.FunctionDef, node: cst.Try | cst.TryStar) -> bool:
    """Whether a `try` awaits a parameter of its function, or what a call of one gives."""
    params = {p.name.value for p in (*function.params.params, *function.params.kwonly_params)} - {"self", "cls"}
    awaited = (n.expression for n in module.tree.own(node) if isinstance(n, cst.Await))
    run = (a.func if isinstance(a, cst.Call) else a for a in awaited)
    return any(isinstance(r, cst.Name) and r.value in params for r in run)


def _never_ends(module: PythonFile, node: cst.Try | cst.TryStar) -> bool:
    """Whether the body of a `try` ends with an endless loop that nothing leaves but an error."""
    *_, last = statements(node.body) or (None,)
    if not isinstance(last, (cst.While, cst.For)) or not is_endless(module, last):
        return False
    return not any(isinstance(inner, (cst.Break, cst.Return)) for inner in module.tree.own(last))


def _names_cancellation(module: PythonFile, handler: Handler) -> bool:
    """Whether a handler names the class of cancellations, so that its author thought of them."""
    return any(module.names.qualified(t) != "BaseException" for t in caught_types(handler))
