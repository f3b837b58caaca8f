"""Whether an error can leave a function unreported: what stands outside of its guards, and what the guards do."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from panicguard.python import apis, harmless
from panicguard.python.blocks import statements
from panicguard.python.called import called_name, calls, own_definition
from panicguard.python.calls import is_unbounded_queue
from panicguard.python.cancellation import can_arrive, is_async
from panicguard.python.cst import cst
from panicguard.python.declared import is_declared
from panicguard.python.handing import Handing, starts_in_group
from panicguard.python.handlers import catches_all, caught_types, suppressed_types, suppresses_all
from panicguard.python.reporting import STOPPING, keeps, reports
from panicguard.python.stubs import is_abstract, is_stub
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from libcst import CSTNode

    from panicguard.python.file import PythonFile

_NONE: frozenset[str] = frozenset()


def is_guard(module: PythonFile, node: CSTNode, known: Sequence[str] = apis.GUARDS) -> bool:
    """Whether a decorator or a function reports the errors of what it is given: the runtime's, the project's own."""
    return module.names.qualified(node) in known or is_declared(module.names, node, module.settings.extend_guards)


@dataclass(frozen=True)
class Escapes:
    """What is known of the functions of one module, each judged once."""

    module: PythonFile
    _reported: dict[CSTNode, bool] = field(default_factory=dict)
    _works_guarded: dict[CSTNode, bool] = field(default_factory=dict)

    @cached_property
    def _handing(self) -> Handing:
        return Handing(self.module)

    def is_reported(self, function: cst.FunctionDef) -> bool:
        """Whether every error is reported before it leaves a function, or there is none that could."""
        if function not in self._reported:
            self._reported[function] = False  # one that calls itself
            self._reported[function] = any(map(self._is_reporting, function.decorators)) or (
                self._does_something(function) and self._are_safe(function.body)
            )
        return self._reported[function]

    def tells(self, function: cst.FunctionDef) -> bool:
        """Whether a function that lets no error out logs them, or hands them on."""
        return any(map(self._is_reporting, function.decorators)) or any(
            isinstance(tried, cst.Try) and self._tells_all(tried) for tried in self.module.tree.own(function)
        )

    def _tells_all(self, tried: cst.Try) -> bool:
        return any(catches_all(self.module, handler) and reports(self.module, handler) for handler in tried.handlers)

    def _does_something(self, function: cst.FunctionDef) -> bool:
        """Whether a function guards anything, or calls what does not only end something: the rest says nothing."""
        return any(
            isinstance(node, cst.Try) or (isinstance(node, cst.Call) and last_name(node.func) not in harmless.ENDING)
            for node in self.module.tree.own(function)
        )

    def calls_reported(self, node: CSTNode) -> bool:
        """Whether an expression calls functions of this module or waits, and calls none that may raise unreported."""
        called = list(calls(node))
        return all(map(self._is_harmless, called)) and any(
            self._called(call) is not None
            or called_name(self.module, call.func) in (*harmless.WAITING, harmless.STARTING)
            for call in called
        )

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
            self._calls_parameter(function, tried.body)
            and any(reports(self.module, handler) for handler in tried.handlers)
            for tried in self.module.tree.own(function)
            if isinstance(tried, cst.Try)
        )

    def _calls_parameter(self, function: cst.FunctionDef, body: CSTNode) -> bool:
        names = self.module.names
        for call in calls(body):
            if isinstance(call.func, cst.Name):
                scope, bindings = names.lookup(call.func.value, names.scope(call.func))
                if scope is not function and any(isinstance(b.node, cst.Param) for b in bindings):
                    return True
        return False

    def _are_safe(self, block: CSTNode, caught: frozenset[str] = _NONE) -> bool:
        return all(self._is_safe(statement, caught) for statement in statements(block))

    def _is_safe(self, statement: CSTNode, caught: frozenset[str] = _NONE) -> bool:
        """Whether a statement cannot let an error out unreported, where those that are `caught` are."""
        match statement:
            case cst.Try() | cst.TryStar():
                return self._is_guarding(statement, caught)
            case cst.With(items=items, body=body):
                if any(self._is_guarding_context(item.item) for item in items):
                    return True
                names = (kind for item in items for kind in suppressed_types(self.module, item.item))
                inner = caught | self._errors(names)
                return all(self._raises_nothing(item.item, caught) for item in items) and self._are_safe(body, inner)
            case cst.While(test=test, body=body, orelse=orelse) | cst.If(test=test, body=body, orelse=orelse):
                asks = all(self._only_asks(call) or self._is_harmless(call, caught) for call in calls(test))
                return asks and self._are_safe(body, caught) and self._is_safe_else(orelse, caught)
            case cst.For(iter=iterable, asynchronous=None, body=body, orelse=orelse):
                is_safe = self._raises_nothing(iterable, caught) and self._are_safe(body, caught)
                return is_safe and self._is_safe_else(orelse, caught)
            case cst.FunctionDef() | cst.ClassDef():
                return isinstance(statement, cst.FunctionDef)
            case cst.Raise(exc=raised):
                return raised is not None and self.module.names.qualified(raised) in STOPPING
            case cst.Assert(test=test):
                return is_of_type(test)
            case cst.Import() | cst.ImportFrom():
                return True
            case cst.BaseSmallStatement():
                return self._raises_nothing(statement, caught)
        return False

    def _only_asks(self, call: cst.Call) -> bool:
        """Whether a call in a test asks for a state: it says no more, and does not have to wait for the answer."""
        return not call.args and not isinstance(self.module.tree.parents[call], cst.Await)

    def _is_safe_else(self, orelse: cst.Else | cst.If | None, caught: frozenset[str]) -> bool:
        if isinstance(orelse, cst.Else):
            return self._are_safe(orelse.body, caught)
        return orelse is None or self._is_safe(orelse, caught)

    def _is_guarding(self, tried: cst.Try | cst.TryStar, caught: frozenset[str]) -> bool:
        """Whether a `try` lets no error out unreported: by one of its handlers, or because there is none but those that
        they are for."""
        handlers = tried.handlers
        if tried.orelse is not None and not self._are_safe(tried.orelse.body, caught):
            return False
        if not all(keeps(self.module, handler) for handler in handlers):
            return False
        if any(catches_all(self.module, h) for h in handlers):
            return True
        names = self._errors(kind for h in handlers for kind in caught_types(h))
        return self._are_safe(tried.body, caught | names) and all(self._are_safe(h.body, caught) for h in handlers)

    def _errors(self, classes: Iterable[CSTNode]) -> frozenset[str]:
        """The names of classes of errors, each by the one that it has where it is defined."""
        names = ((self.module.names.qualified(kind) or last_name(kind)) for kind in classes)
        return frozenset(harmless.by_one_name(name.rpartition(".")[2]) for name in names)

    def _is_guarding_context(self, context: CSTNode) -> bool:
        """Whether the expression of a `with` item lets no error out: a recoverer of the runtime, a `suppress`, what is
        called like one, or a context manager of this module that reports what it catches."""
        if suppresses_all(self.module, context):
            return True
        if not isinstance(context, cst.Call) or suppressed_types(self.module, context):
            return False
        if is_guard(self.module, context.func, apis.RECOVERS):
            return True
        manager = self.module.names.definition(context.func)
        if manager is None:
            return harmless.is_suppressing(last_name(context.func))
        return isinstance(manager, cst.FunctionDef) and any(
            isinstance(tried, cst.Try)
            and any(isinstance(node, cst.Yield) for node in self.module.tree.own(tried))
            and any(catches_all(self.module, handler) and keeps(self.module, handler) for handler in tried.handlers)
            for tried in self.module.tree.own(manager)
        )

    def _raises_nothing(self, node: CSTNode, caught: frozenset[str] = _NONE) -> bool:
        """Whether an expression or a small statement calls and awaits nothing that may raise what is not caught."""
        called = list(calls(node))
        handed_on = {arg.value for call in called if self._handing.hands_on(call) for arg in call.args}
        return all(
            call in handed_on or self._handing.is_handed_on_later(call) or self._is_harmless(call, caught)
            for call in called
        ) and all(
            isinstance(inner.expression, cst.Call)
            for inner in self.module.tree.within(node)
            if isinstance(inner, cst.Await)
        )

    def _is_harmless(self, call: cst.Call, caught: frozenset[str] = _NONE) -> bool:
        """Whether a call does not raise in practice, or only what is caught: by what is defined here, or else by its
        name."""
        name = called_name(self.module, call.func)
        if name in harmless.LOGGING:
            return True
        function = self._called(call)
        if function is not None:
            return self._is_harmless_function(function)
        if own_definition(self.module, call.func) is not None:
            return False
        is_awaited = isinstance(self.module.tree.parents[call], cst.Await)
        if harmless.is_caught(harmless.RAISES.get(name, ()), caught) and not (is_awaited and name in harmless.WRITING):
            return True
        if name in harmless.HANDING and self._handing.hands_on(call):
            return True
        if name in harmless.PASSING:
            return any(arg.keyword is not None and arg.keyword.value == "return_exceptions" for arg in call.args)
        if name in harmless.RUNNING:
            return self._handing.runs_call(call)
        if isinstance(call.func, cst.Attribute) and self._is_harmless_method(call, call.func.value, name):
            return True
        is_known = isinstance(call.func, cst.Name) and name in harmless.HARMLESS_FUNCTIONS
        return is_known or (not is_awaited and self._is_beside_work(call))

    def _is_beside_work(self, call: cst.Call) -> bool:
        """Whether a call stands in an async function that does its work, what it awaits, in a `try` that reports every
        error: the call then makes what is needed for that, or puts it away."""
        function = self.module.tree.function(call)
        if not is_async(function):
            return False
        if function not in self._works_guarded:
            self._works_guarded[function] = any(
                isinstance(tried, cst.Try) and self._tells_all(tried) and can_arrive(self.module, tried)
                for tried in self.module.tree.own(function)
            )
        return self._works_guarded[function]

    def _is_harmless_method(self, call: cst.Call, owner: CSTNode, name: str) -> bool:
        if name in harmless.QUEUED:
            is_put = name == "put_nowait" and is_unbounded_queue(self.module.source.text, last_name(owner))
            return is_put or (name in ("get", "put") and not _waits_for_some_time(call))
        if name in harmless.SPAWNING_METHODS:
            return starts_in_group(call)
        if name in harmless.TAKING:
            return len(call.args) > 1
        if name in ("write", "flush"):
            return last_name(owner) in ("stdout", "stderr")
        if name in harmless.ENDING and self.module.names.qualified(owner) is not None:
            return False  # a function of another module
        is_own = harmless.is_callback(name) and last_name(owner) == "self"
        return is_own or harmless.is_harmless_method(name, last_name(owner))

    def _is_harmless_function(self, function: cst.FunctionDef) -> bool:
        """Whether no error leaves a function that another one calls: there may be nothing in it that could raise."""
        if self.is_reported(function) or is_abstract(function):
            return True
        return not (is_stub(function) or self._does_something(function)) and self._are_safe(function.body)

    def _called(self, call: cst.Call) -> cst.FunctionDef | None:
        """The function of this module that a call is of, by its own name."""
        function = own_definition(self.module, call.func) or self._inherited(call.func)
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


def inherited(module: PythonFile, definition: cst.ClassDef, name: str) -> cst.FunctionDef | None:
    """The method of this name that a class has from the first of its bases; None where that is not of this module."""
    for base in module.names.mro(definition)[1:]:
        if not isinstance(base, cst.ClassDef):
            return None
        if (method := module.method(base, name)) is not None:
            return method
    return None


def is_of_type(test: CSTNode) -> bool:
    """Whether an `assert` only says what kind of value something has, for a type checker."""
    match test:
        case cst.Name() | cst.Attribute():
            return True
        case cst.Comparison(
            comparisons=[cst.ComparisonTarget(operator=cst.IsNot(), comparator=cst.Name(value="None"))]
        ):
            return True
        case cst.Call(func=cst.Name(value="isinstance")):
            return True
    return False


def _waits_for_some_time(call: cst.Call) -> bool:
    """Whether a queue is told for how long to wait, or not to: then it may raise that it was in vain."""
    named = {arg.keyword.value for arg in call.args if arg.keyword is not None}
    first = call.args[0].value if call.args else None
    return bool(named & {"timeout", "block"}) or (isinstance(first, cst.Name) and first.value in ("True", "False"))
