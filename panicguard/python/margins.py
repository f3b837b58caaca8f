"""What the margins of rows say of a place in a text, before anything is parsed.

Where strings of several rows may mislead, the answer is the one that leaves the question open.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROW = re.compile(r"\n([ \t\f]*)(?=[^\s#])")
"""The start of a row of code, with what it is indented by."""
_OPENING = re.compile(
    r"\n([ \t\f]*)(?:(async[ \t\f]+)?(def|class)|(?:async[ \t\f]+)?(?:for|with)"
    r"|if|elif|else|while|try|except|finally|match|case)\b"
)
"""What a row begins with that others stand under."""
_HEADER = re.compile(r"(?:[^:#]|#[^\n]*)*:")
_LEAVES = re.compile(r"\b(?:return|break|continue)\b")
_GOES_ON = re.compile(r"\b(?:return|break|continue|yield)\b")
_RAISES = re.compile(r"\n([ \t]*)raise[ \t]*(?:#[^\n]*)?\s*\Z")
_RETURN = re.compile(r"\r(?!\n)(?!\Z)")
"""The newline of old, which is looked for nowhere else here."""
_JOINED = re.compile(r"\\[\r\n]")
_PAIRS = (("(", ")"), ("[", "]"), ("{", "}"))
QUOTES = ('"""', "'''")


class _Openings(NamedTuple):
    """The rows of a text that others stand under: where each starts, its columns, what it begins, the number of the
    last one before it with fewer columns (-1: none), and how many of each of the kinds of quotes stand before it."""

    starts: Sequence[int]
    columns: Sequence[int]
    matches: Sequence[re.Match[str]]
    outer: Sequence[int]
    kinds: Sequence[str]
    quotes: Sequence[Sequence[int]]


@functools.lru_cache(maxsize=2)
def _openings(text: str) -> _Openings:
    matches = list(_OPENING.finditer(f"\n{text}"))
    starts = [match.start() for match in matches]
    columns = [_columns(match[1]) for match in matches]
    outer: list[int] = []
    for number, width in enumerate(columns):
        above = number - 1
        while above >= 0 and columns[above] >= width:
            above = outer[above]
        outer.append(above)
    between = list(itertools.pairwise((0, *starts)))
    kinds = [kind for kind in QUOTES if kind in text]
    quotes = [list(itertools.accumulate(text.count(kind, *span) for span in between)) for kind in kinds]
    return _Openings(starts, columns, matches, outer, kinds, quotes)


def may_be_in_async(text: str, at: int) -> bool:
    """Whether the nearest function around a place may be async."""
    start = text.rfind("\n", 0, at) + 1
    if _is_joined(text, start) or _RETURN.search(text, start, at):
        return True
    margin = _columns(text[start:at])
    found = _openings(text)
    number = last = bisect.bisect_left(found.starts, start) - 1
    here = [text.count(kind, found.starts[last], at) for kind in found.kinds] if last >= 0 else []
    while margin and number >= 0:
        if found.columns[number] >= margin:
            number = found.outer[number]
            continue
        opening, row = found.matches[number], found.starts[number]
        if _is_joined(text, row) or _RETURN.search(text, row, text.find("\n", row)):
            return True
        between = zip(found.quotes, here, strict=True)
        if any((counts[last] - counts[number] + more) % 2 for counts, more in between):  # it is in a string
            number -= 1
            continue
        if opening[3]:
            return opening[2] is not None
        margin, number = found.columns[number], found.outer[number]
    return margin > 0


def may_be_left(text: str, at: int) -> bool:
    """Whether a clause that begins at an offset may hold a statement that leaves it."""
    block = _block(text, at)
    return block is None or _LEAVES.search(block) is not None


def may_go_on(text: str, at: int) -> bool:
    """Whether what stands under the row of an offset may end otherwise than by raising at its end."""
    block = _block(text, at)
    if block is None or _GOES_ON.search(block):
        return True
    raising, body = _RAISES.search(block), _ROW.search(block)
    return raising is None or body is None or raising[1] != body[1]


def _block(text: str, at: int) -> str | None:
    """From an offset up to the first row that is no deeper than its own; None where strings or brackets of several rows
    make the end uncertain."""
    start = text.rfind("\n", 0, at) + 1
    if _is_joined(text, start) or _RETURN.search(text, start, at):
        return None
    margin = _columns(text[start:at])
    header = _HEADER.match(text, at)
    if header is None:
        return None
    end = next((m.start() for m in _ROW.finditer(text, header.end()) if _columns(m[1]) <= margin), len(text))
    block = text[at:end]
    if (
        any(quotes in block for quotes in QUOTES)
        or _JOINED.search(text, at, end + 1)
        or _RETURN.search(block)
        or any(block.count(a) != block.count(b) for a, b in _PAIRS)
    ):
        return None
    return block


def _is_joined(text: str, start: int) -> bool:
    """Whether a backslash joins the row that starts at an offset to the one before."""
    return text[max(0, start - 3) : start].rstrip("\r\n").endswith("\\")


def _columns(row: str) -> int:
    """How many columns the margin of a row has: a form feed starts it again."""
    margin = row[: len(row) - len(row.lstrip(" \t\f"))]
    return len(margin.rpartition("\f")[2].expandtabs())
