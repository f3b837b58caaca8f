"""Where suppression comments apply, and on which lines a diagnostic looks for one.

The placement is Ruff's, and wider where a multi-line call or an argument list leaves no other place for a
comment. Offsets count code points of `Source.text`.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.languages import style
from panicguard.lines import Scan, line_at
from panicguard.suppression.directives import Code, Complaint, Directive, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Diagnostic
    from panicguard.source import Source


@dataclass(frozen=True, slots=True)
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
    for start, end in sorted((*scanned.strings, *scanned.joined)):
        if start < line_end and line_start <= end:
            row = source.location(end)[0]
            line_start, line_end = row_span(source, row)
    return row


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


def scopes_of(source: Source, scanned: Scan, directives: Sequence[Directive]) -> tuple[list[Scope], list[Complaint]]:
    """The scope of every code of every directive, and a warning for each `enable` that ends nothing."""
    scopes: list[Scope] = []
    open_ranges: list[tuple[int, Scope]] = []
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
                    low, high = _next_line(source, scanned, directive.comment[1], row)
                    scopes += [Scope(directive, code, 1, low, high) for code in codes]
            case Kind.DISABLE:
                block, high = _block(source, scanned, directive)
                open_ranges += [(block, Scope(directive, code, 1, directive.end, high)) for code in codes]
            case Kind.ENABLE:
                block, _ = _block(source, scanned, directive)
                for code in codes:
                    assert code is not None
                    index = next(
                        (
                            i
                            for i in reversed(range(len(open_ranges)))
                            if open_ranges[i][0] == block
                            and open_ranges[i][1].high > directive.start
                            and (opened := open_ranges[i][1].code) is not None
                            and opened.text == code.text
                        ),
                        None,
                    )
                    if index is None:
                        why = f"`{code.text}` is not disabled here"
                        stray.append(
                            Complaint(
                                directive.start, f"Invalid `{style(source).mark} panicguard: enable` directive", why
                            )
                        )
                        continue
                    _, scope = open_ranges.pop(index)
                    scopes.append(dataclasses.replace(scope, high=directive.start, closing=(directive, code)))
    scopes += [scope for _, scope in open_ranges]
    return sorted(scopes, key=lambda scope: (scope.rank, -scope.directive.start)), stray


def _next_line(source: Source, scanned: Scan, offset: int, row: int) -> tuple[int, int]:
    """What an own-line `ignore` that ends at an offset applies to: the next logical line, or within brackets
    the next physical one; blank lines and other comments may stand between."""
    at = line_at(scanned.lines, offset - 1)
    if not scanned.lines[at].blank:
        rows = range(row + 1, len(source.line_starts) + 1)
        full = next((row for row in rows if not re.match(rf"\s*({style(source).mark}|$)", source.line(row))), row + 1)
        return row_span(source, full)[0], row_span(source, _comment_row(source, scanned, full))[1]
    following = next((line for line in scanned.lines[at + 1 :] if not line.blank), None)
    return (following.start, following.end) if following else (offset, offset)


def _block(source: Source, scanned: Scan, directive: Directive) -> tuple[int, int]:
    """What an `enable` must share with its `disable`, and the end of the block around an own-line comment.

    Within brackets that is the statement around it; elsewhere the indentation, and the innermost block that
    begins no further right than the comment.
    """
    at = line_at(scanned.lines, directive.start)
    here = scanned.lines[at]
    if not here.blank:
        return -1 - here.start, here.end
    before = next((line.indent for line in reversed(scanned.lines[:at]) if not line.blank), 0)
    rest = [line for line in scanned.lines[at + 1 :] if not line.blank]
    after = rest[0].indent if rest else 0
    indent = max((i for i in (before, after) if i <= here.indent), default=0)
    return here.indent, next((line.start for line in rest if line.indent < indent), len(source.text) + 1)
