"""Which statements outside functions say something of what is kept of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python.marked import BOUND, CALLED, WORD, bound, is_import
from panicguard.python.trace import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from panicguard.python.marked import Marked
    from panicguard.python.outline import Block

_RETURNS = re.compile(r"->\s*([^#\n]*(?:Loop|Executor|Pool|Thread|Group|NoReturn|Never)[^#\n]*):\s*(?:#.*)?\Z")
LONG = 300
"""Characters from which a statement without a word is worth blanking."""
_LOOPS = re.compile(r"for ([\w, ]+?) in\b")
_NAMED = re.compile(r" as (\w+)")


def statements(marked: Marked, kept: Mapping[int, bool], names: Iterable[str]) -> tuple[set[Block], set[str]]:
    """The statements that stay, beside the rows of functions that are kept and what is bound to one of `names`; and
    all names that are read then, attributes with a dot in front."""
    text = marked.text
    read = _read(marked, kept).union(names)
    found = _mentioned(marked, read)
    read.update(name for block in found for name in NAME.findall(text, block.start, block.end))
    read.update(name for block in marked.outline.functions for name in _in_stub(marked, block, kept, read))
    found |= {b for b in marked.outline.statements if is_import(text, b) and _binds_any(text, b, read)}
    return found, read


def is_read(marked: Marked, block: Block, name: str, read: Set[str]) -> bool:
    """Whether what a statement binds is read: in a class, as an attribute too."""
    return name in read or (marked.lines[block.first].indent > 0 and f".{name}" in read)


def returned(marked: Marked, block: Block) -> str:
    """What a function is said to return, where that says something of who calls it; else an empty string."""
    header = marked.lines[block.header]
    typed = _RETURNS.search(marked.text, header.start, header.end)
    return typed[1] if typed else ""


def _read(marked: Marked, kept: Mapping[int, bool]) -> set[str]:
    """The names in what is kept: in the functions, the statements with a word in them, and all headers."""
    text, lines = marked.text, marked.lines
    rows = {row for row, stays in kept.items() if stays}
    blocks = (*marked.outline.functions, *marked.outline.statements)
    rows.update(set(range(len(lines))).difference(row for b in blocks for row in range(b.first, b.last)))
    rows.update(b.first for b in marked.outline.statements if marked.is_hit(b.start, b.end))
    return {name for row in rows for name in NAME.findall(text, lines[row].start, lines[row].end)}


def _mentioned(marked: Marked, read: set[str]) -> set[Block]:
    """The statements with a word in them, and those, but for imports, that are about a name that is read."""
    text, its = marked.text, marked.outline.statements
    found = {block for block in its if marked.is_hit(block.start, block.end)}
    targets = {name for group in _LOOPS.findall(text) for name in WORD.findall(group)}
    names = {*_NAMED.findall(text), *targets} & read
    names |= {n for b in its for n in bound(text, b) if is_read(marked, b, n, read)}
    for block in its:
        is_short = block.end - block.start < LONG
        start = BOUND.match(text, block.start, block.end)
        if start and start[1] in names:
            if is_short or CALLED.search(text, block.start, min(block.end, start.end() + 80)):
                found.add(block)
        elif not start and is_short and not names.isdisjoint(WORD.findall(text, block.start, block.end)):
            found.add(block)
    return found


def _in_stub(marked: Marked, block: Block, kept: Mapping[int, bool], read: Set[str]) -> list[str]:
    """The names in what a function returns, where a stub of it stays."""
    if block.first in kept or not is_read(marked, block, block.name, read):
        return []
    return NAME.findall(returned(marked, block))


def _binds_any(text: str, block: Block, names: Set[str]) -> bool:
    """Whether an import may bind one of the names."""
    imported = text[block.start : block.end].rpartition("import")[2]
    return "*" in imported or not names.isdisjoint(WORD.findall(imported))
