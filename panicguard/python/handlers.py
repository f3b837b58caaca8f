"""What handlers, and `suppress`, do with the errors they catch, and what runs while one is being handled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias, Union

from panicguard.diagnostic import Edit
from panicguard.python import naming
from panicguard.python.blocks import always_raises, leaves, statements
from panicguard.python.cst import cst
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile

Handler: TypeAlias = Union["cst.ExceptHandler", "cst.ExceptStarHandler"]

_CLOSING = re.compile(r"(?:[\s,]*\))*")
"""The brackets around the classes that a handler names, which are no part of their node."""
EVERY_ERROR = frozenset(("Exception", "BaseException"))
"""The classes that catch every error a program is expected to handle."""
_WAITS = frozenset(("wait_for", "shield"))
"""Calls that only wait for what they are given."""
_IDLE_CALLS = frozenset(("print", "time.sleep", "asyncio.sleep", "trio.sleep", "anyio.sleep"))
_RAISING = re.compile(r"_*(?:re_?)?raise", re.IGNORECASE)
"""Prefixes of the names of functions that always raise."""
_EXITS = frozenset(("sys.exit", "os._exit", "os.abort"))
_NEVER = frozenset(("NoReturn", "Never"))
_HELPER_NAME = re.compile(r"exc|err|raise|traceback|tb(?![a-z])|panic|fail|crash|log|report|handle|hook", re.IGNORECASE)
"""The names of functions that are meant to be called by handlers."""
_EXIT_METHODS = frozenset(("__exit__", "__aexit__"))


def caught_types(handler: Handler) -> tuple[CSTNode, ...]:
    """The expressions of the classes a handler names; () for a bare `except:`."""
    named = handler.type
    if named is None:
        return ()
    return tuple(e.value for e in named.elements) if isinstance(named, cst.Tuple) else (named,)


def catches_all(module: PythonFile, handler: Handler) -> bool:
    """Whether a handler catches every Exception: bare, Exception or BaseException, alone or in a tuple."""
    types = caught_types(handler)
    return not types or any(module.names.qualified(t) in EVERY_ERROR for t in types)


def suppressed_types(module: PythonFile, context: CSTNode) -> tuple[CSTNode, ...]:
    """The expressions of the classes that `contextlib.suppress(...)` names; () for any other expression."""
    if not isinstance(context, cst.Call) or module.names.qualified(context.func) != "contextlib.suppress":
        return ()
    return tuple(arg.value for arg in context.args)


def suppresses_all(module: PythonFile, context: CSTNode) -> bool:
    """Whether the expression of a `with` item is a `suppress` of every Exception."""
    return any(module.names.qualified(t) in EVERY_ERROR for t in suppressed_types(module, context))


def swallows_all(module: PythonFile, handler: Handler) -> bool:
    """Whether a handler catches every Exception and does nothing with it."""
    return catches_all(module, handler) and all(ignores_error(module, s) for s in statements(handler.body))


def is_idle(statement: CSTNode) -> bool:
    """Whether a statement does nothing at all: pass, continue, break, a constant, or the return of one."""
    match statement:
        case cst.Pass() | cst.Continue() | cst.Break():
            return True
        case cst.Return(value=value):
            return value is None or is_constant(value)
        case cst.Expr(value=value):
            return is_constant(value)
    return False


def ignores_error(module: PythonFile, statement: CSTNode) -> bool:
    """Whether a statement does nothing with the error being handled; waiting, and printing something else, count as
    nothing. A call of one of the `reporters` of the settings does something."""
    if is_idle(statement):
        return True
    value = statement.value if isinstance(statement, cst.Expr) else None
    if isinstance(value, cst.Await):
        value = value.expression
    name = module.names.qualified(value.func) if isinstance(value, cst.Call) else None
    if not isinstance(value, cst.Call) or name not in _IDLE_CALLS or name in module.settings.reporters:
        return False
    return all(isinstance(arg.value, (cst.SimpleString, cst.Integer, cst.Float)) for arg in value.args)


def is_constant(node: CSTNode) -> bool:
    """A literal, a name like None or True, or an empty or constant display."""
    match node:
        case cst.SimpleString() | cst.Integer() | cst.Float() | cst.Ellipsis():
            return True
        case cst.Name(value="None" | "True" | "False"):
            return True
        case cst.UnaryOperation(expression=value):
            return is_constant(value)
        case cst.Tuple(elements=elements) | cst.List(elements=elements) | cst.Dict(elements=elements):
            return all(is_constant(e.value) for e in elements)
    return False


def is_cleanup(module: PythonFile, block: CSTNode) -> bool:
    """Whether a block only closes, cancels or removes something, or waits for something that this module cancels."""
    done = statements(block)
    return bool(done) and all(_is_cleanup(module, statement) for statement in done)


def _is_cleanup(module: PythonFile, statement: CSTNode) -> bool:
    if isinstance(statement, cst.With) or (isinstance(statement, cst.If) and statement.orelse is None):
        return is_cleanup(module, statement.body)
    if isinstance(statement, cst.Assign):
        return is_constant(statement.value)
    value = statement.value if isinstance(statement, cst.Expr) else None
    if isinstance(value, cst.Await):
        value = value.expression
        if last_name(value) in module.cancelled:
            return True
    if isinstance(value, cst.Call) and last_name(value.func) in _WAITS and value.args:
        value = value.args[0].value
    return isinstance(value, cst.Call) and naming.is_cleanup(last_name(value.func))


def never_returns(module: PythonFile, call: cst.Call) -> bool:
    """Whether a call always raises, or ends the program: by its name, as annotated, or because its function is a
    local one that does."""
    if module.names.qualified(call.func) in _EXITS or _RAISING.match(last_name(call.func)) or _is_exit(call.func):
        return True
    function = module.names.definition(call.func)
    if not isinstance(function, cst.FunctionDef):
        return False
    if module.tree.function(function) is not None and always_raises(statements(function.body)):
        return True
    if function.returns is None:
        return False
    name = module.names.qualified(function.returns.annotation) or ""
    return name.rpartition(".")[2] in _NEVER


def _is_exit(function: CSTNode) -> bool:
    return isinstance(function, cst.Name) and function.value in ("exit", "quit")


def is_on_the_way_out(module: PythonFile, node: CSTNode) -> bool:
    """Whether another error is re-raised after the node: it stands in the handler that does so."""
    return any(
        isinstance(above, cst.ExceptHandler) and always_raises(statements(above.body))
        for above, _ in module.tree.around(node)
    )


def is_handling(module: PythonFile, node: CSTNode) -> bool:
    """Whether an exception can be being handled where the node runs."""
    for above, child in module.tree.frames(node):
        if isinstance(above, (cst.ExceptHandler, cst.ExceptStarHandler, cst.Finally)):
            return True
        if isinstance(above, (cst.FunctionDef, cst.Lambda)) and above.body is child:
            return _is_called_by_handlers(module, above)
    return False


def _is_called_by_handlers(module: PythonFile, function: cst.FunctionDef | cst.Lambda) -> bool:
    """Whether the function may be a handler's: `__exit__`, a hook, a method or closure that others call, one with a
    name that mentions errors, or one whose calls in this module are all in handlers."""
    if isinstance(function, cst.Lambda) or function.name.value in _EXIT_METHODS:
        return True
    if not isinstance(module.names.scope(function), cst.Module) or function.params.params:
        return True
    if _HELPER_NAME.search(function.name.value):
        return True
    calls = module.calls.get(function, ())
    return bool(calls) and all(is_handling(module, c) for c in calls)


def head(module: PythonFile, handler: Handler) -> tuple[int, int]:
    """Start and end (code points) of a handler's `except`, with the classes it names."""
    start, _ = module.span(handler)
    if handler.type is None:
        return start, start + len("except")
    closing = _CLOSING.match(module.source.text, module.span(handler.type)[1])
    assert closing is not None
    return start, closing.end()


def raise_at_end(module: PythonFile, handler: Handler) -> Edit | None:
    """The edit that ends a handler with a `raise`, in place of a `pass` or on a line of its own; None if the handler
    leaves by itself, or if its statements are on the line of its `except`."""
    body = statements(handler.body)
    if not body or leaves(body) or isinstance(body[-1], cst.Raise):
        return None
    start, end = module.span(body[-1])
    if isinstance(body[-1], cst.Pass):
        return Edit(start, end, "raise")
    source = module.source
    row, column = source.location(module.span(body[0])[0])
    indent = source.line(row)[: column - 1]
    if indent.strip() or not isinstance(handler.body, cst.IndentedBlock):
        return None
    end_row, _ = source.location(end)
    line_end = source.offset(end_row, 1) + len(source.line(end_row))
    return Edit(line_end, line_end, f"{source.newline}{indent}raise")
