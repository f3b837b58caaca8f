"""Calls that hand on what they are given, to an event loop or a group: what that raises is judged by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from panicguard.python import harmless
from panicguard.python.called import called_name, own_definition
from panicguard.python.cst import cst
from panicguard.python.tree import last_name

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.python.file import PythonFile


@dataclass(frozen=True)
class Handing:
    """What the functions of a module hand on, each asked once."""

    module: PythonFile
    _variables: dict[CSTNode, frozenset[str]] = field(default_factory=dict)

    def hands_on(self, call: cst.Call) -> bool:
        """Whether a call starts what it is given."""
        return starts_in_group(call) or (
            called_name(self.module, call.func) in harmless.HANDING and own_definition(self.module, call.func) is None
        )

    def is_handed_on_later(self, call: cst.Call) -> bool:
        """Whether a call makes a coroutine for a variable that is then handed on."""
        match self.module.tree.parents[call]:
            case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))]):
                function = self.module.tree.function(call)
                return function is not None and name in self._handed_on(function)
        return False

    def _handed_on(self, function: CSTNode) -> frozenset[str]:
        """The variables of a function that it hands on."""
        if function not in self._variables:
            calls = (node for node in self.module.tree.own(function) if isinstance(node, cst.Call) and node.args)
            given = (call.args[0].value for call in calls if called_name(self.module, call.func) in harmless.HANDING)
            self._variables[function] = frozenset(map(last_name, given)) - {""}
        return self._variables[function]

    def runs_call(self, call: cst.Call) -> bool:
        """Whether an event loop runs what another call returns."""
        is_run = last_name(call.func) != "run" or self.module.names.qualified(call.func) == "asyncio.run"
        return is_run and bool(call.args) and isinstance(call.args[0].value, cst.Call)


def starts_in_group(call: cst.Call) -> bool:
    """Whether a call starts a task in a group or a nursery, which awaits it."""
    func = call.func
    return (
        isinstance(func, cst.Attribute)
        and func.attr.value in harmless.SPAWNING_METHODS
        and harmless.is_group(last_name(func.value))
    )
