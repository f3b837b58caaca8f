"""`--output-format gitlab`: a Code Quality report."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from typing import TYPE_CHECKING, Any

from panicguard.diagnostic import Severity
from panicguard.report.location import in_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Diagnostic, Result
    from panicguard.source import Source

SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(results: Sequence[Result]) -> str:
    """An array of one object for each diagnostic, without a newline at its end.

    Paths are relative to the project that the CI job has checked out, elsewhere to the current directory.
    """
    return json.dumps(list(_issues(results)), indent=2, ensure_ascii=False)


def _issues(results: Sequence[Result]) -> Iterator[dict[str, Any]]:
    seen = Counter[tuple[str, ...]]()
    for source, diagnostic in ((result.source, d) for result in results for d in result.diagnostics):
        path = _path(source)
        content = path, diagnostic.code, diagnostic.message, source.line(source.location(diagnostic.start)[0]).strip()
        seen[content] += 1
        yield {
            "check_name": diagnostic.code,
            "description": f"{diagnostic.code}: {diagnostic.message}",
            "severity": SEVERITIES[diagnostic.severity],
            "fingerprint": _fingerprint(*content, str(seen[content])),
            "location": {"path": path, "positions": _positions(source, diagnostic)},
        }


def _path(source: Source) -> str:
    project = os.environ.get("CI_PROJECT_DIR")
    return os.path.relpath(source.path, project) if project and source.path != "-" else source.path


def _fingerprint(*content: str) -> str:
    """What identifies an issue to GitLab across runs: lines may move, so their numbers are not a part of it."""
    return hashlib.sha256("\0".join(content).encode(errors="backslashreplace")).hexdigest()[:16]


def _positions(source: Source, diagnostic: Diagnostic) -> dict[str, Any]:
    places = {"begin": in_file(source, diagnostic.start), "end": in_file(source, diagnostic.end)}
    return {name: {"line": row, "column": column} for name, (row, column) in places.items()}
