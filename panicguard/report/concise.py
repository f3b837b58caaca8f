"""`--output-format concise`: a line for each diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.report.fixable import applies

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from panicguard.diagnostic import Diagnostic, Result
    from panicguard.source import Place

    Segment = tuple[str, str]


def render(results: Iterable[Result], *, unsafe: bool | None) -> Iterator[list[Segment]]:
    """`path:row:column: CODE [*] message`, one line each."""
    colon = (":", "separator")
    for result in results:
        path = (result.source.path, "path")
        for diagnostic in result.diagnostics:
            where = place(result.source.place(diagnostic.start))
            yield [path, colon, *where, colon, (" ", ""), *header(diagnostic, unsafe)]


def place(where: Place) -> list[Segment]:
    """`row:column`; in a notebook `cell 2:row:column`."""
    segments = [(str(where.row), ""), (":", "separator"), (str(where.column), "")]
    return segments if where.cell is None else [(f"cell {where.cell}", ""), (":", "separator"), *segments]


def header(diagnostic: Diagnostic, unsafe: bool | None, *, title: bool = False) -> list[Segment]:
    """`CODE [*] message`, or `invalid-syntax: message` for what is not reported by a rule, up to the end of the line.

    It is brighter as the `title` of what follows.
    """
    segments = [(diagnostic.code, "title code" if title else "code")]
    if not diagnostic.is_rule:
        segments.append((":", "message" if title else "separator"))
    elif applies(diagnostic.fix, unsafe):
        segments += ((" [", ""), ("*", "title fixable" if title else "fixable"), ("]", ""))
    segments += ((f" {diagnostic.message}", "message" if title else ""), ("\n", ""))
    return segments
