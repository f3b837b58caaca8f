"""Handlers of exceptions in a text, by its logical lines: what must not be read wrong is left to the tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from panicguard.python.outline import body_end

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.python.lex import LogicalLine

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


def in_handler(text: str, lines: Sequence[LogicalLine], row: int) -> bool:
    """Whether a logical line stands in a handler of its function."""
    indent = lines[row].indent
    for line in reversed(lines[:row]):
        if line.indent < indent:
            indent = line.indent
            if _HANDLES.match(text, line.start):
                return True
            if _DEFINES.match(text, line.start):
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
    for above in reversed(lines[:row]):
        if above.indent < line.indent:
            return False
        if above.indent == line.indent and _TRY.match(text, above.start):
            break
    else:
        return False
    if not _AWAITS.search(text, above.start, line.start):
        return False
    if last == row + 1:
        return True
    body = lines[row + 1].indent
    final = max(i for i in range(row + 1, last) if lines[i].indent == body)
    return not _RAISE.match(text, lines[final].start) or bool(_LEAVES.search(text, line.end, lines[final].start))


def may_hide(text: str, lines: Sequence[LogicalLine], first: int, last: int) -> bool:
    """Whether one of these logical lines starts a handler that does nothing, or calls `suppress`."""
    for row in range(first, last):
        if not _HANDLER.match(text, lines[row].start, lines[row].end):
            continue
        if not _EXCEPT.match(text, lines[row].start):
            return True
        end = body_end(lines, row)
        if end == row + 1 or all(_IDLE.match(text, lines[below].start) for below in range(row + 1, end)):
            return True
    return False
