"""Questions about the text of a function, by its logical lines: a No is certain, a Yes is for the tree to judge."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python.apis import HARMLESS
from panicguard.python.outline import above, body_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.lines import LogicalLine
    from panicguard.python.outline import Block

_HANDLER = re.compile(r"[ \t\f]*except\b|.*\bsuppress\s*\(")
_TRY = re.compile(r"[ \t\f]*try\b")
_EXCEPT = re.compile(r"[ \t\f]*except\b")
_HANDLES = re.compile(r"[ \t\f]*(?:except|finally)\b")
_DEFINES = re.compile(r"[ \t\f]*(?:def|async[ \t]+def|class)\b")
_RAISE = re.compile(r"[ \t\f]*raise\b")
_LEAVES = re.compile(r"\b(?:return|break|continue)\b")
_IDLE = re.compile(
    r"[ \t\f]*(?:(?:pass|continue|break|return|None|True|False|print)\b|[-\d\"']|\.\.\.|(?:await\s+)?[\w.]*sleep\s*\()"
)
"""How a statement starts that does nothing with an error."""
_AWAITS = re.compile(r"\b(?:await|async)\b")
_GUARDS = re.compile(r"\b(?:try|with)\b")
_ENDLESS = re.compile(r"[ \t\f]*(?:while\s*\(?(?:True|1)\b|for\b.*\bcount\s*\()")
_STOPS = re.compile(r"[ \t\f]*(?:break|return|raise)\b|.*\b(?:await|yield)\b")
_NESTED = re.compile(r"\b(?:def|lambda|class)\b")
_COMPOUND_OR_TEXT = re.compile(
    r"[ \t\f]*(?:(?:async|class|def|elif|else|except|finally|for|if|match|try|while|with)\b|[@\"'])"
)
_CALL = re.compile(r"\b(\w+)\s*\(")
_TEXT = re.compile(r"""#.*|"[^"\n]*"|'[^'\n]*'""")
"""What is not code, and some more: in it a bracket is no call."""


def in_handler(text: str, lines: Sequence[LogicalLine], row: int) -> bool:
    """Whether a logical line stands in a handler of its function."""
    for at in above(lines, row):
        if _HANDLES.match(text, lines[at].start):
            return True
        if _DEFINES.match(text, lines[at].start):
            return False
    return False


def may_swallow(text: str, lines: Sequence[LogicalLine], row: int) -> bool:
    """Whether a logical line starts a handler, of code that awaits, that does not always end in `raise`."""
    line = lines[row]
    if not _HANDLER.match(text, line.start):
        return False
    last = body_end(lines, row)
    if not _EXCEPT.match(text, line.start):
        return bool(_AWAITS.search(text, line.start, lines[last - 1].end))
    if not _AWAITS.search(text, lines[_start_of_try(text, lines, row)].start, line.start):
        return False
    if last == row + 1:
        return True
    body = lines[row + 1].indent
    final = max(i for i in range(row + 1, last) if lines[i].indent == body)
    return not _RAISE.match(text, lines[final].start) or bool(_LEAVES.search(text, line.end, lines[final].start))


def awaits(text: str, lines: Sequence[LogicalLine], block: Block) -> Iterator[int]:
    """The rows of a function at which a cancellation can arrive."""
    for row in range(block.header + 1, block.last):
        if _AWAITS.search(text, lines[row].start, lines[row].end):
            yield row


def hiding(text: str, lines: Sequence[LogicalLine], block: Block) -> Iterator[int]:
    """The rows of a function in which an error may be hidden: of each `try` of which a handler may do nothing, up to
    that, and of what stands under a `suppress`."""
    for row in range(block.first, block.last):
        if not _HANDLER.match(text, lines[row].start, lines[row].end):
            continue
        end = body_end(lines, row)
        if not _EXCEPT.match(text, lines[row].start):
            yield from range(row, end)
        elif end == row + 1 or all(_IDLE.match(text, lines[below].start) for below in range(row + 1, end)):
            yield from range(_start_of_try(text, lines, row), end)


def _start_of_try(text: str, lines: Sequence[LogicalLine], row: int) -> int:
    """The row of the `try` that a handler belongs to; the handler's own where there is none."""
    for at in range(row - 1, -1, -1):
        if lines[at].indent < lines[row].indent:
            break
        if lines[at].indent == lines[row].indent and _TRY.match(text, lines[at].start):
            return at
    return row


def evidence(text: str, lines: Sequence[LogicalLine], block: Block) -> set[int] | None:
    """The rows of a spawned function that decide what there is to say of it: of its endless loops, of what hides
    errors, and that errors leave it; None where it must be read whole."""
    stops = list(_stops(text, lines, block))
    if None in stops:
        return None
    rows = {*hiding(text, lines, block), *(row for row in stops if row is not None)}
    if _GUARDS.search(text, lines[block.header].end, block.end):
        unguarded = _unguarded(text, lines, block)
        if unguarded is None:
            return None
        rows.add(unguarded)
    return rows


def may_not_end(text: str, lines: Sequence[LogicalLine], block: Block) -> bool:
    """Whether a loop in a function may never be left."""
    return None in _stops(text, lines, block)


def _unguarded(text: str, lines: Sequence[LogicalLine], block: Block) -> int | None:
    """The first simple statement of a function, in none of its compound ones, that may raise."""
    indent = lines[min(block.header + 1, block.last - 1)].indent
    for row in range(block.header + 1, block.last):
        is_simple = lines[row].indent == indent and not _COMPOUND_OR_TEXT.match(text, lines[row].start)
        if is_simple and not HARMLESS.issuperset(_CALL.findall(_code(text, lines[row]))):
            return row
    return None


def _stops(text: str, lines: Sequence[LogicalLine], block: Block) -> Iterator[int | None]:
    """For each endless loop of a function a row that leaves it or waits; None where there may be none."""
    for row in range(block.header + 1, block.last):
        if _ENDLESS.match(text, lines[row].start):
            end = body_end(lines, row)
            nests = _NESTED.search(text, lines[row].end, lines[end - 1].end)
            inside = (i for i in range(row + 1, end) if _STOPS.match(_code(text, lines[i])))
            yield None if nests else next(inside, None)


def _code(text: str, line: LogicalLine) -> str:
    """A line without its texts, for a Yes that must be certain."""
    return _TEXT.sub("", text[line.start : line.end])
