"""Whether a coroutine may end by an error, as far as its module says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python.cst import cst
from panicguard.python.failing import may_fail
from panicguard.python.scopes import BindingKind
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile

_SELF = frozenset(("self", "cls"))


def runs_into_error(module: PythonFile, coroutine: CSTNode) -> bool | None:
    """Whether what a coroutine runs may fail: a call, or a variable that holds one; None where that is of another
    module, or only declared here."""
    call = call_of(module, coroutine)
    if call is None:
        return None
    name = last_name(call.func)
    if name.startswith("wait"):
        return False  # it is called as if it did no more
    function = module.names.definition(call.func)
    if isinstance(function, cst.FunctionDef):
        row, _ = module.source.location(module.span(function)[0])
        return may_fail(module.source.text, function.name.value, row)
    if isinstance(call.func, cst.Name):
        return False if name in _SELF else may_fail(module.source.text, name)
    is_own = isinstance(call.func, cst.Attribute) and last_name(call.func.value) in _SELF
    return may_fail(module.source.text, name) if is_own else None


def call_of(module: PythonFile, coroutine: CSTNode) -> cst.Call | None:
    """The call that makes a coroutine: itself, or the one value of a variable."""
    call = _held_by(module, coroutine) if isinstance(coroutine, cst.Name) else coroutine
    return call if isinstance(call, cst.Call) else None


def _held_by(module: PythonFile, name: cst.Name) -> CSTNode | None:
    """The one value that a variable has."""
    _, bindings = module.names.lookup(name.value, module.names.scope(name))
    values = [b.value for b in bindings if b.kind is BindingKind.VALUE and isinstance(b.value, cst.CSTNode)]
    return values[0] if len(values) == len(bindings) == 1 else None
