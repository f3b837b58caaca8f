"""Which lines of the functions of a text a verdict depends on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.apis import IN_HANDLERS
from panicguard.python.marked import WORD, any_in, bound, is_import
from panicguard.python.outline import skeleton
from panicguard.python.screen import places
from panicguard.python.suspects import awaits, evidence, hiding, may_not_end
from panicguard.python.trace import said, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    from panicguard.python.marked import Marked
    from panicguard.python.outline import Block
    from panicguard.python.trace import Said, Trace

_GLOBAL = re.compile(r"global\s+([\w, ]+)")
_GETATTR = re.compile(r"getattr\s*\([^,()]*,\s*['\"](\w+)['\"]")
_CALLED_HERE = re.compile(r"(?<![\w.])(?:(?:self|cls)\s*\.\s*)?(\w+)\s*\(")
_ASSIGNS = re.compile(r"\s*(?::[^=\n]+)?=(?!=)")
_ASSIGNED = re.compile(r"\b(\w+)[ \t]*(?::[^=\n]+)?\Z")
"""A name up to the `=` behind it."""
_NEAR = 200
"""Characters from a name to the `=` behind its annotation."""
_FUNCTION = re.compile(r"=[ \t]*(?:([^\W\d][\w.]*)$|(?:functools\.)?partial\(([^\W\d][\w.]*))", re.MULTILINE)
"""What may be a function that is assigned, or one with its arguments."""


class _Parts(NamedTuple):
    """What functions have to do with spawns: they spawn; they handle cancellations; they are spawned or called by one
    that is, with the rows that matter of them for that, None for all; they call what may hide errors."""

    spawning: Sequence[Block]
    catching: Set[Block]
    known: Mapping[Block, Set[int] | None]
    callers: Set[Block]
    calls: Set[str]
    """What callers call, attributes with a dot in front."""


def rows(marked: Marked, handlers: Sequence[int], names: Set[str]) -> dict[int, bool] | None:
    """The rows that stay of the functions: True with each, False where a placeholder must stand. None where nothing in
    the text is worth reading.

    `handlers` are the offsets of those that may swallow a cancellation; what is bound to one of `names` stays.
    """
    text, lines, functions = marked.text, marked.lines, marked.outline.functions
    spawning = [b for b in functions if marked.is_hit(b.start, b.end)]
    outside = [b for b in marked.outline.statements if marked.is_hit(b.start, b.end)]
    catching = {
        b for b in functions if any_in(handlers, b.start, b.end) and text.find("async def", b.start, b.end) >= 0
    }
    running = {b for b in functions if b.name == "run" and _is_in_thread_class(marked, b)}
    if not (spawning or catching or running or any(not is_import(text, b) for b in outside)):
        return None
    its = {b: said(text, lines, b) for b in (*spawning, *outside)}
    traces = [trace(text, lines, b, its[b], marked.hits_in(b.start, b.end), frozenset(), names) for b in its]
    targets = {name for one in traces for name in one.targets}
    renamed = _functions_under(targets, text, {b.name for b in functions})
    parts = _parts(marked, spawning, catching, running, targets.union(renamed.values()), its)
    flows, needs = _shared(marked, spawning, traces)
    needs.update(name for alias in renamed for name in (alias, f".{alias}"))
    return _kept(marked, parts, its, flows, needs, names)


def _is_in_thread_class(marked: Marked, block: Block) -> bool:
    return any(c.first < block.first < c.last and c.name in marked.aliases for c in marked.outline.classes)


def _parts(
    marked: Marked,
    spawning: Sequence[Block],
    catching: Set[Block],
    running: Set[Block],
    targets: Set[str],
    its: Mapping[Block, Said],
) -> _Parts:
    text, lines = marked.text, marked.lines
    known = {b: evidence(text, lines, b) for b in marked.outline.functions if b.name in targets}
    known.update(dict.fromkeys(running))
    callers = {*known, *(b for b in spawning if any(targets & names for names in its[b].defines.values()))}
    called = _called(marked, callers)
    for block, hidden in called.items():
        mine = known.get(block, hidden)
        known[block] = None if mine is None or hidden is None else mine | hidden
    known.update(dict.fromkeys(_decorated(marked, {b.name for b in spawning})))
    calls = {name for b in called for name in (b.name, f".{b.name}")}
    return _Parts(spawning, catching, known, callers, calls)


def _kept(
    marked: Marked, parts: _Parts, its: Mapping[Block, Said], flows: Set[str], needs: Set[str], names: Set[str]
) -> dict[int, bool]:
    """The rows of the functions in which something is told of the names in `flows`, or those in `needs` are made."""
    text, lines = marked.text, marked.lines
    told_at = sorted(at for name in flows for at in places(text, name))
    made_at = sorted(at for name in {n.lstrip(".") for n in needs} for at in _assignments(text, name))
    kept: dict[int, bool] = {}
    for block in marked.outline.functions:
        known = parts.known.get(block, frozenset())
        if known is None:
            kept.update((row, True) for row in range(block.first, block.last))
            continue
        told = flows if any_in(told_at, block.start, block.end) else frozenset()
        made = needs if any_in(made_at, block.start, block.end) else frozenset()
        if (parts.catching or parts.callers) and text.find(".cancel(", block.start, block.end) >= 0:
            told = told | {".cancel"}
        is_asked = not needs.isdisjoint((block.name, f".{block.name}"))
        is_part = block in parts.known or block in parts.catching or block in parts.spawning
        if not (told or made or is_asked or is_part):
            continue
        said_here = its.get(block) or said(text, lines, block)
        found = trace(text, lines, block, said_here, marked.hits_in(block.start, block.end), told, made | names).rows
        found |= known
        if block in parts.callers:
            found.update(row for row, there in said_here.names.items() if not parts.calls.isdisjoint(there))
        if block in parts.catching:
            found.update(awaits(text, lines, block))
        found |= _imports(marked, block, said_here, found)
        kept.update((row, True) for row in range(block.first, block.header + 1))
        kept.update(skeleton(text, lines, block.header + 1, block.last, found))
    return kept


def _imports(marked: Marked, block: Block, its: Said, found: Set[int]) -> set[int]:
    """The rows of a function that import something of which what stays of it speaks."""
    imports = {row: names - {"import", "from", "as"} for row, names in its.names.items() if "import" in names}
    if not imports:
        return set()
    stays = (row for row, there in skeleton(marked.text, marked.lines, block.header + 1, block.last, found) if there)
    used = {name for row in stays for name in its.names.get(row, ())}
    return {row for row, names in imports.items() if not used.isdisjoint(names)}


def _assignments(text: str, name: str) -> Iterator[int]:
    """Where a name is assigned to."""
    return (at for at in places(text, name) if _ASSIGNS.match(text, at + len(name)))


def _functions_under(names: Set[str], text: str, functions: Set[str]) -> dict[str, str]:
    """Those of the names that are assigned a function somewhere, or one with its arguments, and its name."""
    found = {}
    for value in _FUNCTION.finditer(text):
        last = value[value.lastindex or 0].rpartition(".")[2]
        if last in functions:
            before = max(0, value.start() - _NEAR)
            target = _ASSIGNED.search(text, before, value.start())
            if target and target[1] in names and target[1] not in functions:
                found[target[1]] = last
    return found


def _called(marked: Marked, callers: Iterable[Block]) -> dict[Block, set[int] | None]:
    """The functions that these call, where it matters what is in them: all of those that may end an endless loop, or
    are what `run` only hands on to; of others the rows in which an error may be hidden."""
    text, lines = marked.text, marked.lines
    handling: set[str] = set()
    judged: set[str] = set()
    for block in callers:
        is_judged = block.name == "run" or may_not_end(text, lines, block)
        (judged if is_judged else handling).update(_CALLED_HERE.findall(text, block.start, block.end))
    found: dict[Block, set[int] | None] = {}
    for block in marked.outline.functions:
        if block.name in judged:
            found[block] = None
        elif block.name in handling and (hidden := set(hiding(text, lines, block))):
            found[block] = hidden
    return found


def _decorated(marked: Marked, names: Set[str]) -> Iterator[Block]:
    """The functions under a decorator with one of these names: it may spawn them."""
    for block in marked.outline.functions:
        if block.first < block.header:
            header = marked.lines[block.header].start
            if not names.isdisjoint(WORD.findall(marked.text, block.start, header)):
                yield block


def _shared(marked: Marked, spawning: Sequence[Block], traces: Sequence[Trace]) -> tuple[set[str], set[str]]:
    """The names that say something of the spawns in other functions too: those that handles go to (attributes with a
    dot in front) or whose calls are asked for, and those that the words are methods of."""
    text = marked.text
    shared = {name for b in marked.outline.statements for name in bound(text, b)}
    shared.update(n.strip() for g in _GLOBAL.findall(text) for n in g.split(","))
    flows = {n for one in traces for n in one.stores if n[0] == "." or n in shared}
    flows |= {n for n in _GETATTR.findall(text) if f".{n}" in flows}
    flows |= {
        b.name for b in spawning if any(text.startswith(IN_HANDLERS, at) for at in marked.hits_in(b.start, b.end))
    }
    receivers = {n for one in traces for n in one.receivers}
    return flows, {n for n in receivers if n in shared or n[0] == "."}
