"""Where a diagnostic is, in the forms that the formats use."""

from __future__ import annotations

import bisect
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from panicguard.source import Source


def absolute(source: Source) -> str:
    """The absolute path of the file; `-` is standard input."""
    return source.path if source.path == "-" else str(Path.cwd() / source.path)


def in_file(source: Source, offset: int) -> tuple[int, int]:
    """The row and column for a format without cells: all findings of a notebook are at its start."""
    cell, row, column = source.place(offset)
    return (row, column) if cell is None else (1, 1)


def rows_beside(source: Source, offset: int) -> range:
    """The rows of the text, 1-based, that may be shown beside an offset: all, or in a notebook those of its cell."""
    cell = source.place(offset).cell
    starts = source.line_starts
    if cell is None:
        return range(1, len(starts) + 1)

    def cell_at(start: int) -> int:
        return source.place(start).cell or 0

    return range(bisect.bisect_left(starts, cell, key=cell_at) + 1, bisect.bisect_right(starts, cell, key=cell_at) + 1)
