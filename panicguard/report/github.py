"""`--output-format github`: workflow commands, which GitHub Actions turns into annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Severity
from panicguard.report.location import absolute, in_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Diagnostic, Result
    from panicguard.source import Source

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}
DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
"""The characters that a command cannot contain -> the escapes that the runner decodes."""
PROPERTY = {**DATA, **str.maketrans({":": "%3A", ",": "%2C"})}


def render(results: Sequence[Result]) -> str:
    """`::error title=panicguard (CODE),file=...,line=...::path:row:column: CODE message`, one line each."""
    return "".join(_command(result.source, d) for result in results for d in result.diagnostics)


def _command(source: Source, diagnostic: Diagnostic) -> str:
    row, column = in_file(source, diagnostic.start)
    end_row, end_column = in_file(source, diagnostic.end)
    properties: dict[str, str | int] = {
        "title": f"panicguard ({diagnostic.code})",
        "file": absolute(source),
        "line": row,
    }
    # GitHub does not show annotations that have columns and several lines.
    properties |= {"col": column, "endLine": row, "endColumn": end_column} if row == end_row else {"endLine": end_row}
    listed = ",".join(f"{key}={str(value).translate(PROPERTY)}" for key, value in properties.items())
    code = diagnostic.code if diagnostic.is_rule else f"{diagnostic.code}:"
    text = f"{source.path}:{row}:{column}: {code} {diagnostic.message}"
    if diagnostic.fix is not None:
        text += f"\n  help: {diagnostic.fix.title}"
    return f"::{COMMANDS[diagnostic.severity]} {listed}::{text.translate(DATA)}\n"
