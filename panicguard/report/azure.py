"""`--output-format azure`: logging commands of Azure Pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.diagnostic import Severity
from panicguard.report.location import absolute, in_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Diagnostic, Result
    from panicguard.source import Source

DATA = str.maketrans({"\r": "%0D", "\n": "%0A"})
"""The characters that a command cannot contain -> the escapes that the agent decodes."""
PROPERTY = {**DATA, **str.maketrans({"]": "%5D", ";": "%3B"})}


def render(results: Sequence[Result]) -> str:
    """`##vso[task.logissue type=error;sourcepath=...;]message`, one line each."""
    return "".join(_command(result.source, d) for result in results for d in result.diagnostics)


def _command(source: Source, diagnostic: Diagnostic) -> str:
    row, column = in_file(source, diagnostic.start)
    properties = {
        "type": "error" if diagnostic.severity is Severity.ERROR else "warning",
        "sourcepath": absolute(source).translate(PROPERTY),
        "linenumber": row,
        "columnnumber": column,
        "code": diagnostic.code,
    }
    listed = "".join(f"{key}={value};" for key, value in properties.items())
    return f"##vso[task.logissue {listed}]{diagnostic.message.translate(DATA)}\n"
