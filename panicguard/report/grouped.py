"""`--output-format grouped`: a heading for each file, a line for each diagnostic below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.report.concise import header, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panicguard.diagnostic import Result


def render(results: Iterable[Result], *, unsafe: bool | None) -> Iterator[list[tuple[str, str]]]:
    """`path:`, then `row:column CODE [*] message` lines, aligned, and an empty line after each file; by path."""
    files = sorted((result for result in results if result.diagnostics), key=lambda result: result.source.path)
    for result in files:
        yield list(_file(result, unsafe))


def _file(result: Result, unsafe: bool | None) -> Iterator[tuple[str, str]]:
    yield result.source.path, "file"
    yield ":\n", ""
    # In a notebook too, Ruff aligns by the rows of the whole text.
    locations = [result.source.location(diagnostic.start) for diagnostic in result.diagnostics]
    left, right = (max(len(str(number)) for number in numbers) for numbers in zip(*locations, strict=True))
    for diagnostic, (row, column) in zip(result.diagnostics, locations, strict=True):
        yield " " * (2 + left - len(str(row))), ""
        yield from place(result.source.place(diagnostic.start))
        yield " " * (right - len(str(column)) + 1), ""
        yield from header(diagnostic, unsafe)
    yield "\n", ""
