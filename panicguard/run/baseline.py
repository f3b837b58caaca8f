"""The known findings of a project, in a file, so that only new ones fail.

A finding is identified by its content, not by its position: its code, its source line and the functions around it.
Pure functions; their caller reads and writes the file.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from panicguard.diagnostic import Result
    from panicguard.source import Source

    Baseline = Mapping["Entry", int]
    """How often each finding is known."""

VERSION = 1
_DEFINITION = re.compile(r"^([ \t]*)(?:(?:async[ \t]+)?def|class)[ \t]+(\w+)", re.MULTILINE)


class BaselineError(Exception):
    """A text that is not a baseline; the message says why."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """A finding by its content. `path` has slashes and starts from the directory of the baseline."""

    path: str
    code: str
    scope: str
    """The classes and functions around it: `Mailer.send`; empty on module level."""
    line: str
    """Its first line, each run of blanks one space."""


class Judged(NamedTuple):
    """Results without the known findings, how many those are, and the entries of the baseline that were not found."""

    results: list[Result]
    known: int
    rest: Baseline


def parse(text: str) -> Baseline:
    """The baseline in a text that `dump` made, in any order of lines. Raises BaselineError."""
    try:
        items = json.loads(text)
    except ValueError as error:
        raise BaselineError(f"it is not JSON: {error}") from None
    if not isinstance(items, list) or not items:
        raise BaselineError("expected an array that ends in the version")
    version = items.pop()
    if not isinstance(version, dict) or not isinstance(version.get("version"), int):
        raise BaselineError('the last line of the array should be {"version": 1}')
    if version["version"] != VERSION:
        raise BaselineError(f"it has version {version['version']}, and this panicguard reads version {VERSION}")
    known: dict[Entry, int] = {}
    for number, item in enumerate(items, 1):
        entry, count = _entry(item, number)
        known[entry] = max(count, known.get(entry, 0))  # a merge may leave the same line twice
    return known


def _entry(item: object, number: int) -> tuple[Entry, int]:
    fields = [field.name for field in dataclasses.fields(Entry)]
    if isinstance(item, dict) and sorted(item) == sorted([*fields, "count"]):
        count = item["count"]
        if type(count) is int and count > 0 and all(isinstance(item[field], str) for field in fields):
            return Entry(*(item[field] for field in fields)), count
    # The item is not shown: the file may be any JSON that a project's settings point to.
    raise BaselineError(f"item {number} of the array is not a valid entry")


def dump(baseline: Baseline) -> str:
    """The text of a baseline: sorted JSON, one entry with its comma on each line, so that git merges it by lines."""
    lines = [json.dumps({**dataclasses.asdict(e), "count": n}) for e, n in sorted(baseline.items()) if n > 0]
    return "[\n" + "".join(f"{line},\n" for line in lines) + json.dumps({"version": VERSION}) + "\n]\n"


def judge(baseline: Baseline, results: Sequence[Result], path_of: Callable[[str], str]) -> Judged:
    """Separate the new findings from the known ones; `path_of` turns a path into that of an entry.

    Findings that match an entry in everything come first. The others may have moved to another function, or the
    function may have been renamed: they are matched by the rest. A copy is new. What is not reported by a rule is never
    known.
    """
    rest = collections.Counter(baseline)
    keyed = [(i, j, e) for i, r in enumerate(results) for j, e in entries(r, path_of(r.source.path))]
    known: set[tuple[int, int]] = set()
    for i, j, entry in keyed:
        if rest[entry] > 0:
            rest[entry] -= 1
            known.add((i, j))
    moved: dict[Entry, list[Entry]] = {}
    for entry, count in sorted(rest.items()):
        moved.setdefault(dataclasses.replace(entry, scope=""), []).extend([entry] * count)
    for i, j, entry in keyed:
        others = moved.get(dataclasses.replace(entry, scope=""))
        if others and (i, j) not in known:
            rest[others.pop(0)] -= 1
            known.add((i, j))
    new = [
        dataclasses.replace(r, diagnostics=tuple(d for j, d in enumerate(r.diagnostics) if (i, j) not in known))
        for i, r in enumerate(results)
    ]
    return Judged(new, len(known), +rest)


def updated(
    baseline: Baseline, results: Iterable[Result], path_of: Callable[[str], str], seen: Callable[[Entry], bool]
) -> Baseline:
    """The baseline of what was found now; entries that this run has not `seen` stay."""
    kept = {entry: count for entry, count in baseline.items() if not seen(entry)}
    current = (entry for result in results for _, entry in entries(result, path_of(result.source.path)))
    return {**kept, **collections.Counter(entry for entry in current if seen(entry))}


def entries(result: Result, path: str) -> Iterator[tuple[int, Entry]]:
    """The key of each finding of a rule, with its index among the diagnostics."""
    diagnostics = [(index, d) for index, d in enumerate(result.diagnostics) if d.is_rule]
    if not diagnostics:
        return
    source = result.source
    definitions = [(m.start(), len(m[1].expandtabs()), m[2]) for m in _DEFINITION.finditer(source.text)]
    for index, d in diagnostics:
        line = source.line(source.location(d.start)[0])
        yield index, Entry(path, d.code, _scope(source, d.start, definitions), " ".join(line.split()))


def _scope(source: Source, offset: int, definitions: Sequence[tuple[int, int, str]]) -> str:
    """The names around an offset, derived from indentation, since the file may not parse."""
    row, _ = source.location(offset)
    line = source.line(row)
    indent = len(line.expandtabs()) - len(line.expandtabs().lstrip())
    start = source.line_starts[row - 1]
    names: list[str] = []
    for at, margin, name in reversed(definitions):
        if at < start and margin < indent:
            names.append(name)
            indent = margin
    return ".".join(reversed(names))
