"""Whether an error can leave a function unreported: what stands outside of its guards, and what the guards do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panicguard.python import apis
from panicguard.python.blocks import statements
from panicguard.python.cst import cst
from panicguard.python.declared import is_declared
from panicguard.python.handlers import catches_all, caught_types, suppresses_all
from panicguard.python.nodes import children
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.handlers import Handler

_REPORTS = apis.LOGGING | frozenset(("print_exc", "print_exception", "capture_exception", "excepthook"))
_IN_VAIN = frozenset(("Empty", "Full", "QueueEmpty", "QueueFull", "TimeoutError", "KeyError", "IndexError"))
"""What a queue or a container raises that has nothing to give, or no room."""
_STOPPING = frozenset((*apis.CANCELLED, "SystemExit", "KeyboardInterrupt", "GeneratorExit"))
"""The errors that say to stop: no failure gets lost with them."""


def is_guard(module: PythonFile, node: CSTNode, known: Sequence[str] = apis.GUARDS) -> bool:
    """Whether a decorator or a function reports the errors of what it is given: the runtime's, the project's own."""
    return module.names.qualified(node) in known or is_declared(module.names, node, module.settings.extend_guards)


@dataclass(frozen=True)
class Escapes:
    """What is known of the functions of one module, each judged once."""

    module: PythonFile
    _reported: dict[CSTNode, bool] = field(default_factory=dict)

    def is_reported(self, function: cst.FunctionDef) -> bool:
        """Whether every error is reported before it leaves a function, or there is none that could."""
        if function not in self._reported:
            self._reported[function] = False  # one that calls itself
            self._reported[function] = any(map(self._is_reporting, function.decorators)) or (
                self._does_something(function) and self._are_safe(function.body)
            )
        return self._reported[function]

    def _does_something(self, function: cst.FunctionDef) -> bool:
        """Whether a function calls or guards anything: of the rest nobody can say what it stands for."""
        return any(isinstance(node, (cst.Call, cst.Try)) for node in self.module.tree.own(function))

    def calls_reported(self, node: CSTNode) -> bool:
        """Whether an expression calls functions of this module, and none that may raise unreported."""
        calls = list(self._calls(node))
        return all(map(self._is_harmless, calls)) and any(self._called(call) is not None for call in calls)

    def _is_reporting(self, decorator: cst.Decorator) -> bool:
        """Whether a decorator reports errors: a guard, or one of this module that calls what it is given in a `try`
        with a handler that logs."""
        node = decorator.decorator
        node = node.func if isinstance(node, cst.Call) else node
        if is_guard(self.module, node):
            return True
        definition = self.module.names.definition(node)
        return isinstance(definition, cst.FunctionDef) and any(
            isinstance(inner, cst.FunctionDef) and inner is not definition and self._is_wrapper(inner)
            for inner in self.module.tree.within(definition)
        )

    def _is_wrapper(self, function: cst.FunctionDef) -> bool:
        """Whether a function calls a parameter of the functions around it, and reports what that raises."""
        return self._are_safe(function.body) and any(
            self._calls_parameter(function, tried.body) and any(map(_reports, tried.handlers))
            for tried in self.module.tree.own(function)
            if isinstance(tried, cst.Try)
        )

    def _calls_parameter(self, function: cst.FunctionDef, body: CSTNode) -> bool:
        names = self.module.names
        for call in self._calls(body):
            if isinstance(call.func, cst.Name):
                scope, bindings = names.lookup(call.func.value, names.scope(call.func))
                if scope is not function and any(isinstance(b.node, cst.Param) for b in bindings):
                    return True
        return False

    def _are_safe(self, block: CSTNode) -> bool:
        return all(map(self._is_safe, statements(block)))

    def _is_safe(self, statement: CSTNode) -> bool:
        """Whether a statement cannot let an error out unreported."""
        match statement:
            case cst.Try() | cst.TryStar():
                return self._is_guarding(statement)
            case cst.With(items=items, body=body):
                if any(self._is_guarding_context(item.item) for item in items):
                    return True
                return all(self._is_harmless_expression(item.item) for item in items) and self._are_safe(body)
            case cst.While(test=test, body=body, orelse=orelse) | cst.If(test=test, body=body, orelse=orelse):
                asks = all(self._only_asks(call) or self._is_harmless(call) for call in self._calls(test))
                return asks and self._are_safe(body) and self._is_safe_else(orelse)
            case cst.For(iter=iterable, asynchronous=None, body=body, orelse=orelse):
                return self._is_harmless_expression(iterable) and self._are_safe(body) and self._is_safe_else(orelse)
            case cst.FunctionDef() | cst.ClassDef():
                return isinstance(statement, cst.FunctionDef)
            case cst.Raise() | cst.Assert():
                return False
            case cst.Import() | cst.ImportFrom():
                return True
            case cst.BaseSmallStatement():
                return self._is_harmless_expression(statement)
        return False

    def _only_asks(self, call: cst.Call) -> bool:
        """Whether a call in a test asks for a state: it says no more, and does not have to wait for the answer."""
        return not call.args and not isinstance(self.module.tree.parents[call], cst.Await)

    def _is_safe_else(self, orelse: cst.Else | cst.If | None) -> bool:
        if isinstance(orelse, cst.Else):
            return self._are_safe(orelse.body)
        return orelse is None or self._is_safe(orelse)

    def _is_guarding(self, tried: cst.Try | cst.TryStar) -> bool:
        """Whether a `try` lets no error out unreported: by one of its handlers, or because there is none."""
        handlers = tried.handlers
        if tried.orelse is not None and not self._are_safe(tried.orelse.body):
            return False
        if not all(_keeps(self.module, handler) for handler in handlers):
            return False
        if any(catches_all(self.module, h) for h in handlers):
            return True
        asks = any(last_name(kind) in _IN_VAIN for h in handlers for kind in caught_types(h))
        return all(self._is_safe(s) or (asks and self._only_asks_queues(s)) for s in statements(tried.body)) and all(
            self._are_safe(h.body) for h in handlers
        )

    def _only_asks_queues(self, statement: CSTNode) -> bool:
        is_small = isinstance(statement, cst.BaseSmallStatement) and not isinstance(statement, (cst.Raise, cst.Assert))
        return is_small and all(
            last_name(call.func) in (*apis.QUEUED, *apis.TAKING) or self._is_harmless(call)
            for call in self._calls(statement)
        )

    def _is_guarding_context(self, context: CSTNode) -> bool:
        if suppresses_all(self.module, context):
            return True
        return isinstance(context, cst.Call) and is_guard(self.module, context.func, apis.RECOVERS)

    def _is_harmless_expression(self, node: CSTNode) -> bool:
        calls = list(self._calls(node))
        handed_on = {arg.value for call in calls if self._starts_in_group(call) for arg in call.args}
        return all(call in handed_on or self._is_harmless(call) for call in calls) and all(
            isinstance(inner.expression, cst.Call)
            for inner in self.module.tree.within(node)
            if isinstance(inner, cst.Await)
        )

    def _starts_in_group(self, call: cst.Call) -> bool:
        """Whether a call starts a task in a group or a nursery, which awaits it."""
        func = call.func
        return (
            isinstance(func, cst.Attribute)
            and func.attr.value in apis.SPAWNING_METHODS
            and apis.is_group(last_name(func.value))
        )

    def _is_harmless(self, call: cst.Call) -> bool:
        """Whether a call does not raise in practice: by what is defined here, or else by its name."""
        name = last_name(call.func)
        if name in apis.LOGGING:
            return True
        function = self._called(call)
        if function is not None:
            return self.is_reported(function) or is_abstract(function)
        if self.module.names.definition(call.func) is not None:
            return False
        if isinstance(call.func, cst.Name):
            return name in apis.HARMLESS or name in apis.HARMLESS_BUILTINS
        if not isinstance(call.func, cst.Attribute):
            return False
        owner = call.func.value
        if name in apis.QUEUED:
            return name in ("get", "put") and not _waits_for_some_time(call)
        if name in apis.RUNNING:
            return self._runs_call(call)
        if name in apis.SPAWNING_METHODS:
            return self._starts_in_group(call)
        return name in apis.HARMLESS or (apis.is_callback(name) and last_name(owner) == "self")

    def _runs_call(self, call: cst.Call) -> bool:
        """Whether an event loop runs what another call returns: that one is judged by itself."""
        is_run = last_name(call.func) != "run" or self.module.names.qualified(call.func) == "asyncio.run"
        return is_run and bool(call.args) and isinstance(call.args[0].value, cst.Call)

    def _called(self, call: cst.Call) -> cst.FunctionDef | None:
        """The function of this module that a call is of, by its own name."""
        function = self.module.names.definition(call.func) or self._inherited(call.func)
        if isinstance(function, cst.FunctionDef) and function.name.value == last_name(call.func):
            return function
        return None

    def _inherited(self, func: CSTNode) -> cst.FunctionDef | None:
        """The method that `super().name` is, in a base class of this module."""
        match func:
            case cst.Attribute(value=cst.Call(func=cst.Name(value="super")), attr=cst.Name(value=name)):
                definition = self.module.tree.enclosing(func, cst.ClassDef)
                if definition is not None:
                    return inherited(self.module, definition, name)
        return None

    def _calls(self, node: CSTNode) -> Iterator[cst.Call]:
        return (call for call in self.module.tree.within(node) if isinstance(call, cst.Call))


def inherited(module: PythonFile, definition: cst.ClassDef, name: str) -> cst.FunctionDef | None:
    """The method of this name that a class has from the first of its bases; None where that is not of this module."""
    for base in module.names.mro(definition)[1:]:
        if not isinstance(base, cst.ClassDef):
            return None
        if (method := module.method(base, name)) is not None:
            return method
    return None


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


def _keeps(module: PythonFile, handler: Handler) -> bool:
    """Whether a handler lets nothing out, unless it has reported it, or it is a request to stop."""
    types = caught_types(handler)
    if types and all(module.names.qualified(kind) in _STOPPING for kind in types):
        return True
    return _reports(handler) or not any(isinstance(node, cst.Raise) for node in module.tree.own(handler))


def _reports(handler: Handler) -> bool:
    """Whether a handler logs, or gives the error to something."""
    name = handler.name.name.value if handler.name is not None and isinstance(handler.name.name, cst.Name) else None
    return any(_is_reported(statement, name) for statement in statements(handler.body))


def _is_reported(node: CSTNode, name: str | None) -> bool:
    """Whether something under a node logs, or uses the error of this name other than to raise it."""
    match node:
        case cst.Raise():
            return False
        case cst.Call(func=func) if last_name(func) in _REPORTS:
            return True
        case cst.Name(value=value):
            return value == name
    return any(_is_reported(child, name) for child in children(node))


def _waits_for_some_time(call: cst.Call) -> bool:
    """Whether a queue is told for how long to wait, or not to: then it may raise that it was in vain."""
    named = {arg.keyword.value for arg in call.args if arg.keyword is not None}
    first = call.args[0].value if call.args else None
    return bool(named & {"timeout", "block"}) or (isinstance(first, cst.Name) and first.value in ("True", "False"))
