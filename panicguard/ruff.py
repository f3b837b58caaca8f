"""What Ruff has to be told: its RUF100 takes `# noqa` comments away whose codes it does not know."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from panicguard.settings import ConfigError, discovery, toml
from panicguard.settings.keys import expanded

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Configuration(NamedTuple):
    path: str
    external: tuple[str, ...]
    """Beginnings of codes that Ruff takes for another tool's."""


def advice(directory: str, codes: Iterable[str]) -> str | None:
    """What to add to the Ruff configuration that holds for a directory, so that `# noqa` comments with these
    codes stay; None where Ruff is not configured or knows already."""
    configuration = _nearest(os.path.abspath(directory))
    if configuration is None:
        return None
    path, external = configuration
    unknown = sorted(code for code in codes if not code.startswith(external))
    if not unknown:
        return None
    table = "tool.ruff.lint" if os.path.basename(path) == "pyproject.toml" else "lint"
    listed = ", ".join(f'"{prefix}"' for prefix in (*external, "PNC"))
    return (
        f"Ruff does not know `{unknown[0]}`, and its RUF100 may remove the `# noqa` comments that name it. "
        f"In {os.path.relpath(path)} say:\n\n  [{table}]\n  external = [{listed}]\n"
    )


def _nearest(directory: str) -> _Configuration | None:
    for name in discovery.RUFF_FILES:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and (table := _table(path)) is not None:
            return _Configuration(path, _external(path, table))
    parent = os.path.dirname(directory)
    return None if parent == directory else _nearest(parent)


def _table(path: str) -> dict[str, Any] | None:
    """What a file says of Ruff; None if it says nothing or is broken, which is for Ruff to tell."""
    if os.path.basename(path) == "pyproject.toml" and not discovery.mentions(path, b"ruff"):
        return None
    try:
        document = toml.read(path)
    except (ConfigError, RecursionError):
        return None
    table = document.tool("ruff") if document.is_pyproject else document.table
    return table if isinstance(table, dict) else None


def _external(path: str, table: dict[str, Any], depth: int = 0) -> tuple[str, ...]:
    """The `external` of a table, else that of the file that it extends."""
    lint = table.get("lint")
    for place in (lint, table):
        if isinstance(place, dict) and isinstance(external := place.get("external"), list):
            return tuple(str(prefix) for prefix in external)
    extend = table.get("extend")
    if not isinstance(extend, str) or depth > 10:
        return ()
    base = expanded(extend, os.path.dirname(path))
    below = _table(base)
    return () if below is None else _external(base, below, depth + 1)
