"""When the error of a task is heard: at once, where it is stopped, or never."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from panicguard.python.apis import SpawnKind
from panicguard.python.coroutines import runs_into_error
from panicguard.python.cst import cst
from panicguard.python.expendable import is_closed_and_waited_for
from panicguard.python.failing import is_hoped_for
from panicguard.python.fates import Fate
from panicguard.python.givers import handles, is_of_module
from panicguard.python.guards import has_nothing_to_lose, is_heard
from panicguard.python.handlers import catches_all, suppresses_all, swallows_all
from panicguard.python.harmless import LOGGING
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile
    from panicguard.python.spawns import Spawn
    from panicguard.python.uses import Use

_RAISING = frozenset(("asyncio.gather", "asyncio.wait_for"))
"""Calls that raise the error of a task that they are given."""
_READING = frozenset(("result", "exception"))
_TELLING = re.compile(r"log|catch|guard|safe|report|handle|suppress|error|exception|supervis", re.IGNORECASE)
"""Names of decorators that report or handle errors."""

_HANDLE = re.compile(r"task|future", re.IGNORECASE)
"""What attributes are called that hold tasks."""


class Heard(enum.IntEnum):
    """When somebody learns of the error that ends a task."""

    NEVER = 0
    AT_STOP = 1
    """By who cancels the task, and awaits it then."""
    IN_TIME = 2


def heard(module: PythonFile, spawn: Spawn) -> Heard:
    """When the error of a task is heard by what this module does with its handle."""
    outlives = any(use.kind is UseKind.KEPT for use in spawn.uses) or _is_around_yield(module, spawn.call)
    return _Reads(module, spawn.uses, outlives, module.tree.function(spawn.call)).heard()


def lost_until(module: PythonFile, spawn: Spawn) -> Heard:
    """When the error of a task is heard that a maintainer would want to hear of: at once, if it has none to lose."""
    when = Heard.NEVER if spawn.fate is Fate.RETAINED else heard(module, spawn)
    if spawn.kind is SpawnKind.GATHER and (spawn.fate is not Fate.RETAINED or _only_waits(module, spawn.call)):
        return Heard.IN_TIME
    if is_closed_and_waited_for(spawn) and not module.settings.strict_spawns:
        return Heard.IN_TIME
    if module.settings.strict_spawns and spawn.fate is Fate.RETAINED:
        return when
    if when is Heard.IN_TIME or has_nothing_to_lose(module, spawn) or is_heard(module, spawn):
        return Heard.IN_TIME
    if _is_decorated_to_tell(spawn):
        return Heard.IN_TIME
    if spawn.fate is Fate.RETAINED and not _is_around_yield(module, spawn.call):
        return when
    fails = None if spawn.target is None else runs_into_error(module, spawn.target)
    if fails is None:
        fails = when is Heard.NEVER and not any(use.kind is UseKind.RETURNED for use in spawn.uses)
    return when if fails or _is_hoped_for(module, spawn) else Heard.IN_TIME


def _only_waits(module: PythonFile, gather: cst.Call) -> bool:
    """Whether a `gather` starts nothing and raises nothing: it waits for tasks that were started elsewhere."""
    positional = [arg.value for arg in gather.args if arg.keyword is None]
    if not _returns_errors(gather) or not all(isinstance(value, (cst.Name, cst.Attribute)) for value in positional):
        return False
    if all(isinstance(value, cst.Attribute) and _HANDLE.search(last_name(value)) for value in positional):
        return True
    running = [call for call in module.tree.all(cst.Call) if module.names.qualified(call.func) == "asyncio.all_tasks"]
    running += [spawn.call for spawn in module.spawns if spawn.kind is SpawnKind.TASK]
    return any(use.node is gather for call in running for use in module.flow.uses(call))


def _is_decorated_to_tell(spawn: Spawn) -> bool:
    """Whether what runs has a decorator that is called as if it reported errors."""
    decorators = spawn.definition.decorators if isinstance(spawn.definition, cst.FunctionDef) else ()
    nodes = (d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator for d in decorators)
    return any(_TELLING.search(last_name(node)) for node in nodes)


def _is_hoped_for(module: PythonFile, spawn: Spawn) -> bool:
    return is_hoped_for(module.source.text, *module.source.location(module.span(spawn.call)[0]))


def _is_around_yield(module: PythonFile, node: CSTNode) -> bool:
    function = module.tree.function(node)
    return function is not None and any(module.tree.function(inner) is function for inner in module.tree.all(cst.Yield))


@dataclass(frozen=True)
class _Reads:
    """What becomes of a task in a module; `outlives`: it goes on while others run, `starter` started it."""

    module: PythonFile
    uses: tuple[Use, ...]
    outlives: bool
    starter: CSTNode | None
    is_passed: bool = False
    """The uses are those of a parameter: of what is done elsewhere with it, nothing is known."""

    def heard(self) -> Heard:
        return max(map(self._of, self.uses), default=Heard.NEVER)

    def _of(self, use: Use) -> Heard:
        if self.module.fates.of_use(use) < Fate.OBSERVED:
            return Heard.IN_TIME if self.is_passed and use.kind is UseKind.KEPT else Heard.NEVER
        match use.kind, use.node:
            case UseKind.AWAITED, cst.Await() as read:
                return self._read(read)
            case UseKind.METHOD, _ if use.name in _READING:
                return Heard.AT_STOP if self._is_stopping(use.node) else Heard.IN_TIME
            case UseKind.ARGUMENT, cst.Call() as call:
                return self._given(call, use.name)
            case UseKind.RETURNED, _:
                return self._returned(use.node)
        return Heard.IN_TIME

    def _given(self, call: cst.Call, slot: str) -> Heard:
        """When it is heard by what a task is passed to."""
        outer = self.module.tree.parents[call]
        if self.module.names.qualified(call.func) in _RAISING:
            return self._read(outer) if isinstance(outer, cst.Await) else Heard.IN_TIME
        if last_name(call.func) in LOGGING and self._is_after_cancel(call):
            return Heard.NEVER  # it says which task does not end
        function = self.module.names.definition(call.func)
        if self.is_passed or not isinstance(function, cst.FunctionDef) or function.decorators:
            return Heard.IN_TIME
        return self._passed(call, function, slot)

    def _passed(self, call: cst.Call, function: cst.FunctionDef, slot: str) -> Heard:
        """When it is heard by a function of this module that is given the task."""
        module = self.module
        is_bound = isinstance(call.func, cst.Attribute) and module.names.method_class(function) is not None
        param = parameter(function.params, slot, int(is_bound))
        value = module.tree.parents[call] if function.asynchronous is not None else call
        if param is None or not (value is call or isinstance(value, cst.Await)):
            return Heard.IN_TIME
        uses = tuple(module.flow.uses(*module.flow.loads(param.name.value, function)))
        rest = tuple(use for use in uses if use.kind is not UseKind.RETURNED)
        if len(rest) < len(uses) and module.fates.of(module.flow.uses(value)) >= Fate.OBSERVED:
            return Heard.IN_TIME
        return replace(self, uses=rest, is_passed=True).heard()

    def _returned(self, node: CSTNode) -> Heard:
        """When it is heard by those that call what returns the task, if no other module does."""
        function = self.module.tree.function(node)
        if self.is_passed or not isinstance(function, cst.FunctionDef) or not is_of_module(self.module, function):
            return Heard.IN_TIME
        values = list(handles(self.module, function))
        if function.asynchronous is not None and not all(isinstance(value, cst.Await) for value in values):
            return Heard.IN_TIME
        uses = tuple(use for value in values for use in self.module.flow.uses(value))
        outlives = any(use.kind is UseKind.KEPT for use in uses)
        if any(use.kind is UseKind.RETURNED for use in uses):
            return Heard.IN_TIME
        return _Reads(self.module, uses, outlives, None).heard()

    def _read(self, read: cst.Await) -> Heard:
        """When it is heard where a task is awaited, or what raises its error is."""
        if (self.outlives or self._is_at_end(read)) and self._is_ignored(read):
            return Heard.NEVER
        return Heard.AT_STOP if self._is_stopping(read) else Heard.IN_TIME

    def _is_at_end(self, read: CSTNode) -> bool:
        """Whether a task is cancelled and read by the `finally` of what started it."""
        is_in_finally = any(isinstance(above, cst.Finally) for above, _ in self.module.tree.around(read))
        return is_in_finally and self._is_after_cancel(read)

    def _is_stopping(self, read: CSTNode) -> bool:
        """Whether a task that outlives its starter is read only once it has been cancelled."""
        reader = self.module.tree.function(read)
        if not self.outlives or not isinstance(reader, cst.FunctionDef) or reader.name.value == "__aexit__":
            return False
        is_elsewhere = reader is not self.starter or bool(reader.decorators and _is_around_yield(self.module, read))
        return is_elsewhere and self._is_after_cancel(read)

    def _is_ignored(self, read: cst.Await) -> bool:
        """Whether an error that is raised where a task is awaited ends there unseen."""
        parents = self.module.tree.parents
        if _returns_errors(read.expression):
            return isinstance(parents[read], cst.Expr)
        for above, child in self.module.tree.around(read):
            match above:
                case cst.Try(body=body, handlers=handlers) if child is body:
                    catching = next((h for h in handlers if catches_all(self.module, h)), None)
                    if catching is not None:
                        return swallows_all(self.module, catching)
                case cst.With(items=items):
                    if any(suppresses_all(self.module, item.item) for item in items):
                        return True
        return False

    def _is_after_cancel(self, read: CSTNode) -> bool:
        """Whether the task has been cancelled where it is read."""
        function = self.module.tree.function(read)
        if function is None:
            return False
        cancels = [u.node for u in self.uses if u.kind is UseKind.METHOD and u.name == "cancel"]
        cancels = [node for node in cancels if self.module.tree.function(node) is function]
        if not cancels:
            return False
        order = {node: place for place, node in enumerate(self.module.tree.own(function))}
        return any(order[node] < order[read] and self._leads_to(node, read) for node in cancels)

    def _leads_to(self, cancel: CSTNode, read: CSTNode) -> bool:
        """Whether what cancels a task stands under nothing that its reader does not, but questions about the task."""
        tree = self.module.tree
        above = {read, *tree.ancestors(read)}
        child = cancel
        for node in tree.ancestors(cancel):
            if node in above:
                return True
            match node:
                case cst.If(test=test, orelse=orelse):
                    if child is orelse or not self._asks(test):
                        return False
                case cst.ExceptHandler() | cst.Else() | cst.IfExp() | cst.FunctionDef() | cst.Lambda():
                    return False
            child = node
        return False

    def _asks(self, test: CSTNode) -> bool:
        """Whether a condition is about the task alone."""
        asked = {u.name for u in self.uses if u.kind is UseKind.KEPT}
        for inner in self.module.tree.within(test):
            if isinstance(inner, cst.Call) and last_name(inner.func) not in ("done", "cancelled"):
                return False
            if isinstance(inner, (cst.Name, cst.Attribute)) and last_name(inner) in asked:
                return True
        return not asked


def parameter(params: cst.Parameters, slot: str, bound: int) -> cst.Param | None:
    """The parameter that takes the argument of a place or a keyword, behind those that are `bound`."""
    positional = (*params.posonly_params, *params.params)
    if slot.isdigit():
        return positional[int(slot) + bound] if int(slot) + bound < len(positional) else None
    return next((p for p in (*params.params, *params.kwonly_params) if p.name.value == slot), None)


def _returns_errors(node: CSTNode) -> bool:
    """Whether an expression is a `gather` that returns errors as if they were results."""
    return isinstance(node, cst.Call) and any(
        arg.keyword is not None
        and arg.keyword.value == "return_exceptions"
        and isinstance(arg.value, cst.Name)
        and arg.value.value == "True"
        for arg in node.args
    )
