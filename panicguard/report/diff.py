"""`--diff`: what the fixes would change, as a unified diff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from panicguard.report import lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.model import Result
    from panicguard.report.lines import Op

CONTEXT = 3


def diff(results: Sequence[Result]) -> list[tuple[str, str]]:
    """One diff per fixed file, an empty line after each; standard input (`-`) has no header."""
    return [segment for result in results for segment in _file(result)]


def _file(result: Result) -> Iterator[tuple[str, str]]:
    if result.original is None or result.original.text == result.source.text:
        return
    old, new = (lines.split("\ufeff" * s.bom + s.text) for s in (result.original, result.source))
    path = result.source.path
    if path != "-":
        yield f"--- {path}\n", "removed"
        yield f"+++ {path}\n", "added"
    for group in lines.groups(old, new, CONTEXT, joined=2 * CONTEXT):
        head = _range(group[0].old, group[-1].old_end), _range(group[0].new, group[-1].new_end)
        yield f"@@ -{head[0]} +{head[1]} @@\n", "hunk"
        for op in group:
            yield from _operation(op, old, new)
    yield "\n", ""


def _operation(op: Op, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str]]:
    if op.equal:
        yield from ((_line(" ", line), "") for line in old[op.old : op.old_end])
        return
    yield from ((_line("-", line), "removed") for line in old[op.old : op.old_end])
    yield from ((_line("+", line), "added") for line in new[op.new : op.new_end])


def _line(sign: str, line: str) -> str:
    return sign + (line if line.endswith(("\n", "\r")) else f"{line}\n\\ No newline at end of file\n")


def _range(start: int, end: int) -> str:
    """Lines [start, end), 0-based, as a hunk's header names them."""
    if end - start == 1:
        return str(end)
    return f"{start + 1 if end > start else start},{end - start}"
