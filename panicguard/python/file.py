"""One parsed Python module as the rules see it: a slice of it.

Rows may be missing: statements that say nothing of what a rule's words spawn, beyond the evidence that it declares (see
`evidence.py`), are left out or stand as `0` or as a stub. Offsets are those of the whole text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from panicguard.diagnostic import Finding
from panicguard.python.apis import THREAD_CLASSES
from panicguard.python.cst import cst
from panicguard.python.dead import never_runs
from panicguard.python.fates import Fates
from panicguard.python.spawns import find
from panicguard.python.tree import Tree, last_name

if TYPE_CHECKING:
    from libcst import CSTNode

    from panicguard.diagnostic import Edit, Fix
    from panicguard.python.flow import Flow
    from panicguard.python.names import Names
    from panicguard.python.spawns import Spawn
    from panicguard.settings import Settings
    from panicguard.source import Source


@dataclass(frozen=True)
class PythonFile:
    """A module and what is known of it. Rules ask it; they never parse, resolve names or count columns."""

    source: Source
    settings: Settings
    tree: Tree
    names: Names
    flow: Flow
    imports: dict[str, Edit] = field(default_factory=dict)
    """Statement -> the edit that imports by it at the top level, once a fix has asked for it."""

    @cached_property
    def spawns(self) -> tuple[Spawn, ...]:
        settings = self.settings
        found = find(self.tree, self.names, self.flow, self.fates, settings.extend_spawners, settings.extend_guards)
        return tuple(spawn for spawn in found if not never_runs(self.tree, self.source.text, spawn.call))

    @cached_property
    def fates(self) -> Fates:
        return Fates(self.tree, self.names, self.flow)

    @cached_property
    def spawned(self) -> dict[CSTNode, Spawn | None]:
        """The functions of this module that run as a spawn: targets of spawns that are not awaited on the spot, and
        `run` of its thread classes."""
        found: dict[CSTNode, Spawn | None] = {}
        for spawn in self.spawns:
            if not spawn.waited_for(self.tree):
                for function in spawn.others if spawn.definition is None else (spawn.definition, *spawn.others):
                    found.setdefault(function, spawn)
        for definition in self.thread_classes:
            run = self.method(definition, "run")
            if run is not None:
                found.setdefault(run, None)
        return found

    @cached_property
    def reached(self) -> frozenset[CSTNode]:
        """What runs in a spawn: the spawned functions, and the functions of this module that they call."""
        calls = (call for call in self.tree.all(cst.Call) if self.tree.function(call) in self.spawned)
        called = (self.names.definition(call.func) for call in calls)
        return frozenset((*self.spawned, *(function for function in called if isinstance(function, cst.FunctionDef))))

    @cached_property
    def thread_classes(self) -> tuple[cst.ClassDef, ...]:
        """The classes of this module whose `run` is the body of a thread or a process."""
        return tuple(c for c in self.tree.all(cst.ClassDef) if self.names.is_a(c, *THREAD_CLASSES))

    @cached_property
    def calls(self) -> dict[CSTNode, list[cst.Call]]:
        """Definition in this module -> its calls."""
        calls: dict[CSTNode, list[cst.Call]] = {}
        for call in self.tree.all(cst.Call):
            if (definition := self.names.definition(call.func)) is not None:
                calls.setdefault(definition, []).append(call)
        return calls

    @cached_property
    def cancelled(self) -> frozenset[str]:
        """The last names of what this module cancels: `task` where it says `self.task.cancel()`."""
        calls = (call.func for call in self.tree.all(cst.Call) if isinstance(call.func, cst.Attribute))
        return frozenset(last_name(func.value) for func in calls if func.attr.value == "cancel") - {""}

    @cached_property
    def cancelled_by_loops(self) -> dict[CSTNode, set[str]]:
        """Function -> the last names of what its loops take what they cancel from: `tasks` of `for task in tasks`."""
        found: dict[CSTNode, set[str]] = {}
        for loop in self.tree.all(cst.For):
            if isinstance(loop.target, cst.Name) and loop.target.value in self.cancelled:
                function = self.tree.enclosing(loop, cst.FunctionDef, cst.ClassDef)
                if isinstance(function, cst.FunctionDef) and (name := last_name(loop.iter)):
                    found.setdefault(function, set()).add(name)
        return found

    def method(self, definition: cst.ClassDef, name: str) -> cst.FunctionDef | None:
        """The method of this name in the body of a class."""
        bindings = self.names.bindings.get(definition, {}).get(name, ())
        return next((b.node for b in bindings if isinstance(b.node, cst.FunctionDef)), None)

    def span(self, node: CSTNode) -> tuple[int, int]:
        """Start and end of a node, as offsets (code points) into the source."""
        return self.tree.span(node)

    def text(self, node: CSTNode) -> str:
        start, end = self.span(node)
        return self.source.text[start:end]

    def finding(self, node: CSTNode, message: str, fix: Fix | None = None) -> Finding:
        return Finding(*self.span(node), message, fix)

    def finding_at(self, start: int, end: int, message: str, fix: Fix | None = None) -> Finding:
        return Finding(start, end, message, fix)
