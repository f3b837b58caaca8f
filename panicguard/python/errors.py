"""What is known of an error that is a cancellation: what tests of it come to, and whether a `raise` passes it on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.python import apis, naming
from panicguard.python.cst import cst
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler

_CANCELLED_CLASS = "get_cancelled_exc_class"
"""Returns the class of anyio's cancellations."""
_ENDS_ALL = frozenset(("KeyboardInterrupt", "SystemExit", "GeneratorExit", "AssertionError"))
"""Errors that end the program, or the generator, as a cancellation would; and what says that it is never raised."""
_CLASS = re.compile(r"_*[A-Z]\w*[a-z]\w*$")
_NEGATED = frozenset(("IsNot", "NotEqual", "NotIn"))
_IDENTITY = _NEGATED | {"Is", "Equal", "In"}


@dataclass(frozen=True)
class Caught:
    """The error that a handler has caught, under the names that it has there."""

    names: frozenset[str]
    otherwise: bool | None = None
    """What questions of it come to of which nobody knows the answer."""

    def is_it(self, node: CSTNode) -> bool:
        return isinstance(node, cst.Name) and node.value in self.names


def caught(handler: Handler, *, otherwise: bool | None = None) -> Caught:
    """The error of a handler."""
    name = None if handler.name is None else handler.name.name
    return Caught(frozenset((name.value,)) if isinstance(name, cst.Name) else frozenset(), otherwise)


def gives_cancelled_class(module: PythonFile, function: CSTNode) -> bool:
    """Whether a function is anyio's that returns the class of cancellations, from wherever it is imported."""
    return (module.names.qualified(function) or last_name(function)).rpartition(".")[2] == _CANCELLED_CLASS


def truth(module: PythonFile, test: CSTNode, error: Caught) -> bool | None:
    """What a test comes to where the error is a cancellation; None where that is not known."""
    match test:
        case cst.UnaryOperation(operator=cst.Not(), expression=inner):
            holds = truth(module, inner, error)
            return None if holds is None else not holds
        case cst.BooleanOperation(left=left, operator=operator, right=right):
            both = truth(module, left, error), truth(module, right, error)
            decisive = isinstance(operator, cst.Or)
            return decisive if decisive in both else None if None in both else not decisive
    holds = _answer(module, test, error)
    if holds is None and any(error.is_it(node) for node in module.tree.within(test)):
        return error.otherwise
    return holds


def _answer(module: PythonFile, test: CSTNode, error: Caught) -> bool | None:
    """What a question of the error comes to where its answer is known."""
    match test:
        case cst.Call(func=func, args=[cst.Arg(value=asked), cst.Arg(value=classes)]):
            name = last_name(func)
            is_asked = (name == "isinstance" and error.is_it(asked)) or (
                name == "issubclass" and _is_type(asked, error)
            )
            return is_kind(module, classes) if is_asked else None
        case cst.Comparison(left=left, comparisons=[cst.ComparisonTarget(operator=operator, comparator=classes)]):
            compared = type(operator).__name__
            if _is_type(left, error) and compared in _IDENTITY:
                holds = is_kind(module, classes, exactly=True)
                return None if holds is None else holds is not (compared in _NEGATED)
    return None


def is_kind(module: PythonFile, classes: CSTNode, *, exactly: bool = False) -> bool | None:
    """Whether a cancellation is of one of the classes that an expression names; None if that is not known."""
    match classes:
        case cst.Tuple(elements=elements) | cst.List(elements=elements) | cst.Set(elements=elements):
            kinds = [is_kind(module, element.value, exactly=exactly) for element in elements]
        case cst.BinaryOperation(left=left, operator=cst.BitOr(), right=right):
            kinds = [is_kind(module, side, exactly=exactly) for side in (left, right)]
        case cst.Call(func=func):
            return gives_cancelled_class(module, func) or None
        case _:
            name = module.names.qualified(classes)
            if name in apis.CANCELLED:
                return True
            if name == "BaseException":
                return not exactly
            return False if _CLASS.match(last_name(classes)) else None
    return True if True in kinds else None if None in kinds else False


def is_again(module: PythonFile, statement: cst.Raise, error: Caught) -> bool:
    """Whether a `raise` may pass the cancellation on: it raises it, one of the project's own, what ends the program, or
    what nobody knows."""
    raised = statement.exc
    if isinstance(raised, cst.Call):
        if any(error.is_it(node) or _is_type(node, error) for node in module.tree.within(raised.func)):
            return True
        name = last_name(raised.func)
        if gives_cancelled_class(module, raised.func) or not _CLASS.match(name):
            return True
        raised = raised.func
    if raised is None or not _CLASS.match(last_name(raised)):
        return True
    name = module.names.qualified(raised) or last_name(raised)
    return name in apis.CANCELLED or name in _ENDS_ALL or naming.is_cancellation(name.rpartition(".")[2])


def _is_type(node: CSTNode, error: Caught) -> bool:
    """Whether an expression is the class of the error: `type(error)`, `error.__class__`."""
    match node:
        case cst.Call(func=cst.Name(value="type"), args=[cst.Arg(value=value)]):
            return error.is_it(value)
        case cst.Attribute(value=value, attr=cst.Name(value="__class__")):
            return error.is_it(value)
    return False
