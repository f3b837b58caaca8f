"""Follow the spawns of a function: to what they are made from, and to what becomes of them.

A name holds of the whole function, wherever it stands: too much is found rather than too little.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.apis import RAY_REMOTE
from panicguard.python.slice.facts import chain, facts, last_name, within

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    from panicguard.python.slice.facts import Facts
    from panicguard.python.slice.outline import Block
    from panicguard.python.slice.unit import Unit

_OWN_METHOD = RAY_REMOTE.rpartition(".")[2]
_CALLBACK = ".add_done_callback"
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_ENDS_TURN = (ast.Break, ast.Continue, ast.Return, ast.Raise)
"""What decides whether a loop goes on after a closure is spawned in it."""


class Trace(NamedTuple):
    """What of a function says something of its spawns: the first rows of its units, and all rows of its definitions."""

    rows: set[int]
    targets: set[str]
    """What may be spawned."""
    receivers: set[str]
    """Through what the spawning words, and the containers of handles, are reached."""
    stores: set[str]
    """Where handles go."""
    givers: set[str]
    """The functions that return handles."""
    readers: set[str]
    """The functions that handles are passed to, and the names of what is called once they are done."""


class _Follower:
    """The names whose uses (`flows`) and whose bindings (`needs`) are followed through one block."""

    def __init__(self, block: Block, wrappers: Set[str]) -> None:
        self.block, self.wrappers = block, wrappers
        self.trace = Trace(set(), set(), set(), set(), set(), set())
        self._flows: set[str] = set()
        self._needs: set[str] = set()
        self._pending: list[tuple[Unit, bool]] = []
        self._done: set[tuple[Unit, bool]] = set()

    def flow(self, names: Iterable[str]) -> None:
        for name in set(names) - self._flows:
            self._flows.add(name)
            self._pending += ((unit, True) for unit in self.block.mentions.get(name, ()))

    def need(self, names: Iterable[str]) -> None:
        for name in set(names) - self._needs:
            self._needs.add(name)
            self._pending += ((unit, False) for unit in self.block.bindings.get(name, ()))

    def run(self) -> None:
        while self._pending:
            unit, is_flow = self._pending.pop()
            if (unit, is_flow) not in self._done:
                self._done.add((unit, is_flow))
                self._follow(unit, is_flow)

    def read(self, hits: Mapping[Unit, Sequence[ast.AST]]) -> None:
        """Note who is given a handle, once all names of it are known."""
        for unit in dict.fromkeys((*hits, *(unit for unit, is_flow in self._done if is_flow))):
            if unit.is_a(ast.Return) and not unit.is_definition:
                self.trace.givers.update(self.block.names)
            if unit.facts.called and not unit.is_definition:
                handles: set[ast.AST | str] = {*hits.get(unit, ()), *self._flows}
                for node in unit.nodes:
                    self.trace.readers.update(_readers(node, handles))

    def _follow(self, unit: Unit, is_flow: bool) -> None:
        said, trace = unit.facts, self.trace
        trace.rows.update(unit.rows if unit.is_definition else (unit.first,))
        if is_flow:
            trace.stores.update(said.binds)
            trace.receivers.update(said.holders)
            self.flow(said.binds)
            if _CALLBACK in said.called:
                self.need(said.names)
        if unit.is_definition:
            self.need(name for inner in self.block.units_in(unit.rows) for name in inner.facts.names)
        elif said.spawns_late:
            self.need(said.names)
        elif is_flow:
            self.need(said.called)
        else:
            self.need(said.leading)
            if said.assigns:  # it may give a function another name: `run = self.work`, `run = partial(self.work, 1)`
                trace.targets.update(ends_of(said, self.wrappers))


def ends_of(said: Facts, wrappers: Set[str]) -> Set[str]:
    """What may be spawned of what is said: all that is named where something wraps it by another name."""
    return said.ends if wrappers.isdisjoint(said.called) else said.names


def trace(
    block: Block,
    hits: Mapping[Unit, Sequence[ast.AST]],
    flows: Set[str],
    needs: Set[str],
    wrappers: Set[str],
    *,
    turns: bool,
) -> Trace:
    """Follow the spawns in a block, `hits`; also what becomes of the names in `flows`, and what is bound to those in
    `needs`. `wrappers` are other names of `partial` and the like. With `turns`, what ends a turn of a loop that spawns
    a closure is kept too."""
    follower = _Follower(block, wrappers)
    found = follower.trace
    for unit, nodes in hits.items():
        said = facts(unit.nodes, frozenset(nodes))
        found.rows.update(unit.rows if unit.is_definition and unit.above else (unit.first,))
        found.targets.update(ends_of(facts(said.spawned), wrappers))
        found.targets.update(name for node in nodes for name in _called_on(node))
        found.stores.update(said.binds)
        found.receivers.update(said.holders, *(chain(node)[1:] for node in nodes), *map(_owners, said.spawned))
        follower.flow(unit.facts.binds if unit.above or not unit.is_definition else ())
        follower.flow(above.head.name for above in unit.around() if above.is_definition and above.above)  # type: ignore[union-attr]
        is_late = said.spawns_late or _CALLBACK in said.called or (turns and _is_in_loop(unit))
        follower.need(said.names if is_late else said.leading)
    if flows:
        follower.flow(block.mentions.keys() & flows)
    if needs:
        follower.need(block.bindings.keys() & needs)
    follower.run()
    follower.read(hits)
    _reach(block, found)
    if found.rows:
        found.rows.update(unit.first for unit in block.units if unit.facts.yields)
        if turns and _spawns_closures(block, hits):
            found.rows.update(unit.first for unit in block.units if unit.is_a(*_ENDS_TURN) or _awaits_name(unit))
    return found


def _readers(statement: ast.AST, handles: Set[ast.AST | str]) -> Iterator[str]:
    """The names of the callees to which one of `handles` is given, and of what is made a callback."""
    for call in within(statement):
        if isinstance(call, ast.Call):
            given = (*call.args, *(keyword.value for keyword in call.keywords))
            if last_name(call.func) == _CALLBACK:
                yield from facts(given).names
            elif any(node in handles or last_name(node) in handles for value in given for node in within(value)):
                yield last_name(call.func)


def _called_on(node: ast.AST) -> list[str]:
    """What is spawned by a method of its own: `work` in `work.remote()`."""
    return chain(node)[1:2] if isinstance(node, ast.Attribute) and node.attr == _OWN_METHOD else []


def _owners(argument: ast.AST) -> list[str]:
    """What a method that is spawned is one of: `.poller` in `self.poller.run()`."""
    value = argument.value if isinstance(argument, ast.keyword) else argument
    return chain(value.func if isinstance(value, ast.Call) else value)[1:]


def _reach(block: Block, found: Trace) -> None:
    """Add through what the receivers are made in turn."""
    pending = list(found.receivers)
    while pending:
        for unit in block.bindings.get(pending.pop(), ()):
            if unit.first in found.rows:
                more = unit.facts.names - found.receivers
                found.receivers.update(more)
                pending += more


def _spawns_closures(block: Block, hits: Mapping[Unit, Sequence[ast.AST]]) -> bool:
    return any(map(_is_in_loop, hits)) and any(unit.facts.spawns_late for unit in block.units[1:])


def _awaits_name(unit: Unit) -> bool:
    return unit.facts.awaits and any(
        isinstance(inner, ast.Await) and isinstance(inner.value, ast.Name)
        for node in unit.nodes
        for inner in within(node)
    )


def _is_in_loop(unit: Unit) -> bool:
    return any(isinstance(above.head, _LOOPS) for above in unit.around())
