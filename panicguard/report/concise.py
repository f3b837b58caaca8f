"""`--output-format concise`: a line for each diagnostic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.report.fixable import applies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.model import Diagnostic, Result


def concise(results: Sequence[Result], *, unsafe: bool | None) -> list[tuple[str, str]]:
    """`path:row:column: CODE [*] message`, one line each."""
    return [s for result in results for d in result.diagnostics for s in _line(result, d, unsafe)]


def _line(result: Result, diagnostic: Diagnostic, unsafe: bool | None) -> Iterator[tuple[str, str]]:
    row, column = result.source.location(diagnostic.start)
    yield result.source.path, "path"
    yield ":", "separator"
    yield str(row), ""
    yield ":", "separator"
    yield str(column), ""
    yield ":", "separator"
    yield " ", ""
    yield from header(diagnostic, unsafe)


def header(diagnostic: Diagnostic, unsafe: bool | None) -> Iterator[tuple[str, str]]:
    """`CODE [*] message`, or `invalid-syntax: message` where no rule speaks, to the end of the line."""
    yield diagnostic.code, "code"
    if not diagnostic.is_rule:
        yield ":", "separator"
    elif applies(diagnostic.fix, unsafe):
        yield " [", ""
        yield "*", "fixable"
        yield "]", ""
    yield f" {diagnostic.message}\n", "message"
