"""IPython's own syntax in the cells of a notebook: `%magic`, `!command`, `x = !command`, `?help`, `help?`.

The text that is parsed has a replacement of the same length in their place, so that every offset stays valid.
"""

from __future__ import annotations

import bisect
import dataclasses
import functools
import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from panicguard.python.lex import TOKEN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from panicguard.diagnostic import Edit, Fix
    from panicguard.source import Source

_ASSIGNED = r"(?<![-+*/%&|^@<>=!:]) = [ \t]* (?: \\\r?\n[ \t]* )? (?=[%!])"
_MAY_HAVE_SOME = rf"^[ \t\f]*[%!?/,;] | {_ASSIGNED} | \?"
_ITEM = rf"{TOKEN} | (?P<assigned> {_ASSIGNED} ) | (?P<help> \? )"
_FLAGS = re.MULTILINE | re.VERBOSE | re.DOTALL
"""Those of the two long patterns, which are compiled at their first use: most runs have no notebooks."""
_MARGIN = re.compile(r"[ \t\f]*(?=[%!?/,;])")
_REST = re.compile(r"(?:\\\r?\n|[^\r\n])*")
_END_OF_HELP = re.compile(r"\??[ \t]*(?:#[^\r\n]*)?(?=[\r\n]|\Z)")
_OWN_NAMES = re.compile(r"\s*%%(?:timeit|python3?|pypy)\b")
"""The cells with a namespace of their own: an import in one is not visible in the next."""


class _Magics(NamedTuple):
    """The text of all cells as Python can read it, and the ranges that no edit may touch: whole lines, whole cells, in
    the order of the text and apart."""

    text: str
    kept: tuple[tuple[int, int], ...]


class _Magic(NamedTuple):
    """`text[start:end]`, in the logical line that starts at `line`; `value` replaces it: empty if no statement or value
    is needed."""

    line: int
    start: int
    end: int
    value: str


def as_python(source: Source) -> Source:
    """The source without its magics; the same source if it is not a notebook."""
    return dataclasses.replace(source, text=_magics(source).text) if source.cells else source


class Magics:
    """What no fix may touch in a notebook."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._kept = _magics(source).kept

    def are_left_by(self, fix: Fix) -> bool:
        """Whether each edit of a fix stays within one cell, and does not touch the magics in it."""
        return all(map(self._is_left, fix.edits))

    def _is_left(self, edit: Edit) -> bool:
        _, start, end = self._source.cell(edit.start)
        before = edit.content or self._source.text[max(start, edit.start - 1) : edit.start]
        ends_line = before[-1:] in ("", "\n")
        if edit.end > end or (edit.end == end and not ends_line):
            return False
        first = bisect.bisect_right(self._kept, edit.start, key=lambda kept: kept[1])
        for low, _ in itertools.islice(self._kept, first, None):
            if edit.end < low:
                return True
            if not (edit.end == low > start and ends_line):
                return False
        return True


def _magics(source: Source) -> _Magics:
    return _replace(source.text, (*(cell.start for cell in source.cells), len(source.text)))


@functools.lru_cache(maxsize=4)
def _replace(text: str, borders: tuple[int, ...]) -> _Magics:
    if not re.search(_MAY_HAVE_SOME, text, _FLAGS):
        return _Magics(text, ())
    pieces: list[str] = []
    kept: list[tuple[int, int]] = []
    done = 0
    for start, end in itertools.pairwise(borders):
        is_kept = _OWN_NAMES.match(text, start, end) is not None
        if is_kept:
            kept.append((start, end))
        for magic in _in_cell(text, start, end):
            left = text[magic.start + len(magic.value) : magic.end]
            pieces += text[done : magic.start], magic.value, re.sub(r"[^\r\n]", " ", left)
            if not is_kept:
                kept.append((magic.line, magic.end + 1))
            done = magic.end
    return _Magics("".join((*pieces, text[done:])), tuple(kept))


def _in_cell(text: str, start: int, end: int) -> Iterator[_Magic]:
    depth = 0
    at = line = start
    while at < end:
        magic = None
        if at == line and (margin := _MARGIN.match(text, at, end)):
            magic = _Magic(line, margin.end(), _rest(text, at, end), "0" if margin.end() > at else "")
        elif token := re.compile(_ITEM, _FLAGS).search(text, at, end):
            at = token.end()
            match token.lastgroup:
                case "open":
                    depth += 1
                case "close":
                    depth = max(0, depth - 1)
                case "margin" if depth == 0:
                    line = at = token.end("newline")
                case "assigned" if depth == 0:
                    magic = _Magic(line, at, _rest(text, at, end), "0")
                case "help" if depth == 0 and (rest := _END_OF_HELP.match(text, at, end)):
                    body = line + len(text[line:at]) - len(text[line:at].lstrip())
                    magic = _Magic(line, body, rest.end(), "0" if body > line else "")
                case "end":
                    return
        if magic is not None:
            yield magic
            at = line = magic.end + 1


def _rest(text: str, at: int, end: int) -> int:
    """The end of a physical line, with those that backslashes join to it."""
    return _REST.match(text, at, end).end()  # type: ignore[union-attr]
