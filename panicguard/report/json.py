"""`--output-format json`: Ruff's objects."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from panicguard.report.location import absolute

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Diagnostic, Edit, Fix, Result
    from panicguard.source import Source


def render(results: Sequence[Result]) -> str:
    """An array of the objects, without a newline at its end."""
    return json.dumps(list(objects(results)), indent=2, sort_keys=True, ensure_ascii=False)


def objects(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    """One object for each diagnostic.

    Rows and columns are 1-based, columns in code points, ends exclusive, paths absolute. In a notebook rows are those
    of the cell.
    """
    return (_object(result.source, d) for result in results for d in result.diagnostics)


def _object(source: Source, diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "cell": source.place(diagnostic.start).cell,
        "code": diagnostic.code,
        "end_location": _location(source, diagnostic.end),
        "filename": absolute(source),
        "fix": None if diagnostic.fix is None else _fix(source, diagnostic.fix),
        "location": _location(source, diagnostic.start),
        "message": diagnostic.message,
        "name": diagnostic.name,
        "noqa_row": _noqa_row(source, diagnostic),
        "severity": diagnostic.severity.value,
        "url": None,
    }


def _fix(source: Source, fix: Fix) -> dict[str, Any]:
    return {
        "applicability": fix.applicability.value,
        "edits": [_edit(source, edit) for edit in fix.edits],
        "message": fix.title,
    }


def _edit(source: Source, edit: Edit) -> dict[str, Any]:
    # The newline between two cells is in neither: an edit that removes it ends with the last line of the first.
    crosses = source.place(edit.start).cell != source.place(edit.end).cell
    return {
        "content": edit.content,
        "end_location": _location(source, edit.end - crosses),
        "location": _location(source, edit.start),
    }


def _location(source: Source, offset: int) -> dict[str, int]:
    _, row, column = source.place(offset)
    return {"column": column, "row": row}


def _noqa_row(source: Source, diagnostic: Diagnostic) -> int | None:
    row = diagnostic.noqa_row
    return None if row is None else source.place(source.offset(row, 1)).row
