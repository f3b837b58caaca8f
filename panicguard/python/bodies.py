"""What a function's body does with the errors raised in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.lazy import cst

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.module import Module
    from panicguard.python.spawns import Spawn


def statements(body: CSTNode) -> Sequence[CSTNode]:
    """The statements of a function's or block's body, small ones taken out of their lines, without a docstring."""
    flat: list[CSTNode] = []
    for statement in getattr(body, "body", ()):
        if isinstance(statement, cst.SimpleStatementLine):
            flat.extend(statement.body)
        else:
            flat.append(statement)
    if flat and isinstance(flat[0], cst.Expr) and isinstance(flat[0].value, (cst.SimpleString, cst.ConcatenatedString)):
        del flat[0]
    return flat


def is_guarded(module: Module, function: CSTNode) -> bool:
    """Whether no error of the function leaves it unreported: its whole body is in a `try` whose `except Exception`
    does something with the error, in a `with` of one of the runtime's recoverers, or it is decorated with one."""
    if not isinstance(function, cst.FunctionDef):
        return False
    decorators = (d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator for d in function.decorators)
    if any(_is_guard(module, d, apis.GUARDS) for d in decorators):
        return True
    body = statements(function.body)
    return all(_is_safe(module, s) for s in body) and any(
        isinstance(node, (cst.Try, cst.With)) for node in module.tree.own(function)
    )


def runs_guarded(module: Module, spawn: Spawn) -> bool:
    """Whether what is spawned lets no error out unreported."""
    started = module.names.definition(spawn.call.func)
    if isinstance(started, cst.ClassDef):
        run = module.method(started, "run")
        return run is not None and is_guarded(module, run)
    if isinstance(spawn.target, cst.Call) and _is_guard(module, spawn.target.func, apis.GUARDS):
        return True
    return spawn.definition is not None and is_guarded(module, spawn.definition)


def _is_guard(module: Module, node: CSTNode, known: Sequence[str]) -> bool:
    name = module.names.qualified(node)
    return name in known or apis.is_named(name, module.settings.extend_guards)


def _is_safe(module: Module, statement: CSTNode) -> bool:
    """Whether a statement cannot let an error out unreported."""
    match statement:
        case cst.Try(handlers=[], body=body):
            return all(_is_safe(module, s) for s in statements(body))
        case cst.Try(handlers=handlers):
            return any(catches_all(module, h) and does_something(h) for h in handlers)
        case cst.With(items=items, body=body):
            recovers = any(
                isinstance(i.item, cst.Call) and _is_guard(module, i.item.func, apis.RECOVERS) for i in items
            )
            plain = all(not _calls(i.item) for i in items)
            return recovers or (plain and all(_is_safe(module, s) for s in statements(body)))
        case cst.While(test=test, body=body, orelse=None) | cst.If(test=test, body=body, orelse=None):
            asks = all(not call.args or _callee_name(call) in apis.HARMLESS for call in _calls(test))
            return asks and all(_is_safe(module, s) for s in statements(body))
        case cst.FunctionDef() | cst.Pass() | cst.Global() | cst.Nonlocal() | cst.Break() | cst.Continue():
            return True
        case cst.Import() | cst.ImportFrom():
            return True
        case cst.Raise() | cst.Assert():
            return False
        case cst.BaseSmallStatement():
            return _is_harmless(statement)
    return False


def _is_harmless(node: CSTNode) -> bool:
    return all(_callee_name(call) in apis.HARMLESS for call in _calls(node))


def _calls(node: CSTNode) -> Iterator[cst.Call]:
    from panicguard.python.tree import children

    stack = [node]
    while stack:
        node = stack.pop()
        if isinstance(node, cst.Call):
            yield node
        stack.extend(children(node))


def _callee_name(call: cst.Call) -> str:
    if isinstance(call.func, cst.Attribute):
        return call.func.attr.value
    return call.func.value if isinstance(call.func, cst.Name) else ""


def caught_types(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> tuple[CSTNode, ...]:
    """The expressions of the classes a handler names; () for a bare `except:`."""
    named = handler.type
    if named is None:
        return ()
    return tuple(e.value for e in named.elements) if isinstance(named, cst.Tuple) else (named,)


def catches_all(module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a handler takes every Exception: bare, Exception or BaseException, alone or in a tuple."""
    types = caught_types(handler)
    return not types or any(module.names.qualified(t) in ("Exception", "BaseException") for t in types)


def does_something(handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a handler does anything at all with the error."""
    return any(not is_idle(s) for s in statements(handler.body))


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


def always_leaves_by_raise(body: Iterable[CSTNode]) -> bool:
    """Whether every path through these statements that reaches their end or leaves them raises."""
    for statement in body:
        match statement:
            case cst.Raise():
                return True
            case cst.Return() | cst.Break() | cst.Continue():
                return False
            case cst.If(body=then, orelse=orelse):
                branches = [statements(then)]
                other = orelse
                if isinstance(other, cst.Else):
                    branches.append(statements(other.body))
                elif other is not None:
                    branches.append([other])
                raises = [always_leaves_by_raise(b) for b in branches]
                if all(raises) and other is not None:
                    return True
                if any(leaves(b) and not r for b, r in zip(branches, raises, strict=True)):
                    return False
            case cst.With(body=inner):
                if always_leaves_by_raise(statements(inner)):
                    return True
                if leaves(statements(inner)):
                    return False
            case cst.Try(body=inner, finalbody=final):
                if final is not None and always_leaves_by_raise(statements(final.body)):
                    return True
                if always_leaves_by_raise(statements(inner)):
                    return True
    return False


def leaves(body: Iterable[CSTNode]) -> bool:
    """Whether a return, break or continue stands in these statements, outside nested functions."""
    from panicguard.python.tree import children

    stack = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, (cst.Return, cst.Break, cst.Continue)):
            return True
        if not isinstance(node, (cst.FunctionDef, cst.ClassDef, cst.Lambda)):
            stack.extend(children(node))
    return False
