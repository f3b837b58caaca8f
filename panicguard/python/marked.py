"""A text as logical lines and blocks, and where the words stand in it that make a function worth reading."""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.lines import line_at
from panicguard.python.apis import IN_HANDLERS
from panicguard.python.outline import outline
from panicguard.python.screen import hits
from panicguard.python.suspects import in_handler

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from panicguard.lines import LogicalLine, Scan
    from panicguard.python.outline import Block, Outline

BOUND = re.compile(r"[ \t\f]*(\w+)\s*(?::|=(?!=))")
"""A statement that assigns to a name or annotates it."""
WORD = re.compile(r"\w+")
CALLED = re.compile(r"\b(\w+)\s*\(")
_ALIAS = re.compile(r"\bas\s+(\w+)")
_IMPORT = re.compile(r"[ \t\f]*(?:[^\n]*;[ \t\f]*)?(?:lazy[ \t]+)?(?:import|from)\b")


class Marked(NamedTuple):
    """A text without its blank lines, its outline, and the offsets of the words in it, sorted. `aliases` are the names
    that it gives to what the words stand for."""

    text: str
    lines: Sequence[LogicalLine]
    outline: Outline
    hits: Sequence[int]
    aliases: Set[str] = frozenset()

    def hits_in(self, start: int, end: int) -> Sequence[int]:
        return self.hits[bisect.bisect_left(self.hits, start) : bisect.bisect_left(self.hits, end)]

    def is_hit(self, start: int, end: int) -> bool:
        return any_in(self.hits, start, end)


def mark(text: str, scanned: Scan, words: Sequence[str]) -> Marked:
    """The text marked with the words, and with the names that it gives them."""
    lines = [line for line in scanned.lines if not line.blank]
    found = [
        at
        for at in hits(text, words)
        if not _in_string(text, scanned, at)
        and not (text.startswith(IN_HANDLERS, at) and in_handler(text, lines, line_at(lines, at)))
    ]
    marked = Marked(text, lines, outline(text, lines), found)
    aliases = {name for block in marked.outline.statements for name in _renamed(marked, block)} | _subclasses(marked)
    while aliases:
        more = (at for at in hits(text, aliases) if not _in_string(text, scanned, at))
        marked = marked._replace(hits=sorted({*marked.hits, *more}), aliases=aliases)
        if aliases.issuperset(more_aliases := _subclasses(marked)):
            break
        aliases = aliases | more_aliases
    return marked


def any_in(offsets: Sequence[int], start: int, end: int) -> bool:
    """Whether one of the offsets, sorted, is between two others."""
    at = bisect.bisect_left(offsets, start)
    return at < len(offsets) and offsets[at] < end


def is_import(text: str, block: Block) -> bool:
    return _IMPORT.match(text, block.start, block.end) is not None


def bound(text: str, block: Block) -> tuple[str, ...]:
    """The name that a statement assigns to or annotates."""
    found = BOUND.match(text, block.start, block.end)
    return (found[1],) if found else ()


def _renamed(marked: Marked, block: Block) -> Iterator[str]:
    """The names that a statement outside functions gives to what the words stand for."""
    text = marked.text
    found = marked.hits_in(block.start, block.end)
    if not found:
        return
    if is_import(text, block):
        yield from _ALIAS.findall(text, block.start, block.end)
    elif not CALLED.match(text, found[0]):
        yield from bound(text, block)


def _subclasses(marked: Marked) -> set[str]:
    """The names of the classes with a word in their header."""
    return {c.name for c in marked.outline.classes if marked.is_hit(c.start, marked.lines[c.header].end)}


def _in_string(text: str, scanned: Scan, at: int) -> bool:
    """Whether an offset is in a comment, or in a string of several lines that is no f-string."""
    for spans in (scanned.comments, scanned.strings):
        index = bisect.bisect_right(spans, (at, at)) - 1
        if index >= 0 and spans[index][0] <= at < spans[index][1]:
            prefix = text[max(0, spans[index][0] - 2) : spans[index][0]]
            return spans is scanned.comments or "f" not in prefix.lower()
    return False
