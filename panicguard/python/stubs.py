"""Functions that are only declared: what they do is left to subclasses, or stands nowhere yet."""

from __future__ import annotations

from panicguard.python.blocks import statements
from panicguard.python.cst import cst
from panicguard.python.tree import last_name


def is_stub(function: cst.FunctionDef) -> bool:
    """Whether a function is only declared: what it does stands elsewhere, in a subclass or nowhere yet."""
    body = statements(function.body)
    return len(body) <= 1 and all(
        isinstance(s, (cst.Pass, cst.Raise)) or (isinstance(s, cst.Expr) and isinstance(s.value, cst.Ellipsis))
        for s in body
    )


def is_abstract(method: cst.FunctionDef) -> bool:
    """Whether what a method does is left to subclasses: it says so, or raises NotImplementedError."""
    match statements(method.body):
        case [cst.Raise(exc=cst.Call(func=raised) | (cst.Name() as raised))]:
            return last_name(raised) == "NotImplementedError"
    return any(last_name(decorator.decorator) == "abstractmethod" for decorator in method.decorators)
