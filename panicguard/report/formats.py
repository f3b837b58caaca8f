"""The output formats by name: the table that the command line, the settings and the reports go by.

The name of a format is that of a module of this package (`-` is `_` there), imported when it is used; its `render`
makes of the results what the format prints.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from panicguard.model import Result


class Format(NamedTuple):
    """`people`: it is styled text for people, closed by a summary. `counts`: it has a form for `--statistics`."""

    people: bool = False
    counts: bool = False


FORMATS = {
    "full": Format(people=True, counts=True),
    "concise": Format(people=True, counts=True),
    "grouped": Format(people=True),
    "json": Format(counts=True),
    "json-lines": Format(),
    "junit": Format(),
    "github": Format(),
    "gitlab": Format(),
    "pylint": Format(),
    "rdjson": Format(),
    "azure": Format(),
    "sarif": Format(),
}


def render(results: Sequence[Result], name: str, *, unsafe: bool | None) -> list[tuple[str, str]]:
    """The diagnostics in the format of that name; `unsafe` is what `--unsafe-fixes` says."""
    if FORMATS[name].people and not any(result.diagnostics for result in results):
        return []  # without the time that the import takes
    module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    if FORMATS[name].people:
        return list(module.render(results, unsafe=unsafe))
    return [(module.render(results), "")]


def count(results: Sequence[Result], name: str, *, unsafe: bool | None) -> list[tuple[str, str]]:
    """How often each rule was found, in the format of that name. Raises ValueError where it has no form for that."""
    from panicguard.report.statistics import statistics_json, statistics_text

    if not any(result.diagnostics for result in results):
        return []
    if not FORMATS[name].counts:
        raise ValueError(f"Unsupported serialization format for statistics: {name.title().replace('-', '')}")
    if FORMATS[name].people:
        return statistics_text(results, unsafe=unsafe)
    return [(statistics_json(results, unsafe=unsafe), "")]
