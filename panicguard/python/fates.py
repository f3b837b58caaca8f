"""What happens to the handle of a spawn, and thereby to the error of what it runs."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.python.apis import CALLBACK_TAKERS
from panicguard.python.callbacks import forgets, may_look
from panicguard.python.cst import cst
from panicguard.python.flow import ADDERS
from panicguard.python.tree import last_name
from panicguard.python.uses import UseKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from libcst import CSTNode

    from panicguard.python.flow import Flow
    from panicguard.python.names import Names
    from panicguard.python.tree import Tree
    from panicguard.python.uses import Use


class Fate(enum.IntEnum):
    """What happens to a spawn's handle, and thereby to the error of what it runs."""

    DROPPED = 0
    RETAINED = 1
    """A reference is kept, the error is never read."""
    OBSERVED = 2
    """The error can be read: awaited, returned, passed on."""
    STRUCTURED = 3
    """An owner awaits it and raises."""


DEAF = ADDERS | frozenset(
    "cancel cancelled cancelling uncancel done running set_name get_name get_coro get_context get_loop "
    "remove_done_callback add_done_callback start join is_alive name daemon ident native_id setDaemon "
    "setName getName isDaemon ready wait stop discard remove clear keys union difference "
    "difference_update".split()
)
"""Methods and attributes of a handle that do not reveal an error."""
_LISTENING = frozenset("result exception get print_stack get_stack successful".split())
_POLLED = frozenset("cancel done cancelled cancelling running is_alive ready".split())
_HANDLER_NAME = re.compile(r"^on_|(?:handler|callback|_cb)$")
_HANDLER_TAKERS = frozenset((*CALLBACK_TAKERS, "add_done_callback", "connect", "singleShot"))
_LOGGING_LOOP = re.compile(r"^_?io_?loop$|^tornado\.", re.IGNORECASE)
"""Tornado's loop, which logs the error of the future that a callback returns."""


@dataclass(frozen=True)
class Fates:
    tree: Tree
    names: Names
    flow: Flow

    def of(self, uses: Iterable[Use]) -> Fate:
        """The best that happens to a handle."""
        fate = Fate.DROPPED
        for use in uses:
            fate = max(fate, self.of_use(use))
        return fate

    def of_use(self, use: Use) -> Fate:
        match use.kind:
            case UseKind.DROPPED | UseKind.TESTED | UseKind.HELD:
                return Fate.DROPPED
            case UseKind.KEPT | UseKind.WAITED:
                return Fate.RETAINED
            case UseKind.AWAITED:
                return Fate.STRUCTURED
            case UseKind.LAMBDA if self._is_event_handler(use.node):
                return Fate.DROPPED
            case UseKind.METHOD if use.name in _LISTENING:
                return Fate.OBSERVED
            case UseKind.METHOD if use.name == "add_done_callback":
                return self._callback_fate(use.node)
            case UseKind.METHOD if use.name in DEAF:
                if use.name == "cancel" and self._is_fixture(use.node):
                    return Fate.OBSERVED
                return Fate.RETAINED if use.name in _POLLED else Fate.DROPPED
        return Fate.OBSERVED

    def _callback_fate(self, call: CSTNode) -> Fate:
        if not (isinstance(call, cst.Call) and call.args):
            return Fate.OBSERVED
        callback = call.args[0].value
        if may_look(self.names, self.flow, callback):
            return Fate.OBSERVED
        return Fate.DROPPED if forgets(callback) else Fate.RETAINED

    def _is_event_handler(self, function: CSTNode) -> bool:
        """Whether a lambda is called by an event loop or a signal, which ignores what it returns."""
        parent = self.tree.parents[function]
        match parent:
            case cst.Assign(targets=[cst.AssignTarget(target=target)]):
                return bool(_HANDLER_NAME.search(last_name(target)))
            case cst.AnnAssign(target=target):
                return bool(_HANDLER_NAME.search(last_name(target)))
            case cst.Arg(keyword=cst.Name(value=name)):
                return bool(_HANDLER_NAME.search(name))
            case cst.Arg():
                call = self.tree.parents[parent]
                is_taker = isinstance(call, cst.Call) and last_name(call.func) in _HANDLER_TAKERS
                return is_taker and not self.logs(call)  # type: ignore[arg-type]
        return False

    def logs(self, call: cst.Call) -> bool:
        """Whether a callback is given to a loop that logs the error of what it returns."""
        if not isinstance(call.func, cst.Attribute):
            return False
        loop = call.func.value
        is_of = self.names.type_of(loop) or self.names.qualified(loop)
        return any(_LOGGING_LOOP.search(name) for name in (last_name(loop), is_of) if isinstance(name, str))

    def _is_fixture(self, node: CSTNode) -> bool:
        """Whether a fixture of tests starts something, yields and cancels it: it is its owner."""
        function = self.tree.function(node)
        return isinstance(function, cst.FunctionDef) and any(
            "fixture" in last_name(d.decorator.func if isinstance(d.decorator, cst.Call) else d.decorator)
            for d in function.decorators
        )
