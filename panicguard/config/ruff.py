"""What Ruff needs to know: its RUF100 removes `# noqa` comments whose codes it does not know."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.config import ConfigError, discovery, toml
from panicguard.config.keys import expanded
from panicguard.report.width import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Configuration(NamedTuple):
    path: str
    external: tuple[str, ...]
    """Prefixes of codes that Ruff leaves to other tools."""
    shown: bool
    """Whether the file that says so is the project's, and may be quoted: a project may extend any file of the
    user's."""


def advice(directory: str, codes: Iterable[str]) -> str | None:
    """What to add to the Ruff configuration that applies to a directory, so that `# noqa` comments with these codes
    stay; None if Ruff is not configured or knows them already."""
    configuration = _nearest(os.path.abspath(directory))
    if configuration is None:
        return None
    path, external, shown = configuration
    unknown = sorted(code for code in codes if not code.startswith(external))
    if not unknown:
        return None
    table = "tool.ruff.lint" if os.path.basename(path) == "pyproject.toml" else "lint"
    listed = ", ".join((*(f'"{one_line(prefix)}"' for prefix in external if shown), '"PNC"'))
    rest = "" if shown or not external else ", in addition to what the file that it extends says"
    return (
        f"Ruff does not know `{unknown[0]}`, and its RUF100 may remove the `# noqa` comments that name it. "
        f"Add to {one_line(os.path.relpath(path))}{rest}:\n\n  [{table}]\n  external = [{listed}]\n"
    )


def _nearest(directory: str) -> _Configuration | None:
    for name in discovery.RUFF_FILES:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and (document := _document(path, directory)) is not None:
            return _configuration(path, document, directory)
    parent = os.path.dirname(directory)
    return None if parent == directory else _nearest(parent)


def _document(path: str, within: str) -> toml.Document | None:
    """A file that configures Ruff; None if it does not, or is broken, which is for Ruff to report."""
    if os.path.basename(path) == "pyproject.toml" and not discovery.mentions(path, b"ruff"):
        return None
    try:
        document = toml.read(path, within)
    except (ConfigError, RecursionError):
        return None
    return document if isinstance(_table(document), dict) else None


def _table(document: toml.Document) -> Any:
    return document.tool("ruff") if document.is_pyproject else document.table


def _configuration(path: str, document: toml.Document, within: str, depth: int = 0) -> _Configuration:
    """The file at `path` with the `external` of a document, else of the one that this extends."""
    table = _table(document)
    lint = table.get("lint")
    for place in (lint, table):
        if isinstance(place, dict) and isinstance(external := place.get("external"), list):
            return _Configuration(path, tuple(map(str, external)), document.outside is None)
    extend = table.get("extend")
    if isinstance(extend, str) and depth <= 10:
        below = _document(expanded(extend, os.path.dirname(document.path or path)), within)
        if below is not None:
            return _configuration(path, below, within, depth + 1)
    return _Configuration(path, (), shown=True)
