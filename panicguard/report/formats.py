"""The output formats by name: the table that the command line, the settings and the reports use.

The name of a format is that of a module of this package (`-` is `_` there), imported when it is used; its `render`
turns the results into the output.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, NamedTuple

from panicguard.report.width import escaped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Result


class Format(NamedTuple):
    """`people`: it is styled text for people, closed by a summary. `counts`: it has a form for `--statistics`.

    `lines`: it consists of lines that cannot contain a newline. `json`: it can represent any text.
    """

    people: bool = False
    counts: bool = False
    lines: bool = False
    json: bool = False


FORMATS = {
    "full": Format(people=True, counts=True, lines=True),
    "concise": Format(people=True, counts=True, lines=True),
    "grouped": Format(people=True, lines=True),
    "json": Format(counts=True, json=True),
    "json-lines": Format(json=True),
    "junit": Format(),
    "github": Format(),
    "gitlab": Format(json=True),
    "pylint": Format(lines=True),
    "rdjson": Format(json=True),
    "azure": Format(),
    "sarif": Format(json=True),
}


def render(results: Sequence[Result], name: str, *, unsafe: bool | None) -> Iterator[list[tuple[str, str]]]:
    """The diagnostics in the format of that name, piece by piece; `unsafe` is the value of `--unsafe-fixes`."""
    form = FORMATS[name]
    if form.people and not any(result.diagnostics for result in results):
        return  # without the time that the import takes
    from panicguard.report.plain import on_lines

    module = importlib.import_module(f"{__package__}.{name.replace('-', '_')}")
    shown = map(on_lines, results) if form.lines else results
    if form.people:
        yield from module.render(shown, unsafe=unsafe)
        return
    text = module.render(shown)
    yield [(escaped(text) if form.json else text, "")]


def count(results: Sequence[Result], name: str, *, unsafe: bool | None) -> list[tuple[str, str]]:
    """How often each rule was found, in the format of that name. Raises ValueError if it has no form for that."""
    from panicguard.report.statistics import statistics_json, statistics_text

    if not any(result.diagnostics for result in results):
        return []
    if not FORMATS[name].counts:
        raise ValueError(f"Unsupported serialization format for statistics: {name.title().replace('-', '')}")
    if FORMATS[name].people:
        return statistics_text(results, unsafe=unsafe)
    return [(statistics_json(results, unsafe=unsafe), "")]
