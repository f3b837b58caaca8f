"""`--output-format sarif`: the Static Analysis Results Interchange Format, 2.1.0."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from panicguard import __version__
from panicguard.diagnostic import Severity
from panicguard.report.location import absolute
from panicguard.rule import all_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Diagnostic, Fix, Result
    from panicguard.rule import Rule
    from panicguard.source import Source

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def render(results: Sequence[Result]) -> str:
    """One log with one run, without a newline at its end; it describes the rules that have findings.

    Rows are those of the text, also where that is the code of a notebook.
    """
    diagnostics = [(result.source, d) for result in results for d in result.diagnostics]
    codes = {diagnostic.code for _, diagnostic in diagnostics}
    driver = {
        "name": "panicguard",
        "rules": [_rule(rule) for rule in all_rules() if rule.code in codes],
        "version": __version__,
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{"results": [_result(*pair) for pair in diagnostics], "tool": {"driver": driver}}],
        "version": "2.1.0",
    }
    return json.dumps(log, indent=2, sort_keys=True, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.docs.strip()},
        "help": {"text": rule.summary},
        "defaultConfiguration": {"enabled": rule.default, "level": "error"},
        "properties": {"id": rule.code, "kind": "panicguard", "name": rule.name, "problem.severity": "error"},
    }


def _result(source: Source, diagnostic: Diagnostic) -> dict[str, Any]:
    artifact = {"uri": "file://-" if source.path == "-" else Path(absolute(source)).as_uri()}
    region = _region(source, diagnostic.start, diagnostic.end)
    made = {
        "ruleId": diagnostic.code,
        "level": LEVELS[diagnostic.severity],
        "message": {"text": diagnostic.message},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }
    if diagnostic.fix is not None:
        made["fixes"] = [_fix(source, diagnostic.fix, artifact)]
    return made


def _fix(source: Source, fix: Fix, artifact: dict[str, str]) -> dict[str, Any]:
    replacements = [
        {"deletedRegion": _region(source, edit.start, edit.end)}
        | ({"insertedContent": {"text": edit.content}} if edit.content else {})
        for edit in fix.edits
    ]
    return {
        "description": {"text": fix.title},
        "artifactChanges": [{"artifactLocation": artifact, "replacements": replacements}],
    }


def _region(source: Source, start: int, end: int) -> dict[str, int]:
    row, column = source.location(start)
    end_row, end_column = source.location(end)
    return {"startLine": row, "startColumn": column, "endLine": end_row, "endColumn": end_column}
