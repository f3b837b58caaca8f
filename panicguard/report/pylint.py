"""`--output-format pylint`: the lines of Pylint's parseable format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.report.location import in_file

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.diagnostic import Result


def render(results: Sequence[Result]) -> str:
    """`path:row: [CODE] message`, one line each."""
    return "".join(
        f"{result.source.path}:{in_file(result.source, d.start)[0]}: [{d.code}] {d.message}\n"
        for result in results
        for d in result.diagnostics
    )
