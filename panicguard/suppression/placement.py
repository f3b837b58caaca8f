"""Where suppression comments apply, and on which lines a diagnostic looks for one.

The placement is Ruff's, and wider where a multi-line call or an argument list leaves no other place for a
comment. Offsets count code points of `Source.text`.
"""

from __future__ import annotations

import bisect
import dataclasses
import heapq
import itertools
import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from panicguard.languages import style
from panicguard.lines import Scan, line_at
from panicguard.suppression.directives import Code, Complaint, Directive, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Diagnostic
    from panicguard.lines import LogicalLine
    from panicguard.source import Source


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """Where one code of a directive applies: to a row, or to what lies between `low` and `high`.

    `closing` is the same code in the `enable` that ends it.
    """

    directive: Directive
    code: Code | None
    rank: int
    low: int = 0
    high: int = 0
    row: int = 0
    closing: tuple[Directive, Code] | None = None


def place_in(source: Source, scanned: Scan, diagnostic: Diagnostic) -> Diagnostic:
    """The diagnostic with its `noqa_row`: where it starts, or the last row of the string or of the lines joined by
    backslashes that this row is in."""
    if not diagnostic.is_rule:
        return diagnostic
    return dataclasses.replace(diagnostic, noqa_row=_comment_row(source, scanned, source.location(diagnostic.start)[0]))


def _comment_row(source: Source, scanned: Scan, row: int) -> int:
    """The row on which a comment for this diagnostic stands."""
    line_start, line_end = row_span(source, row)
    for start, end in heapq.merge(_ending_from(scanned.strings, line_start), _ending_from(scanned.joined, line_start)):
        if start >= line_end:
            break
        if line_start <= end:
            row = source.location(end)[0]
            line_start, line_end = row_span(source, row)
    return row


def _ending_from(spans: Sequence[tuple[int, int]], offset: int) -> Iterator[tuple[int, int]]:
    """Those of some spans, which are in order and apart, that do not end before an offset."""
    return itertools.islice(spans, bisect.bisect_left(spans, offset, key=lambda span: span[1]), None)


def row_span(source: Source, row: int) -> tuple[int, int]:
    """The start and end of a row, its newline included; past the last row, an empty span at the end of the text."""
    starts = (*source.line_starts[row - 1 : row + 1], len(source.text), len(source.text))
    return starts[0], starts[1]


def _statement(source: Source, scanned: Scan, offset: int) -> tuple[int, int]:
    """The first and last row of the logical line at an offset."""
    line = scanned.lines[line_at(scanned.lines, offset)]
    return source.location(line.start)[0], source.location(max(line.start, line.end - 1))[0]


def rows(source: Source, scanned: Scan, diagnostic: Diagnostic) -> tuple[int, ...]:
    """The rows on which a line's comment reaches the diagnostic, the best first."""
    start = source.location(diagnostic.start)[0]
    first, last = _statement(source, scanned, diagnostic.start) if scanned.lines else (start, start)
    return tuple(dict.fromkeys((diagnostic.noqa_row or start, start, last, first)))


class _Lines:
    """The logical lines of a file that are not blank, and the rows of it that are more than a comment."""

    def __init__(self, source: Source, scanned: Scan) -> None:
        self.source, self.scanned = source, scanned

    @cached_property
    def full(self) -> Sequence[LogicalLine]:
        return [line for line in self.scanned.lines if not line.blank]

    @cached_property
    def _further_left(self) -> Sequence[int]:
        """For each of these lines, the index of the next one that is indented less; their number if there is none."""
        further = [len(self.full)] * len(self.full)
        waiting: list[int] = []
        for at, line in enumerate(self.full):
            while waiting and self.full[waiting[-1]].indent > line.indent:
                further[waiting.pop()] = at
            waiting.append(at)
        return further

    def below(self, line: LogicalLine) -> int:
        """The index of the first of these lines below a line that is blank."""
        return bisect.bisect_right(self.full, line.start, key=lambda line: line.start)

    def end_of_block(self, at: int, indent: int) -> int:
        """Where the first of these lines starts, from the one at an index on, that is indented less than `indent`; past
        the end of the text if there is none."""
        while at < len(self.full) and self.full[at].indent >= indent:
            at = self._further_left[at]
        return self.full[at].start if at < len(self.full) else len(self.source.text) + 1

    @cached_property
    def _full_rows(self) -> Sequence[int]:
        nothing = re.compile(rf"\s*({style(self.source).mark}|$)")
        rows = range(1, len(self.source.line_starts) + 1)
        return [row for row in rows if not nothing.match(self.source.line(row))]

    def full_row(self, row: int) -> int:
        """The first row from this one on that is more than a comment; the row itself if there is none."""
        at = bisect.bisect_left(self._full_rows, row)
        return self._full_rows[at] if at < len(self._full_rows) else row


class _Open:
    """The ranges that `disable` begins, while the directives are read from the top: those that no `enable` has ended
    yet."""

    def __init__(self) -> None:
        self._scopes: dict[int, Scope] = {}
        self._numbers = itertools.count()
        self._waiting: dict[tuple[int, str], list[int]] = {}
        """Block and code -> the numbers of such scopes, the last one at the end."""

    def add(self, block: int, scope: Scope) -> None:
        number = next(self._numbers)
        self._scopes[number] = scope
        if scope.code is not None:
            self._waiting.setdefault((block, scope.code.text), []).append(number)

    def take(self, block: int, code: Code, at: int) -> Scope | None:
        """The last scope of a block and a code that has not ended at an offset, which is beyond all those before."""
        waiting = self._waiting.get((block, code.text), [])
        while waiting:
            number = waiting.pop()
            if self._scopes[number].high > at:
                return self._scopes.pop(number)
        return None

    def rest(self) -> list[Scope]:
        return list(self._scopes.values())


def scopes_of(source: Source, scanned: Scan, directives: Sequence[Directive]) -> tuple[list[Scope], list[Complaint]]:
    """The scope of every code of every directive, and a warning for each `enable` that ends nothing."""
    scopes: list[Scope] = []
    ranges = _Open()
    lines = _Lines(source, scanned)
    stray: list[Complaint] = []
    whole = (0, len(source.text) + 1)

    for directive in directives:
        codes: tuple[Code | None, ...] = (None,) if directive.codes is None else directive.codes
        row = source.location(directive.start)[0]
        match directive.kind:
            case Kind.NOQA:
                scopes += [Scope(directive, code, 2, row=row) for code in codes]
            case Kind.FILE_NOQA | Kind.FLAKE8_NOQA | Kind.FILE_IGNORE:
                scopes += [Scope(directive, code, 0, *whole) for code in codes]
            case Kind.IGNORE:
                if source.text[source.line_starts[row - 1] : directive.comment[0]].strip():
                    scopes += [Scope(directive, code, 1, row=row) for code in codes]
                else:
                    low, high = _next_line(lines, directive.comment[1], row)
                    scopes += [Scope(directive, code, 1, low, high) for code in codes]
            case Kind.DISABLE:
                block, high = _block(lines, directive)
                for code in codes:
                    ranges.add(block, Scope(directive, code, 1, directive.end, high))
            case Kind.ENABLE:
                block, _ = _block(lines, directive)
                for code in codes:
                    assert code is not None
                    scope = ranges.take(block, code, directive.start)
                    if scope is None:
                        what = f"Invalid `{style(source).mark} panicguard: enable` directive"
                        stray.append(Complaint(directive.start, what, f"`{code.text}` is not disabled here"))
                        continue
                    scopes.append(dataclasses.replace(scope, high=directive.start, closing=(directive, code)))
    scopes += ranges.rest()
    return sorted(scopes, key=lambda scope: (scope.rank, -scope.directive.start)), stray


def _next_line(lines: _Lines, offset: int, row: int) -> tuple[int, int]:
    """What an own-line `ignore` that ends at an offset applies to: the next logical line, or within brackets
    the next physical one; blank lines and other comments may stand between."""
    source, scanned = lines.source, lines.scanned
    here = scanned.lines[line_at(scanned.lines, offset - 1)]
    if not here.blank:
        full = lines.full_row(row + 1)
        return row_span(source, full)[0], row_span(source, _comment_row(source, scanned, full))[1]
    at = lines.below(here)
    return (lines.full[at].start, lines.full[at].end) if at < len(lines.full) else (offset, offset)


def _block(lines: _Lines, directive: Directive) -> tuple[int, int]:
    """What an `enable` must share with its `disable`, and the end of the block around an own-line comment.

    Within brackets that is the statement around it; elsewhere the indentation, and the innermost block that
    begins no further right than the comment.
    """
    scanned = lines.scanned
    here = scanned.lines[line_at(scanned.lines, directive.start)]
    if not here.blank:
        return -1 - here.start, here.end
    at = lines.below(here)
    before = lines.full[at - 1].indent if at else 0
    after = lines.full[at].indent if at < len(lines.full) else 0
    indent = max((i for i in (before, after) if i <= here.indent), default=0)
    return here.indent, lines.end_of_block(at, indent)
