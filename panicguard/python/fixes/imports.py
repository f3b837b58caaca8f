"""Where a new import goes in a module. Offsets count code points."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from panicguard.diagnostic import Edit
from panicguard.python.lex import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from panicguard.lines import LogicalLine
    from panicguard.source import Source

    _Order = Callable[[str], tuple[bool | str, ...]]

_IMPORT = re.compile(r"import\s+([\w.]+)|from\s+(\.*[\w.]*)\s+import\b")
_TOP = re.compile(r"\n(?=\w)")
"""The end of a row before one that is not indented."""
_PART = 4_000
"""Code points in which imports mostly end."""
_DUNDER = re.compile(r"__\w+__\s*=")
"""What says something of the module, such as `__author__ = `, and stands above its imports."""
_OF_FILE = re.compile(
    r"#!|#.*(?:coding[:=]|-\*-|copyright|\(c\)|©|licen[cs]e|spdx|vim:|author|\w+\.py\b)"
    r"|#\s*(?:noqa|nolint|(?:ruff|mypy|pyright|pylint|flake8|type|fmt|yapf|isort)\s*:)",
    re.IGNORECASE,
)
"""A comment that speaks of the file, even where it stands directly above an import."""
_FEW = 3
"""Rows of comments that may speak of an import at the head of a file: more introduce the file."""
_DEFINITION = re.compile(r"(?:async[ \t]+)?def\b|class\b|@")
_STRING = re.compile(r"[rRuUbB]{0,2}(?:'''|\"\"\"|'|\")")


class _Line(NamedTuple):
    start: int
    end: int
    text: str
    module: str
    """The module a top-level import line imports from; "" for another statement."""


def insertion(source: Source, statement: str) -> Edit:
    """The edit that inserts an import statement where a reader would look for it: in the block of imports, in its
    order; else below the docstring and `from __future__`."""
    at, text = _place(source, _header(source), statement)
    return Edit(at, at, text)


def _header(source: Source) -> list[_Line]:
    """The strings, imports and `__author__ = ` a module starts with, up to the first other statement at the top level.

    A compound statement (`if TYPE_CHECKING:`, `try:`) ends it: what is below may depend on it.
    """
    lines: list[_Line] = []
    text = source.text
    for line in _first_lines(text):
        body = text[line.start : line.end].lstrip("\f")
        match = _IMPORT.match(body) if line.indent == 0 else None
        if not match and not (line.indent == 0 and (_STRING.match(body) or _DUNDER.match(body))):
            break
        lines.append(_Line(line.start, line.end, body, (match[1] or match[2]) if match else ""))
    return lines


def _first_lines(text: str) -> Iterator[LogicalLine]:
    """The logical lines of a text, but for blank ones; no more of it is scanned than is asked for."""
    size, done = _PART, 0
    while top := _TOP.search(text, size):
        part = scan(text[: top.end()])
        if part.sound:  # no string or bracket is cut off
            yield from (line for line in part.lines[done:-1] if not line.blank)
            done = len(part.lines) - 1
        size = 4 * top.end()
    yield from (line for line in scan(text).lines[done:] if not line.blank)


def _place(source: Source, lines: Sequence[_Line], statement: str) -> tuple[int, str]:
    """The offset for an import statement, and the lines to insert there."""
    imports = [line for line in lines if line.module and line.module != "__future__"]
    blocks = _blocks(source, imports)
    module = _module(statement)
    home = _home(source, (module, *(line.module for line in imports)))
    sections = {line: _section(line.module, home) for line in imports}
    own = _section(module, home)
    fellows = _run(source, lines, sections, own) or _fellows(blocks, sections, own, module)
    if fellows:
        block = next(block for block in blocks if fellows[0] in block)
        if len(fellows) < len(block) and not _is_ascending([sections[line] for line in block]):
            return _after(source, block[-1], statement)
        return _among(source, fellows, _order(blocks, fellows), statement)
    below = next((line for line in imports if sections[line] > own), None)
    above = lines[: lines.index(below)] if below else lines
    while above and not above[-1].module and any(line in imports for line in above):
        above = above[:-1]
    return _apart(source, above, below, blocks, statement)


def _among(source: Source, fellows: list[_Line], key: _Order | None, statement: str) -> tuple[int, str]:
    """In order among the lines that an import belongs to, else below them."""
    later = next((line for line in fellows if key and key(line.text) > key(statement)), None)
    if later is None:
        return _after(source, fellows[-1], statement)
    at = fellows.index(later)
    if at and _is_free(source.text[fellows[at - 1].end : later.start]):
        return _after(source, fellows[at - 1], statement)
    start = _start(source, later.start)
    return start, f"{statement}{source.newline}" + (source.newline if start < later.start else "")


def _apart(
    source: Source, above: Sequence[_Line], below: _Line | None, blocks: Sequence[list[_Line]], statement: str
) -> tuple[int, str]:
    """Between the sections above and below, with blank lines around it unless those are in a common block."""
    newline = source.newline
    if not above:
        first = next((line.start for line in _first_lines(source.text)), len(source.text))
        start = _start(source, first)
        gap = newline * (3 if _DEFINITION.match(source.text, start) else 2)
        return start, f"{statement}{gap}"
    if below and any(above[-1] in block and below in block for block in blocks):
        return _start(source, below.start), f"{statement}{newline}"
    at, text = _after(source, above[-1], statement)
    if source.text[at : at + 1].strip():
        text += newline
    return at, f"{newline}{text}"


def _start(source: Source, at: int) -> int:
    """Where a statement starts that stands in a row of its own, with the comments directly above that speak of it."""
    row, column = source.location(at)
    first = source.location(source.cell(at)[1])[0]
    if column > 1 or row > len(source.line_starts):
        return at
    top = row
    while top > first and source.line(top - 1).startswith("#") and not _OF_FILE.match(source.line(top - 1)):
        top -= 1
    is_head = row - top > _FEW and (top == first or source.line(top - 1).startswith("#"))
    return at if is_head else source.offset(top, 1)


def _blocks(source: Source, imports: Sequence[_Line]) -> list[list[_Line]]:
    """The imports, split where a blank line, a comment or a string stands between two."""
    blocks: list[list[_Line]] = []
    for above, line in itertools.pairwise((None, *imports)):
        assert line is not None
        if above is None or source.text[above.end : line.start].strip(" \t\f"):
            blocks.append([])
        blocks[-1].append(line)
    return blocks


def _run(source: Source, lines: Sequence[_Line], sections: dict[_Line, int], own: int) -> list[_Line]:
    """The first lines of a section, if they are in order, and only comments and blank lines stand between them."""
    stretches = (list(group) for is_import, group in itertools.groupby(lines, sections.__contains__) if is_import)
    stretch = next((s for s in stretches if any(sections[line] == own for line in s)), [])
    groups = [list(group) for section, group in itertools.groupby(stretch, sections.get) if section == own]
    run = groups[0] if len(groups) == 1 else []
    gaps = (source.text[above.end : below.start] for above, below in itertools.pairwise(run))
    return run if all(map(_is_free, gaps)) and any(_is_sorted(run, key) for key in _ORDERS) else []


def _is_ascending(numbers: Sequence[int]) -> bool:
    return all(above <= below for above, below in itertools.pairwise(numbers))


def _is_free(gap: str) -> bool:
    """Whether only comments and blank lines stand between two imports."""
    return all(not row.strip() or row.startswith("#") for row in gap.splitlines())


def _fellows(blocks: Sequence[list[_Line]], sections: dict[_Line, int], own: int, module: str) -> list[_Line]:
    """The lines that an import belongs to: those of its section in one block, preferably in a block of their own, and
    of the same package; or the whole block, if that is in order and has no section of the standard library."""
    candidates: list[tuple[bool, bool, list[_Line]]] = []
    for block in blocks:
        lines = [line for line in block if sections[line] == own]
        package = module.partition(".")[0]
        related = any(line.module.partition(".")[0] == package for line in lines)
        if lines:
            mixed = len(lines) < len(block)
            if mixed and all(sections[line] > 0 for line in block) and any(_is_sorted(block, key) for key in _ORDERS):
                lines = block
            candidates.append((mixed, not related, lines))
    return min(candidates, key=lambda entry: entry[:2])[2] if candidates else []


def _home(source: Source, modules: Iterable[str]) -> str:
    """The package a file is in: the outermost of its directories that it imports from."""
    packages = {module.partition(".")[0] for module in modules}
    return next((part for part in PurePath(source.path).parts[:-1] if part in packages), "")


def _section(module: str, home: str) -> int:
    """0 for the standard library, 1 for other packages, 2 for the package that the file is in, 3 for relative ones."""
    package = module.partition(".")[0]
    if not package:
        return 3
    if package in sys.stdlib_module_names:
        return 0
    return 2 if package == home else 1


def _module(statement: str) -> str:
    match = _IMPORT.match(statement)
    return (match[1] or match[2]) if match else ""


def _straight_first(statement: str) -> tuple[bool | str, ...]:
    """`import x` before `from x import y`, each by module: as isort and Ruff sort by default."""
    return statement.startswith("from"), _module(statement).lower()


def _by_module(statement: str) -> tuple[bool | str, ...]:
    """By module, whatever the form: isort's and Ruff's `force-sort-within-sections`."""
    return _module(statement).lower(), statement.startswith("from")


_ORDERS = (_straight_first, _by_module)


def _order(blocks: Sequence[list[_Line]], lines: list[_Line]) -> _Order | None:
    """The order that lines are in, preferably the one that most blocks are in; None if they are not in order."""
    kept = [key for key in _ORDERS if _is_sorted(lines, key)]
    return max(kept, key=lambda key: sum(_is_sorted(block, key) for block in blocks), default=None)


def _is_sorted(lines: Sequence[_Line], key: _Order) -> bool:
    return all(key(above.text) <= key(below.text) for above, below in itertools.pairwise(lines))


def _after(source: Source, line: _Line, statement: str) -> tuple[int, str]:
    """Below a logical line, which may be the last of the file and lack its newline; or the last of a notebook's cell,
    whose newline ends the cell."""
    newline = source.newline
    if source.cells and source.cell(line.start)[2] == line.end:
        return line.end - 1, f"{newline}{statement}"
    if source.text[: line.end].endswith(("\n", "\r")):
        return line.end, f"{statement}{newline}"
    return line.end, f"{newline}{statement}"
