"""Results as formats of plain lines show them: a newline in a name or a message must not start a new line.

Other control characters are drawn by `paint`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panicguard.diagnostic import Diagnostic, Result

_DRAWN = str.maketrans("\t\n\r", "␉␊␍")


def on_lines(result: Result) -> Result:
    """The result with tabs and newlines drawn in its path, its messages and the titles of its fixes."""
    source, path = result.source, result.source.path.translate(_DRAWN)
    return replace(
        result,
        source=source if path == source.path else replace(source, path=path),
        diagnostics=tuple(map(_on_lines, result.diagnostics)),
    )


def _on_lines(diagnostic: Diagnostic) -> Diagnostic:
    message, fix = diagnostic.message.translate(_DRAWN), diagnostic.fix
    if fix is not None and fix.title != (title := fix.title.translate(_DRAWN)):
        fix = replace(fix, title=title)
    if message == diagnostic.message and fix is diagnostic.fix:
        return diagnostic
    return replace(diagnostic, message=message, fix=fix)
