"""Which rows of the functions of a module a verdict depends on."""

from __future__ import annotations

import ast
import itertools
from typing import TYPE_CHECKING

from panicguard.python.evidence import Evidence
from panicguard.python.screen import assignments, bindings, hits, places_of, renamings
from panicguard.python.slice.dataflow import ends_of, trace
from panicguard.python.slice.escapes import called
from panicguard.python.slice.evidence import may_not_end, of_async, of_called, of_spawned
from panicguard.python.slice.facts import WRAPPERS, own, within
from panicguard.python.slice.kept import Kept
from panicguard.python.slice.layout import TRIES
from panicguard.python.slice.outline import is_variable_of
from panicguard.python.slice.words import renamed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    from panicguard.python.slice.dataflow import Trace
    from panicguard.python.slice.outline import Block, Outline
    from panicguard.python.slice.unit import Unit
    from panicguard.python.slice.words import Marks

_RECEIVERS = frozenset(("self", "cls"))
_CANCEL = ".cancel"
_IMPORTING = (ast.Import, ast.ImportFrom, ast.Match)
"""Statements that may import something: a `match` is one with all that is in it."""


def functions(marks: Marks, caught: Set[str], kinds: Set[Evidence], names: Set[str]) -> Kept | None:
    """What is kept of the functions; None where nothing in the module is worth reading.

    `caught` are the words that matter in the handlers of async functions; what is bound to one of `names` is kept.
    """
    return _Slicer(marks, caught, kinds, names).kept()


class _Slicer:
    def __init__(self, marks: Marks, caught: Set[str], kinds: Set[Evidence], names: Set[str]) -> None:
        self.outline: Outline = marks.outline
        self.marks, self.caught, self.kinds, self.names = marks, caught, kinds, names
        self.wrappers = {name for name, of in self.outline.renamed.items() if of in WRAPPERS}
        self.rows: dict[Block, set[int]] = {}
        self.callers: list[tuple[Block, Unit]] = []
        """The functions that are spawned or called by one that is."""

    def kept(self) -> Kept | None:
        spawning = self.marks.functions
        errors = self._other_names_of_errors()
        handling = self._async(errors)
        running = [(b, b.units[0]) for b in self.outline.by_name.get("run", ()) if self._is_run(b)]
        if not (spawning or handling or running or any(map(_is_more_than_import, self.marks.outside))):
            return None
        turns = Evidence.TURNS in self.kinds
        traces = {
            block: trace(block, hits, frozenset(), self.names, self.wrappers, turns=turns)
            for block, hits in self.marks.hits.items()
        }
        targets = {name for found in traces.values() for name in found.targets}
        flows, needs = self._shared(traces)
        needs |= self._renamed(targets) | errors
        for block, rows in handling.items():
            self._keep(block, rows)
        self._spawned(targets, running)
        told = self._traced(traces, flows, needs)
        self._cancels(handling)
        for block, rows in self.rows.items():
            rows.add(block.first)
            rows.update(_around(block, rows))
            rows.update(_handlers(block, rows))
            rows.update(_imports(block, rows))
        return Kept(self.rows, told)

    def _keep(self, block: Block, rows: Iterable[int]) -> None:
        self.rows.setdefault(block, set()).update(rows)

    def _keep_all(self, block: Block, rows: range) -> None:
        self._keep(block, rows)

    def _async(self, errors: Set[str]) -> dict[Block, set[int]]:
        """What decides about the handlers of async functions; `errors` are other names of what they may name."""
        caught = self.caught | errors
        words = {*caught, "finally"} if Evidence.FINALLY in self.kinds else caught
        found = {}
        for block in self.outline.at(hits(self.outline.text, words)):
            if _may_await(block) and (rows := of_async(block, caught, self.kinds, self.outline.suppressing)):
                found[block] = rows
        return found

    def _other_names_of_errors(self) -> set[str]:
        """The names that the module gives to what handlers are asked about, by imports and assignments."""
        found: set[str] = set()
        new = set(self.caught)
        while new:
            given: set[str] = set()
            for block in self.outline.at(renamings(self.outline.text, new)):
                names = {name for unit in block.units for name in renamed(unit, new)}
                given |= names if block.function is None else names.intersection(_declared_global(block))
            new = given - found
            found |= new
        return found

    def _is_run(self, block: Block) -> bool:
        return Evidence.RUN_METHODS in self.kinds and not self.marks.classes.isdisjoint(block.owners)

    # What is spawned

    def _spawned(self, targets: Set[str], running: Sequence[tuple[Block, Unit]]) -> None:
        """Keep what decides about the functions that are spawned, and about those that they call."""
        plain = {name.lstrip(".") for name in targets}
        running_units = {unit for _, unit in running}
        found = [*running, *((b, b.units[0]) for name in plain for b in self.outline.by_name.get(name, ()))]
        nested = [
            (block, unit)
            for block in self.marks.functions
            for unit in block.units[1:]
            if unit.is_definition and unit.head.name in plain  # type: ignore[union-attr]
        ]
        for block, unit in (*found, *nested):
            kept = None if unit in running_units else self._of_spawned(block, unit)
            self._keep(block, unit.rows if kept is None else (unit.first, *kept))
        self.callers = [*found, *((block, block.units[0]) for block, _ in nested)]
        self._called()
        self._decorated()
        if Evidence.ESCAPES in self.kinds:
            for block, rows in called([*found, *nested], self.marks, lambda name, block: self._named(name, (block,))):
                self._keep(block, rows)

    def _of_spawned(self, block: Block, unit: Unit) -> set[int] | None:
        return of_spawned(block, unit, self.kinds, self.marks.hits.get(block, ()), self.outline)

    def _of_called(self, block: Block, unit: Unit) -> set[int]:
        return of_called(block, block.units_in(unit.rows), self.kinds, self.outline.suppressing)

    def _called(self) -> None:
        """Keep what matters of the functions that callers call: all of those that may end an endless loop, or are what
        `run` only hands on to; of others the rows that are evidence. And keep those calls."""
        judged: set[str] = set()
        handling: set[str] = set()
        calling: dict[Block, set[str]] = {}
        for block, unit in self.callers:
            names = set(_calls(block, unit))
            (judged if self._judges_called(block, unit) else handling).update(names)
            calling.setdefault(block, set()).update(names)
        kept = set()
        for name in judged | handling:
            for block, unit in self._named(name, calling):
                rows = unit.rows if name in judged else self._of_called(block, unit)
                if rows:
                    self._keep(block, (unit.first, *rows))
                    kept.add(name)
        for block, names in calling.items():
            for name in names & kept:
                for mention in (name, f".{name}"):
                    self._keep(block, (unit.first for unit in block.mentions.get(mention, ())))

    def _judges_called(self, block: Block, unit: Unit) -> bool:
        """Whether a verdict on a function may depend on all of what it calls."""
        return (
            Evidence.WHOLE_SPAWNED_BODY in self.kinds
            or (Evidence.RUN_METHODS in self.kinds and unit.head.name == "run")  # type: ignore[union-attr]
            or (Evidence.ENDLESS_LOOPS in self.kinds and may_not_end(block, unit))
        )

    def _named(self, name: str, inside: Iterable[Block]) -> Iterator[tuple[Block, Unit]]:
        """The functions of a name: of the module and its classes, and those nested in one of `inside`."""
        for block in self.outline.by_name.get(name, ()):
            yield block, block.units[0]
        for block in inside:
            for unit in block.bindings.get(name, ()):
                if unit.is_definition and unit.above is not None:
                    yield block, unit

    def _decorated(self) -> None:
        """Keep the functions under a decorator that spawns: it may spawn them."""
        names = {block.name for block in self.marks.functions}
        for block in self.outline.functions:
            function = block.function
            if function is not None and function.decorator_list:
                used = {getattr(node, "id", getattr(node, "attr", "")) for node in own(function.decorator_list)}
                if not names.isdisjoint(used):
                    self._keep(block, range(block.first, block.last))

    # What becomes of it

    def _shared(self, traces: Mapping[Block, Trace]) -> tuple[set[str], set[str]]:
        """The names that say something of the spawns in other functions too: those that handles go to, or whose calls
        are asked for; and those that the words are methods of."""
        shared = {name for name, blocks in self.outline.bound_outside.items() if any(map(is_variable_of, blocks))}
        for block in self.outline.standing(("global",)):
            shared.update(_declared_global(block))
        flows = {name for found in traces.values() for name in found.stores if name[0] == "." or name in shared}
        if Evidence.ESCAPES in self.kinds:
            flows |= {name for found in traces.values() for name in found.givers}
        if Evidence.CALLERS in self.kinds:
            flows |= {block.name for block in self.marks.functions}
        flows = self._handed_on(flows, shared)
        receivers = {name for found in traces.values() for name in found.receivers}
        return flows, {name for name in receivers if name in shared or name[0] == "."}

    def _handed_on(self, flows: Set[str], shared: Set[str]) -> set[str]:
        """The names in `flows`, and the other attributes and variables of the module that are given what one of them
        holds, directly or by way of others."""
        found: set[str] = set()
        new = set(flows)
        while new:
            found |= new
            handed: set[str] = set()
            for block, units in self._told(new, frozenset()).items():
                if block.function is not None:
                    if any(unit.facts.binds for unit in units):
                        handed |= trace(block, {}, new, frozenset(), self.wrappers, turns=False).stores
                elif is_variable_of(block):
                    handed |= block.bound
            new = {name for name in handed - found if name[0] == "." or name in shared}
        return found

    def _renamed(self, targets: set[str]) -> set[str]:
        """The attributes and variables of the module that hold a function that is spawned; `targets` grows by it."""
        found = set()
        for name in [name for name in targets if name.lstrip(".") not in self.outline.by_name]:
            for unit in self._assigning(name):
                ends = ends_of(unit.facts, self.wrappers)
                if any(end.lstrip(".") in self.outline.by_name for end in ends):
                    targets |= ends
                    found.add(name)
        return found

    def _assigning(self, name: str) -> Iterator[Unit]:
        """The assignments to an attribute, wherever they stand, or to a variable of the module."""
        for block in self.outline.bound_outside.get(name.lstrip("."), ()):
            if name[0] != "." or block.is_in_class:
                yield from (unit for unit in block.units if unit.facts.assigns)
        if name[0] == ".":
            for block, rows in self.outline.at(assignments(self.outline.text, name)).items():
                for unit in {unit for row in rows for unit in block.units_at(row)}:
                    if unit.facts.assigns and name in unit.facts.binds:
                        yield unit

    def _traced(self, traces: Mapping[Block, Trace], flows: Set[str], needs: Set[str]) -> Set[str]:
        """Keep what is traced in the functions that spawn, and in those that share names with them."""
        told = self._told(flows, needs)
        asked = {b for name in needs for b in self.outline.by_name.get(name.lstrip("."), ())}
        turns = Evidence.TURNS in self.kinds
        readers: set[str] = set()
        for block in dict.fromkeys((*traces, *told, *asked)):
            if block.function is None:
                continue
            found = traces.get(block)
            if found is None or block in told:
                marked = self.marks.hits.get(block, {})
                found = trace(block, marked, flows, needs | self.names, self.wrappers, turns=turns)
            if found.rows or block in asked:
                self._keep(block, found.rows)
            readers |= found.readers
        for name in readers:
            for reader in self.outline.by_name.get(name.lstrip("."), ()):
                self._keep_all(reader, reader.units[0].rows)
        return flows

    def _told(self, flows: Set[str], needs: Set[str]) -> dict[Block, list[Unit]]:
        """The blocks that mention one of `flows`, or bind one of `needs`, and the units that do."""
        found: dict[Block, list[Unit]] = {}
        text = self.outline.text
        bound = {name for name in needs - flows if name[0] == "."}
        places = itertools.chain(places_of(text, flows | needs - bound), *(bindings(text, name) for name in bound))
        for block, rows in self.outline.at(places).items():
            units = {unit for row in rows for unit in block.units_at(row)}
            telling = [u for u in units if not flows.isdisjoint(u.facts.names) or not needs.isdisjoint(u.facts.binds)]
            if telling:
                found[block] = telling
        return found

    def _cancels(self, handling: Mapping[Block, Set[int]]) -> None:
        """Keep what is cancelled, where that matters."""
        if not handling and not self.callers:
            return
        for block, rows in self.outline.standing((_CANCEL[1:],)).items():
            if block.function is not None:
                units = {unit for row in rows for unit in block.units_at(row) if _CANCEL in unit.facts.names}
                if units:
                    self._keep(block, (unit.first for unit in units))


def _is_more_than_import(block: Block) -> bool:
    return not all(isinstance(node, (ast.Import, ast.ImportFrom)) for node in block.statement.nodes)


def _declared_global(block: Block) -> Iterator[str]:
    """The names that a function declares to be those of the module."""
    for node in (node for unit in block.units for node in unit.nodes):
        if isinstance(node, ast.Global):
            yield from node.names


def _may_await(block: Block) -> bool:
    """Whether an async function is in a block."""
    return block.function is not None and any("async" in line for line in block.lines[block.first : block.last])


def _calls(block: Block, definition: Unit) -> Iterator[str]:
    """The names of what a function calls of its own module: `f()`, `self.f()`."""
    for node in within(definition.head):
        if isinstance(node, ast.Call):
            func = node.func
            if isinstance(func, ast.Name):
                yield func.id
            elif isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in _RECEIVERS:
                yield func.attr


def _around(block: Block, rows: Set[int]) -> set[int]:
    """The first rows of the headers that kept ones stand under: they are kept too."""
    return {above.first for unit in block.units if unit.first in rows for above in unit.around()}


def _handlers(block: Block, rows: Set[int]) -> set[int]:
    """The rows of the handlers of each `try` in which something is kept: they are kept whole."""
    found: set[int] = set()
    for unit in block.units:
        if isinstance(unit.head, TRIES):
            handlers = unit.head.handlers  # type: ignore[attr-defined]
            inside = range(unit.first, unit.head.end_lineno or 0)  # type: ignore[attr-defined]
            if handlers and not (rows.isdisjoint(inside) and found.isdisjoint(inside)):
                found.update(*(range(handler.lineno - 1, handler.end_lineno) for handler in handlers))
    return found


def _imports(block: Block, rows: Set[int]) -> set[int]:
    """The first rows of what a function imports and is used in rows of it that are kept."""
    imports = [unit for unit in block.units if unit.is_a(*_IMPORTING)]
    if not imports:
        return set()
    used = {name for unit in block.units if unit.first in rows for name in unit.facts.names}
    return {unit.first for unit in imports if "*" in unit.facts.binds or not used.isdisjoint(unit.facts.binds)}
