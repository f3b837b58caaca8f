"""`--diff`: what the fixes would change, as a unified diff."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from panicguard.report import lines
from panicguard.report.width import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from panicguard.diagnostic import Result
    from panicguard.report.lines import Op

CONTEXT = 3
NO_NEWLINE = "\\ No newline at end of file\n"


def diff(results: Sequence[Result]) -> list[tuple[str, str]]:
    """One diff per fixed file, an empty line after each; standard input (`-`) has no header, and in a notebook each
    changed cell has its own."""
    return [segment for result in results for segment in _file(result)]


def _file(result: Result) -> Iterator[tuple[str, str]]:
    if result.original is None or result.original.text == result.source.text:
        return
    path = result.source.path
    if result.source.document is None:
        old, new = ("\ufeff" * s.bom + s.text for s in (result.original, result.source))
        yield from _changes("" if path == "-" else path, lines.split(old), lines.split(new), NO_NEWLINE)
    else:
        for number, text in result.original.cell_texts.items():
            changed = result.source.cell_texts[number]
            if changed != text:
                yield from _changes(f"{path}:cell {number}", lines.split(text), lines.split(changed), "")
    yield "\n", ""


def _changes(name: str, old: Sequence[str], new: Sequence[str], no_newline: str) -> Iterator[tuple[str, str]]:
    """The changes under a name, if there is one; `no_newline` follows a line that has no newline."""
    if name:
        name = _quoted(name)
        yield f"--- {name}\n", "removed"
        yield f"+++ {name}\n", "added"
    for group in lines.groups(old, new, CONTEXT, joined=2 * CONTEXT):
        head = _range(group[0].old, group[-1].old_end), _range(group[0].new, group[-1].new_end)
        yield f"@@ -{head[0]} +{head[1]} @@\n", "hunk"
        for op in group:
            for sign, line, style in _operation(op, old, new):
                yield sign + (line if line.endswith(("\n", "\r")) else f"{line}\n{no_newline}"), style


def _quoted(name: str) -> str:
    """A name as git reads it in a patch: one that contains control characters is quoted and escaped; otherwise it could
    end the line and continue with a patch of its own."""
    if name == one_line(name) and not name.startswith('"'):
        return name
    plain = {*range(0x20, 0x7F)} - {*b'"\\'}
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in os.fsencode(name)) + '"'


def _operation(op: Op, old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    if op.equal:
        yield from ((" ", line, "") for line in old[op.old : op.old_end])
        return
    yield from (("-", line, "removed") for line in old[op.old : op.old_end])
    yield from (("+", line, "added") for line in new[op.new : op.new_end])


def _range(start: int, end: int) -> str:
    """Lines [start, end), 0-based, as a hunk's header names them."""
    if end - start == 1:
        return str(end)
    return f"{start + 1 if end > start else start},{end - start}"
