"""`--statistics`: how often each rule was found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from panicguard.report.fixable import applies

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Diagnostic, Result


@dataclass(frozen=True, slots=True)
class _Count:
    """`code` is None for what is not reported by a rule; `fixable`: how many of `count` the flags would fix."""

    code: str | None
    name: str
    count: int
    fixable: int


def statistics_text(results: Sequence[Result], *, unsafe: bool | None = None) -> list[tuple[str, str]]:
    """Count, code and name by tabs, the most frequent first; `[*]`, `[-]`, `[ ]`: all, some, none fixable."""
    counts = _counts(results, unsafe)
    return [segment for count in counts for segment in _line(count, counts)]


def statistics_json(results: Sequence[Result], *, unsafe: bool | None = None) -> str:
    """The same as an array of objects."""
    objects = [
        {
            "code": count.code,
            "name": count.name,
            "count": count.count,
            "fixable": count.fixable == count.count,
            "fixable_count": count.fixable,
        }
        for count in _counts(results, unsafe)
    ]
    return json.dumps(objects, indent=2, ensure_ascii=False) + "\n"


def _counts(results: Sequence[Result], unsafe: bool | None) -> list[_Count]:
    by_code: dict[str, list[Diagnostic]] = {}
    for diagnostic in (d for result in results for d in result.diagnostics):
        by_code.setdefault(diagnostic.code, []).append(diagnostic)
    counts = [
        _Count(
            code if same[0].is_rule else None,
            same[0].name,
            len(same),
            sum(applies(d.fix, unsafe) for d in same),
        )
        for code, same in by_code.items()
    ]
    return sorted(counts, key=lambda count: (-count.count, count.name))


def _line(count: _Count, counts: Sequence[_Count]) -> Iterator[tuple[str, str]]:
    digits = max(len(str(c.count)) for c in counts)
    width = max(len(c.code or "") for c in counts)
    yield f"{count.count:>{digits}}\t", "count"
    yield f"{count.code or '':<{width}}\t", "code"
    if any(c.fixable for c in counts):
        mark = "*" if count.fixable == count.count else "-" if count.fixable else " "
        yield "[", ""
        yield mark, "fixable"
        yield "] ", ""
    yield f"{count.name}\n", ""
