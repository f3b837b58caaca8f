"""A row of code that is too long, broken at its brackets as Black and Ruff would.

What is in the last brackets goes on one row, indented; if that is still too long, each part of it on its own, with a
comma behind the last.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import NamedTuple

from panicguard.python.lex import TOKEN
from panicguard.report.width import columns

_PART = rf"(?P<comma> ,) | (?P<word> [^\W\d]\w*) | (?P<colon> :) | {TOKEN}"
_TRAILER = re.compile(r"\s*(?:\.\s*\w+)*\s*")


class Limits(NamedTuple):
    """How long a row may be, in columns, and what one level of indentation is."""

    length: int
    unit: str


class _Level(NamedTuple):
    """What is in no brackets: where pairs of them open and close, where commas are, and what begins the parts of a
    comprehension."""

    pairs: list[tuple[int, int]]
    commas: list[int]
    clauses: list[int]


@functools.cache
def _tokens() -> re.Pattern[str]:
    return re.compile(_PART, re.VERBOSE | re.DOTALL)


def brackets(text: str, start: int, end: int) -> list[tuple[int, bool]]:
    """Where brackets stand in a part of a text, and whether they open."""
    tokens = _tokens().finditer(text, start, end)
    return [(t.start(), t.lastgroup == "open") for t in tokens if t.lastgroup in ("open", "close")]


def is_balanced(row: str) -> bool:
    """Whether each bracket of a row is opened and closed in it."""
    return _level(row) is not None


def broken(row: str, limits: Limits, remark: str = "") -> list[str]:
    """The rows of a row whose brackets are balanced, the last of which `remark` follows: one, if it is short enough or
    has nothing to break at."""
    if columns(row + remark) <= limits.length:
        return [row]
    pair = _pair(row, limits)
    return [row] if pair is None else _broken_at(row, *pair, limits)


def broken_at(row: str, opening: int, limits: Limits) -> list[str]:
    """The rows of a row that is broken at the brackets that open at an offset."""
    depth = 0
    for at, is_opening in brackets(row, 0, len(row)):
        if at >= opening:
            depth += 1 if is_opening else -1
            if not depth:
                return _broken_at(row, opening, at, limits)
    return [row]


def listed(row: str, limits: Limits) -> list[str]:
    """The rows of one that is all that stands in some brackets, and is too long: a row for each of its parts."""
    text = row.strip()
    return _body(text, row[: len(row) - len(row.lstrip())], limits)


def _broken_at(row: str, opening: int, closing: int, limits: Limits) -> list[str]:
    margin = row[: len(row) - len(row.lstrip())]
    body = _body(row[opening + 1 : closing].strip(), f"{margin}{limits.unit}", limits)
    return [row[: opening + 1], *body, f"{margin}{row[closing:]}"]


def _body(text: str, margin: str, limits: Limits) -> list[str]:
    """The rows of what is in brackets."""
    if not text.endswith(",") and columns(margin + text) <= limits.length:
        return [margin + text]
    level = _level(text)
    if level is not None and level.commas:
        parts = _parts(text, [at + 1 for at in level.commas])
        return [row for part in parts for row in broken(f"{margin}{part.removesuffix(',').rstrip()},", limits)]
    clauses = [] if level is None else level.clauses
    return [row for part in _parts(text, clauses) for row in broken(margin + part, limits)]


def _parts(text: str, ends: list[int]) -> list[str]:
    parts = [text[start:end].strip() for start, end in itertools.pairwise((0, *ends, len(text)))]
    return [part for part in parts if part]


def _pair(row: str, limits: Limits) -> tuple[int, int] | None:
    """The brackets to break at: the last ones, or those before in a chain of calls, if what stands before the last ones
    is too long itself."""
    level = _level(row)
    filled = [] if level is None else [pair for pair in level.pairs if row[pair[0] + 1 : pair[1]].strip()]
    for at in reversed(range(len(filled))):
        opening, closing = filled[at]
        is_chained = _TRAILER.fullmatch(row, filled[at - 1][1] + 1, opening) if at else None
        if columns(row[: opening + 1]) <= limits.length or not is_chained:
            return opening, closing
    return None


def _level(text: str) -> _Level | None:
    """The outermost level of a text; None if its brackets are not balanced."""
    found = _Level([], [], [])
    depth = opening = lambdas = 0
    previous = ""
    for token in _tokens().finditer(text):
        kind = token.lastgroup
        if kind == "close":
            depth -= 1
            if depth < 0:
                return None
            if depth == 0:
                found.pairs.append((opening, token.start()))
        elif kind == "open":
            opening = opening if depth else token.start()
            depth += 1
        elif depth == 0:
            lambdas += (token[0] == "lambda") - (kind == "colon" and lambdas > 0)
            if kind == "comma" and not lambdas:
                found.commas.append(token.start())
            elif token[0] in ("for", "async", *(("if",) if found.clauses else ())) and previous != "async":
                found.clauses.append(token.start())
        previous = token[0]
    return found if depth == 0 else None
