"""What of a file must be parsed: its imports, the statements outside functions that say something of what is kept, and
of each function that a rule could speak of the lines a verdict depends on.

A kept line keeps its columns, and `Slim.rows` its number. What is left out and binds a name that is read stays as a
stub. This reads text, not a tree, so it keeps too much rather than too little: what is kept decides the cost, never
the verdict (a test compares both over whole code bases).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.lines import line_at, margin
from panicguard.python import inside, outside
from panicguard.python.marked import BOUND, WORD, mark
from panicguard.python.outside import LONG, is_read, returned
from panicguard.python.screen import hits
from panicguard.python.suspects import may_swallow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence, Set

    from panicguard.lines import Scan
    from panicguard.python.marked import Marked
    from panicguard.python.outline import Block

_FROM = re.compile(r"([ \t\f]*from\s+[\w.]+\s+import\s+)\(([^()]*\n[^()]*)\)\s*(?:#[^\n]*)?\Z")
_COMMENT = re.compile(r"#[^\n]*")


class Slim(NamedTuple):
    """What is left of a text, and the row (from 0) in it that each row of what is left comes from."""

    text: str
    rows: Sequence[int]


def slim(text: str, scanned: Scan, words: Sequence[str], caught: Sequence[str], names: Sequence[str]) -> Slim | None:
    """The text (newlines all `\\n`) without what no rule needs; None where that is all of it.

    A word makes the function it stands in worth reading; one of `caught` where an async function handles it. What
    is bound to one of `names` is kept as if it were read.
    """
    if not scanned.sound:
        return Slim(text, range(text.count("\n") + 1))
    marked = mark(text, scanned, words)
    lines = marked.lines
    if not lines:
        return None
    catching = sorted({line_at(lines, at) for at in hits(text, caught)})
    handlers = [lines[row].start for row in catching if may_swallow(text, lines, row)]
    kept = inside.rows(marked, handlers, frozenset(names))
    if kept is None:
        return None
    statements, read = outside.statements(marked, kept, names)
    kept.update((row, True) for block in statements for row in range(block.first, block.last))
    return _render(marked, kept, read)


def _render(marked: Marked, kept: Mapping[int, bool], read: Set[str]) -> Slim:
    """The logical lines that are kept and all headers; a stub for what else binds a name that is read; a placeholder
    where a body would be empty, or where something stood. Blank lines and comments of their own go."""
    text, lines = marked.text, marked.lines
    pieces: list[str] = []
    rows: list[int] = []
    row = counted = 0
    starting = {block.first: block for block in (*marked.outline.functions, *marked.outline.statements)}
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
                    _stub(marked, block)
                    if is_read(marked, block, block.name, read)
                    else _placeholder(marked, block, read)
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
    kept = [name.strip() for name in names if not read.isdisjoint(WORD.findall(name))]
    return f"{statement[1]}{', '.join(' '.join(name.split()) for name in kept)}" if kept else statement[0]


def _stub(marked: Marked, block: Block) -> str:
    """What stands for a function: its name, and what it returns where that may be spawned on."""
    text, header = marked.text, marked.lines[block.header]
    if block.last - block.first == 1 and block.end - block.start < LONG:
        return text[block.start : block.end]
    typed = returned(marked, block)
    return f"{margin(text, header)}{block.kind} {block.name}(*_){f' -> {typed}' if typed else ''}: ..."


def _placeholder(marked: Marked, block: Block, read: Set[str]) -> str:
    """What stands for a statement: the name it binds, if that is read."""
    bound = BOUND.match(marked.text, block.start, block.end)
    if block.kind or bound is None or not is_read(marked, block, bound[1], read):
        return ""
    return f"{margin(marked.text, marked.lines[block.first])}{bound[1]} = ..."
