"""`--output-format concise`: a line for each diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.report.fixable import applies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Diagnostic, Result
    from panicguard.source import Place


def render(results: Sequence[Result], *, unsafe: bool | None) -> list[tuple[str, str]]:
    """`path:row:column: CODE [*] message`, one line each."""
    return [s for result in results for d in result.diagnostics for s in _line(result, d, unsafe)]


def _line(result: Result, diagnostic: Diagnostic, unsafe: bool | None) -> Iterator[tuple[str, str]]:
    yield result.source.path, "path"
    yield ":", "separator"
    yield from place(result.source.place(diagnostic.start))
    yield ":", "separator"
    yield " ", ""
    yield from header(diagnostic, unsafe)


def place(where: Place) -> Iterator[tuple[str, str]]:
    """`row:column`; in a notebook `cell 2:row:column`."""
    if where.cell is not None:
        yield f"cell {where.cell}", ""
        yield ":", "separator"
    yield str(where.row), ""
    yield ":", "separator"
    yield str(where.column), ""


def header(diagnostic: Diagnostic, unsafe: bool | None, *, title: bool = False) -> Iterator[tuple[str, str]]:
    """`CODE [*] message`, or `invalid-syntax: message` for what is not reported by a rule, up to the end of the line.

    It is brighter as the `title` of what follows.
    """
    yield diagnostic.code, "title code" if title else "code"
    if not diagnostic.is_rule:
        yield ":", "message" if title else "separator"
    elif applies(diagnostic.fix, unsafe):
        yield " [", ""
        yield "*", "title fixable" if title else "fixable"
        yield "]", ""
    yield f" {diagnostic.message}", "message" if title else ""
    yield "\n", ""
