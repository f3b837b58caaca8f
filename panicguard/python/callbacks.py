"""Done callbacks: whether one may look at the error of the handle that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.cst import cst
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.flow import Flow
    from panicguard.python.names import Names
    from panicguard.python.uses import Use

_FORGETTING = frozenset("discard remove pop".split())
"""Methods that take their argument out of a container."""
_ASKED = frozenset("cancel cancelled done get_name get_coro get_loop get_context remove_done_callback".split())
"""Methods of a handle that do not reveal an error."""
_WRITTEN = frozenset("print repr str format".split())
"""Functions that write what they are given: a handle with its error."""


def may_look(names: Names, flow: Flow, callback: CSTNode) -> bool:
    """Whether a done callback may look at the error of its handle: no, if all of it is known, and it does not."""
    bound = 0
    if isinstance(callback, cst.Call):
        if names.qualified(callback.func) != "functools.partial" or any(arg.star for arg in callback.args):
            return True
        bound = sum(arg.keyword is None for arg in callback.args) - 1
        callback = callback.args[0].value
    function = names.definition(callback)
    if function is None or isinstance(function, cst.ClassDef):
        return not forgets(callback)
    if isinstance(function, cst.FunctionDef) and function.decorators:
        return True
    is_method = isinstance(callback, cst.Attribute) and names.method_class(function) is not None
    param = _parameter(function.params, bound + is_method)
    return param is None or any(map(_looks, flow.uses(*flow.loads(param.name.value, function))))


def forgets(callback: CSTNode) -> bool:
    """Whether a callback is a method of a container that takes the handle out of it."""
    return isinstance(callback, cst.Attribute) and callback.attr.value in _FORGETTING


def _parameter(params: cst.Parameters, index: int) -> cst.Param | None:
    """The parameter that takes a positional argument."""
    positional = (*params.posonly_params, *params.params)
    if index < len(positional):
        return positional[index]
    return params.star_arg if isinstance(params.star_arg, cst.Param) else None


def _looks(use: Use) -> bool:
    match use.kind, use.node:
        case UseKind.TESTED, cst.Call(func=func):
            return last_name(func) in _WRITTEN
        case UseKind.TESTED, _:
            return False
        case UseKind.METHOD, _:
            return use.name not in _ASKED
        case UseKind.ARGUMENT, cst.Call(func=func):
            return not forgets(func)
    return True
