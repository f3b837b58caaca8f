"""Which scope silences a diagnostic: the first in the order of the scopes that holds it and names its code.

Found by one sweep through the ranges for each code, since a file may have as many comments as findings.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

from panicguard.suppression.directives import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from panicguard.diagnostic import Diagnostic
    from panicguard.suppression.placement import Scope

    Names = Callable[[Scope, str], bool]
    """Whether a scope names a code."""


def covering(
    diagnostics: Sequence[Diagnostic], rows: Sequence[Sequence[int]], scopes: Sequence[Scope], names: Names
) -> list[Scope | None]:
    """For each diagnostic, the scope that silences it. `rows` are those on which a comment reaches it, the best first.
    A range comes before a row of the same rank."""
    ranges = [scope for scope in scopes if not scope.row]
    by_row: dict[int, list[Scope]] = {}
    for scope in scopes:
        if scope.row:
            by_row.setdefault(scope.row, []).append(scope)
    by_code: dict[str, list[int]] = {}
    for number, diagnostic in enumerate(diagnostics):
        by_code.setdefault(diagnostic.code, []).append(number)
    found: list[Scope | None] = [None] * len(diagnostics)
    for code, numbers in by_code.items():
        numbers.sort(key=lambda number: diagnostics[number].start)
        own = [diagnostics[number] for number in numbers]
        on_row: dict[int, Scope | None] = {}
        around = _around(own, [scope for scope in ranges if names(scope, code)])
        for number, holding in zip(numbers, around, strict=True):
            for row in rows[number]:
                if row in by_row and row not in on_row:
                    on_row[row] = next((scope for scope in by_row[row] if names(scope, code)), None)
            found[number] = _first((holding, *(on_row.get(row) for row in rows[number])))
    return found


def _first(scopes: Sequence[Scope | None]) -> Scope | None:
    """The first scope of the lowest rank."""
    return min((scope for scope in scopes if scope is not None), key=lambda scope: scope.rank, default=None)


def _around(diagnostics: Sequence[Diagnostic], ranges: Sequence[Scope]) -> list[Scope | None]:
    """For each diagnostic, in the order of their starts, the first range that holds it."""
    beginning = sorted(range(len(ranges)), key=lambda number: -ranges[number].low)
    open_ones: list[int] = []
    """The numbers of the ranges that have begun and may not have ended, the smallest first."""
    found: list[Scope | None] = []
    for diagnostic in diagnostics:
        while beginning and ranges[beginning[-1]].low <= diagnostic.start:
            heapq.heappush(open_ones, beginning.pop())
        while open_ones and ranges[open_ones[0]].high < diagnostic.start:
            heapq.heappop(open_ones)
        holding = open_ones[:1]
        if holding and not _holds(ranges[holding[0]], diagnostic):
            holding = [number for number in sorted(open_ones) if _holds(ranges[number], diagnostic)]
        found.append(ranges[holding[0]] if holding else None)
    return found


def _holds(scope: Scope, diagnostic: Diagnostic) -> bool:
    if scope.directive.kind in (Kind.IGNORE, Kind.NOLINT):
        return scope.low <= diagnostic.start < scope.high
    return scope.low <= diagnostic.start and diagnostic.end <= scope.high
