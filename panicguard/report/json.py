"""`--output-format json`: Ruff's objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.model import Diagnostic, Edit, Fix, Result
    from panicguard.source import Source


def to_json(results: Sequence[Result]) -> str:
    """An array of one object for each diagnostic, without a newline at its end.

    Rows and columns are 1-based, columns in code points, ends exclusive, paths absolute.
    """
    objects = [_object(result.source, d) for result in results for d in result.diagnostics]
    return json.dumps(objects, indent=2, sort_keys=True, ensure_ascii=False)


def _object(source: Source, diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "cell": None,
        "code": diagnostic.code,
        "end_location": _location(source, diagnostic.end),
        "filename": source.path if source.path == "-" else str(Path.cwd() / source.path),
        "fix": None if diagnostic.fix is None else _fix(source, diagnostic.fix),
        "location": _location(source, diagnostic.start),
        "message": diagnostic.message,
        "name": diagnostic.name,
        "noqa_row": diagnostic.noqa_row,
        "severity": "error",
        "url": None,
    }


def _fix(source: Source, fix: Fix) -> dict[str, Any]:
    return {
        "applicability": fix.applicability.value,
        "edits": [_edit(source, edit) for edit in fix.edits],
        "message": fix.title,
    }


def _edit(source: Source, edit: Edit) -> dict[str, Any]:
    return {
        "content": edit.content,
        "end_location": _location(source, edit.end),
        "location": _location(source, edit.start),
    }


def _location(source: Source, offset: int) -> dict[str, int]:
    row, column = source.location(offset)
    return {"column": column, "row": row}
