"""What of a file must be parsed: its imports, the statements outside functions that say something of what is kept, and
of each function that a rule could speak of the lines a verdict depends on.

A kept line keeps its columns, and `Slim.rows` its number. What is left out and binds a name that is read stays as a
stub. This reads text, not a tree, so it keeps too much rather than too little: what is kept decides the cost, never
the verdict (a test compares both over whole code bases).
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.apis import IN_HANDLERS
from panicguard.python.lex import line_at, margin
from panicguard.python.outline import outline, skeleton
from panicguard.python.screen import hits, places
from panicguard.python.suspects import awaits, evidence, hiding, in_handler, may_not_end, may_swallow
from panicguard.python.trace import NAME, said, trace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

    from panicguard.python.lex import LogicalLine, Scan
    from panicguard.python.outline import Block, Outline
    from panicguard.python.trace import Trace

_ALIAS = re.compile(r"\bas\s+(\w+)")
_BOUND = re.compile(r"[ \t\f]*(\w+)\s*(?::|=(?!=))")
_IMPORT = re.compile(r"[ \t\f]*(?:[^\n]*;[ \t\f]*)?(?:lazy[ \t]+)?(?:import|from)\b")
_FROM = re.compile(r"([ \t\f]*from\s+[\w.]+\s+import\s+)\(([^()]*\n[^()]*)\)\s*(?:#[^\n]*)?\Z")
_COMMENT = re.compile(r"#[^\n]*")
_LOOPS = re.compile(r"for ([\w, ]+?) in\b")
_GLOBAL = re.compile(r"global\s+([\w, ]+)")
_GETATTR = re.compile(r"getattr\s*\([^,()]*,\s*['\"](\w+)['\"]")
_NAMED = re.compile(r" as (\w+)")
_CALLED = re.compile(r"\b(\w+)\s*\(")
_CALLED_HERE = re.compile(r"(?<![\w.])(?:(?:self|cls)\s*\.\s*)?(\w+)\s*\(")
_WORD = re.compile(r"\w+")
_ASSIGNS = re.compile(r"\s*(?::[^=\n]+)?=(?!=)")
_ASSIGNED = re.compile(r"\b(\w+)[ \t]*(?::[^=\n]+)?\Z")
"""A name up to the `=` behind it."""
_NEAR = 200
"""Characters from a name to the `=` behind its annotation."""
_FUNCTION = re.compile(r"=[ \t]*(?:([^\W\d][\w.]*)$|(?:functools\.)?partial\(([^\W\d][\w.]*))", re.MULTILINE)
"""What may be a function that is assigned, or one with its arguments."""
_RETURNS = re.compile(r"->\s*([^#\n]*(?:Loop|Executor|Pool|Thread|Group|NoReturn|Never)[^#\n]*):\s*(?:#.*)?\Z")
_LONG = 300
"""Characters from which a statement without a word is worth blanking."""


class Slim(NamedTuple):
    """What is left of a text, and the row (from 0) in it that each row of what is left comes from."""

    text: str
    rows: Sequence[int]


class _Text(NamedTuple):
    """A text as lines, its outline, and where the words stand in it, sorted."""

    text: str
    lines: Sequence[LogicalLine]
    outline: Outline
    hits: Sequence[int]


def slim(text: str, scanned: Scan, words: Sequence[str], caught: Sequence[str], names: Iterable[str]) -> Slim | None:
    """The text (newlines all `\\n`) without what no rule needs; None where that is all of it.

    A word makes the function it stands in worth reading; one of `caught` where an async function handles it. What
    is bound to one of `names` is kept as if it were read.
    """
    if not scanned.sound:
        return Slim(text, range(text.count("\n") + 1))
    lines = [line for line in scanned.lines if not line.blank]
    found = [
        at
        for at in hits(text, words)
        if not _in_string(text, scanned, at)
        and not (text.startswith(IN_HANDLERS, at) and in_handler(text, lines, line_at(lines, at)))
    ]
    whole = _Text(text, lines, outline(text, lines), found)
    aliases = _aliases(whole)
    while aliases:
        more = (at for at in hits(text, aliases) if not _in_string(text, scanned, at))
        whole = whole._replace(hits=sorted({*whole.hits, *more}))
        if aliases.issuperset(more_aliases := _subclasses(whole)):
            break
        aliases |= more_aliases
    catching = sorted({line_at(lines, at) for at in hits(text, caught)})
    handlers = [lines[row].start for row in catching if may_swallow(text, lines, row)]
    kept = _kept(whole, handlers, aliases, frozenset(names))
    if kept is None:
        return None
    read = _read(whole, kept).union(names)
    found_outside = _mentioned(whole, read)
    read.update(name for block in found_outside for name in NAME.findall(text, block.start, block.end))
    read.update(name for block in whole.outline.functions for name in _returned(whole, block, kept, read))
    found_outside |= {b for b in whole.outline.statements if _is_import(text, b) and _binds_any(text, b, read)}
    kept.update((row, True) for block in found_outside for row in range(block.first, block.last))
    return _render(whole, kept, read)


def _aliases(whole: _Text) -> set[str]:
    """The names that the statements outside functions give to what the words stand for."""
    return {name for block in whole.outline.statements for name in _renamed(whole, block)} | _subclasses(whole)


def _renamed(whole: _Text, block: Block) -> Iterator[str]:
    text = whole.text
    found = _hits_in(whole, block.start, block.end)
    if not found:
        return
    if _is_import(text, block):
        yield from _ALIAS.findall(text, block.start, block.end)
    elif not _CALLED.match(text, found[0]):
        yield from _bound(text, block)


def _subclasses(whole: _Text) -> set[str]:
    """The names of the classes with a word in their header."""
    return {c.name for c in whole.outline.classes if _is_hit(whole, c.start, whole.lines[c.header].end)}


def _hits_in(whole: _Text, start: int, end: int) -> Sequence[int]:
    return whole.hits[bisect.bisect_left(whole.hits, start) : bisect.bisect_left(whole.hits, end)]


def _is_hit(whole: _Text, start: int, end: int) -> bool:
    return _any_in(whole.hits, start, end)


def _any_in(offsets: Sequence[int], start: int, end: int) -> bool:
    at = bisect.bisect_left(offsets, start)
    return at < len(offsets) and offsets[at] < end


def _in_string(text: str, scanned: Scan, at: int) -> bool:
    """Whether an offset is in a comment, or in a string of several lines that is no f-string."""
    for spans in (scanned.comments, scanned.strings):
        index = bisect.bisect_right(spans, (at, at)) - 1
        if index >= 0 and spans[index][0] <= at < spans[index][1]:
            prefix = text[max(0, spans[index][0] - 2) : spans[index][0]]
            return spans is scanned.comments or "f" not in prefix.lower()
    return False


def _kept(whole: _Text, handlers: Sequence[int], aliases: Set[str], names: Set[str]) -> dict[int, bool] | None:
    """The rows that stay of the functions: True with each, False where a placeholder must stand. None where nothing in
    the text is worth reading."""
    text, lines, functions = whole.text, whole.lines, whole.outline.functions
    spawning = [b for b in functions if _is_hit(whole, b.start, b.end)]
    outside = [b for b in whole.outline.statements if _is_hit(whole, b.start, b.end)]
    catching = {
        b for b in functions if _any_in(handlers, b.start, b.end) and text.find("async def", b.start, b.end) >= 0
    }
    running = {
        b
        for b in functions
        if b.name == "run" and any(c.first < b.first < c.last and c.name in aliases for c in whole.outline.classes)
    }
    if not (spawning or catching or running or any(not _is_import(text, b) for b in outside)):
        return None
    read = {b: said(text, lines, b) for b in (*spawning, *outside)}
    traces = [trace(text, lines, b, read[b], _hits_in(whole, b.start, b.end), frozenset(), names) for b in read]
    targets = {name for one in traces for name in one.targets}
    renamed = _functions_under(targets, text, {b.name for b in functions})
    targets.update(renamed.values())
    spawned = {b: evidence(text, lines, b) for b in functions if b.name in targets}
    complete = running | {b for b, rows in spawned.items() if rows is None}
    callers = {*complete, *spawned, *(b for b in spawning if any(targets & n for n in read[b].defines.values()))}
    judged, called = _called(whole, callers)
    complete |= judged | _decorated(whole, {b.name for b in spawning})
    calls = {name for b in (*judged, *called) for name in (b.name, f".{b.name}")}
    flows, needs = _shared(whole, spawning, traces)
    needs.update(name for alias in renamed for name in (alias, f".{alias}"))
    told_at = sorted(at for name in flows for at in places(text, name))
    made_at = sorted(at for name in {n.lstrip(".") for n in needs} for at in _bindings(text, name))
    kept: dict[int, bool] = {}
    for block in functions:
        if block in complete:
            kept.update((row, True) for row in range(block.first, block.last))
            continue
        told = flows if _any_in(told_at, block.start, block.end) else frozenset()
        made = needs if _any_in(made_at, block.start, block.end) else frozenset()
        if (catching or callers) and text.find(".cancel(", block.start, block.end) >= 0:
            told = told | {".cancel"}
        is_asked = not needs.isdisjoint((block.name, f".{block.name}"))
        known = {*(spawned.get(block) or ()), *called.get(block, ())}
        if told or made or is_asked or known or block in spawning or block in spawned or block in catching:
            its = read.get(block) or said(text, lines, block)
            rows = trace(text, lines, block, its, _hits_in(whole, block.start, block.end), told, made | names).rows
            rows |= known
            if block in callers:
                rows.update(row for row, said_there in its.names.items() if not calls.isdisjoint(said_there))
            if block in catching:
                rows.update(awaits(text, lines, block))
            kept.update((row, True) for row in range(block.first, block.header + 1))
            kept.update(skeleton(text, lines, block.header + 1, block.last, rows))
    return kept


def _bindings(text: str, name: str) -> Iterator[int]:
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


def _called(whole: _Text, callers: Iterable[Block]) -> tuple[set[Block], dict[Block, set[int]]]:
    """The functions that these call, where it matters what is in them: those to read whole, as they may end an endless
    loop, or are what `run` only hands on to; and the rows of others in which an error may be hidden."""
    text, lines = whole.text, whole.lines
    handling: set[str] = set()
    judged: set[str] = set()
    for block in callers:
        is_judged = block.name == "run" or may_not_end(text, lines, block)
        (judged if is_judged else handling).update(_CALLED_HERE.findall(text, block.start, block.end))
    functions = whole.outline.functions
    handling -= judged
    hidden = {b: set(hiding(text, lines, b)) for b in functions if b.name in handling}
    return {b for b in functions if b.name in judged}, {b: rows for b, rows in hidden.items() if rows}


def _decorated(whole: _Text, names: Set[str]) -> set[Block]:
    """The functions under a decorator with one of these names: it may spawn them."""
    return {
        block
        for block in whole.outline.functions
        if block.first < block.header
        and not names.isdisjoint(_words(whole.text, block.start, whole.lines[block.header].start))
    }


def _shared(whole: _Text, spawning: Sequence[Block], traces: Sequence[Trace]) -> tuple[set[str], set[str]]:
    """The names that say something of the spawns in other functions too: those that handles go to (attributes with a
    dot in front) or whose calls are asked for, and those that the words are methods of."""
    text = whole.text
    shared = {name for b in whole.outline.statements for name in _bound(text, b)}
    shared.update(n.strip() for g in _GLOBAL.findall(text) for n in g.split(","))
    flows = {n for one in traces for n in one.stores if n[0] == "." or n in shared}
    flows |= {n for n in _GETATTR.findall(text) if f".{n}" in flows}
    flows |= {
        b.name for b in spawning if any(text.startswith(IN_HANDLERS, at) for at in _hits_in(whole, b.start, b.end))
    }
    receivers = {n for one in traces for n in one.receivers}
    return flows, {n for n in receivers if n in shared or n[0] == "."}


def _words(text: str, start: int, end: int) -> set[str]:
    return set(_WORD.findall(text, start, end))


def _is_import(text: str, block: Block) -> bool:
    return _IMPORT.match(text, block.start, block.end) is not None


def _bound(text: str, block: Block) -> tuple[str, ...]:
    """The name that a statement assigns to or annotates."""
    bound = _BOUND.match(text, block.start, block.end)
    return (bound[1],) if bound else ()


def _read(whole: _Text, kept: Mapping[int, bool]) -> set[str]:
    """The names in what is kept: in the functions, the statements with a word in them, and all headers."""
    text, lines = whole.text, whole.lines
    rows = {row for row, stays in kept.items() if stays}
    blocks = (*whole.outline.functions, *whole.outline.statements)
    rows.update(set(range(len(lines))).difference(row for b in blocks for row in range(b.first, b.last)))
    rows.update(b.first for b in whole.outline.statements if _is_hit(whole, b.start, b.end))
    return {name for row in rows for name in NAME.findall(text, lines[row].start, lines[row].end)}


def _mentioned(whole: _Text, read: set[str]) -> set[Block]:
    """The statements outside functions that say something of what is kept: those with a word, and those, but for
    imports, that are about a name that is read there."""
    text, statements = whole.text, whole.outline.statements
    found = {block for block in statements if _is_hit(whole, block.start, block.end)}
    targets = {name for group in _LOOPS.findall(text) for name in _WORD.findall(group)}
    names = {*_NAMED.findall(text), *targets} & read
    names |= {n for b in statements for n in _bound(text, b) if _is_read(whole, b, n, read)}
    for block in statements:
        bound = _BOUND.match(text, block.start, block.end)
        if bound and bound[1] in names:
            if block.end - block.start < _LONG or _CALLED.search(text, block.start, min(block.end, bound.end() + 80)):
                found.add(block)
        elif not bound and block.end - block.start < _LONG and names & _words(text, block.start, block.end):
            found.add(block)
    return found


def _returned(whole: _Text, block: Block, kept: Mapping[int, bool], read: Set[str]) -> list[str]:
    """The names in what a function returns, where a stub of it stays."""
    if block.first in kept or not _is_read(whole, block, block.name, read):
        return []
    typed = _RETURNS.search(whole.text, whole.lines[block.header].start, whole.lines[block.header].end)
    return NAME.findall(typed[1]) if typed else []


def _is_read(whole: _Text, block: Block, name: str, read: Set[str]) -> bool:
    """Whether what a statement binds is read: in a class, as an attribute too."""
    return name in read or (whole.lines[block.first].indent > 0 and f".{name}" in read)


def _binds_any(text: str, block: Block, names: Set[str]) -> bool:
    """Whether an import may bind one of the names."""
    bound = text[block.start : block.end].rpartition("import")[2]
    return "*" in bound or not names.isdisjoint(_WORD.findall(bound))


def _render(whole: _Text, kept: Mapping[int, bool], read: Set[str]) -> Slim:
    """The logical lines that are kept and all headers; a stub for what else binds a name that is read; a placeholder
    where a body would be empty, or where something stood. Blank lines and comments of their own go."""
    text, lines = whole.text, whole.lines
    pieces: list[str] = []
    rows: list[int] = []
    row = counted = 0
    starting = {block.first: block for block in (*whole.outline.functions, *whole.outline.statements)}
    left_out_to = kept_to = 0
    empty: tuple[int, str] | None = None  # a header without a body yet: its columns and its margin
    for at, line in enumerate(lines):
        if at < left_out_to or (at < kept_to and at not in kept):
            continue
        row += text.count("\n", counted, line.start)
        counted = line.start
        piece = text[line.start : line.end]
        block = starting.get(at)
        if block is not None:
            if at in kept:
                kept_to = block.last
                if not block.kind and (imported := _FROM.match(piece)):
                    piece = _narrowed(imported, read)
            else:
                left_out_to = block.last
                piece = (
                    _stub(whole, block)
                    if _is_read(whole, block, block.name, read)
                    else _placeholder(whole, block, read)
                )
                if not piece:
                    continue
        elif not kept.get(at, True):
            piece = f"{margin(text, line)}0"
        if empty is not None and line.indent <= empty[0]:
            pieces.append(f"{empty[1]} 0\n")
            rows.append(row)
        is_header = at >= max(kept_to, left_out_to) and at + 1 < len(lines) and lines[at + 1].indent > line.indent
        empty = (line.indent, margin(text, line)) if is_header else None
        pieces.append(piece if piece.endswith("\n") else f"{piece}\n")
        rows.extend(range(row, row + pieces[-1].count("\n")))
    if empty is not None:
        pieces.append(f"{empty[1]} 0\n")
        rows.append(row)
    rows.append(row)
    return Slim("".join(pieces), rows)


def _narrowed(statement: re.Match[str], read: Set[str]) -> str:
    """A `from x import (...)` of several lines with only the names that are read."""
    names = _COMMENT.sub("", statement[2]).split(",")
    kept = [name.strip() for name in names if not read.isdisjoint(_WORD.findall(name))]
    return f"{statement[1]}{', '.join(' '.join(name.split()) for name in kept)}" if kept else statement[0]


def _stub(whole: _Text, block: Block) -> str:
    """What stands for a function: its name, and what it returns where that may be spawned on."""
    text, header = whole.text, whole.lines[block.header]
    if block.last - block.first == 1 and block.end - block.start < _LONG:
        return text[block.start : block.end]
    typed = _RETURNS.search(text, header.start, header.end)
    return f"{margin(text, header)}{block.kind} {block.name}(*_){f' -> {typed[1]}' if typed else ''}: ..."


def _placeholder(whole: _Text, block: Block, read: Set[str]) -> str:
    """What stands for a statement: the name it binds, if that is read."""
    bound = _BOUND.match(whole.text, block.start, block.end)
    if block.kind or bound is None or not _is_read(whole, block, bound[1], read):
        return ""
    return f"{margin(whole.text, whole.lines[block.first])}{bound[1]} = ..."
