"""`--output-format rdjson`: the Reviewdog Diagnostic Format."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from panicguard.diagnostic import Severity
from panicguard.report.location import absolute

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Diagnostic, Result
    from panicguard.source import Source


def render(results: Sequence[Result]) -> str:
    """One object with all diagnostics, without a newline at its end.

    Rows are those of the text, also where that is the code of a notebook. If all diagnostics are errors, the severity
    is left out, as in Ruff.
    """
    diagnostics = [(result.source, d) for result in results for d in result.diagnostics]
    severe = all(diagnostic.severity is Severity.ERROR for _, diagnostic in diagnostics)
    report = {
        "diagnostics": [_diagnostic(source, d) if severe else _rated(source, d) for source, d in diagnostics],
        "severity": "WARNING",
        "source": {"name": "panicguard"},
    }
    return json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False)


def _rated(source: Source, diagnostic: Diagnostic) -> dict[str, Any]:
    return {**_diagnostic(source, diagnostic), "severity": diagnostic.severity.name}


def _diagnostic(source: Source, diagnostic: Diagnostic) -> dict[str, Any]:
    made = {
        "code": {"value": diagnostic.code},
        "location": {"path": absolute(source), "range": _range(source, diagnostic.start, diagnostic.end)},
        "message": diagnostic.message,
    }
    if diagnostic.fix is not None:
        made["suggestions"] = [
            {"range": _range(source, edit.start, edit.end), "text": edit.content} for edit in diagnostic.fix.edits
        ]
    return made


def _range(source: Source, start: int, end: int) -> dict[str, Any]:
    places = {"start": source.location(start), "end": source.location(end)}
    return {name: {"line": row, "column": column} for name, (row, column) in places.items()}
