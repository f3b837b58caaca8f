"""One file's text, and the only place that turns offsets into lines and columns or text into bytes.

Offsets count code points of `text`, which holds the file's characters exactly (every newline as it
stands) without the byte order mark; of a notebook, the text of its Python cells, one after another.
"""

from __future__ import annotations

import bisect
import codecs
import dataclasses
import functools
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_COOKIE = re.compile(rb"\A(?:[^\r\n]*(?:\r\n|\r|\n))?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
_FAMILY = re.compile(r"(?:(?P<utf8>utf[-_]8)|latin[-_]1|iso[-_](?:8859|latin)[-_]1)(?![^-_])", re.IGNORECASE)
_WITH_COOKIE = ("python",)
"""The languages in which a file declares its own encoding."""
_FIRST_LINE_IS_CODE = re.compile(rb"\A[ \t\f]*[^#\s\\]")
_NEWLINE = re.compile(r"\r\n|\r|\n")


class Place(NamedTuple):
    """Where an offset is shown to be: the cell of a notebook, the row and the column (in code points), 1-based."""

    cell: int | None
    row: int
    column: int


class Cell(NamedTuple):
    """A Python cell of a notebook: where its text starts in that of the source, and its number, 1-based and over all
    cells. The text of each ends in a newline that is not in the notebook."""

    start: int
    number: int


def declared_encoding(data: bytes, language: str) -> str:
    """The encoding that a file declares, behind a byte order mark if it has one; UTF-8 if it declares none, or its
    language has no way to.

    As Python reads it: what editors append to the two most common ones, such as `-unix`, says nothing; others are as
    they are written there."""
    cookie = _COOKIE.match(data) if language in _WITH_COOKIE and b"coding" in data[:2000] else None
    if cookie is None or (cookie.start(1) > data.find(b"\n") >= 0 and _FIRST_LINE_IS_CODE.match(data)):
        return "utf-8"
    written = cookie[1].decode("ascii")
    family = _FAMILY.match(written)
    return written if family is None else "utf-8" if family["utf8"] else "iso-8859-1"


@dataclass(frozen=True)
class Source:
    """A decoded file. `language` is a key of the engine's table of front ends."""

    path: str
    text: str
    language: str = "python"
    encoding: str = "utf-8"
    bom: bool = False
    cells: tuple[Cell, ...] = ()
    document: str | None = None
    """The JSON of a notebook as it was read; None if the file is not a notebook."""

    @classmethod
    def decode(cls, path: str, data: bytes, *, notebook: bool = False, language: str = "python") -> Source:
        """The source in `data`: UTF-8, or what a Python file's PEP 263 cookie says; with `notebook`, the cells of a
        notebook.

        Raises UnicodeDecodeError when the bytes do not fit the encoding, LookupError when the encoding is
        unknown, and another ValueError when it is not a notebook.
        """
        bom = data.startswith(codecs.BOM_UTF8)
        if bom:
            data = data[len(codecs.BOM_UTF8) :]
        if notebook:
            return cls._of_notebook(path, data.decode(), bom)
        encoding = codecs.lookup(declared_encoding(data, language)).name
        return cls(path, data.decode(encoding), language, encoding, bom)

    @classmethod
    def _of_notebook(cls, path: str, document: str, bom: bool) -> Source:
        from panicguard import notebook

        return cls(path, "", bom=bom, document=document).with_cells(dict(notebook.read(document)))

    def with_cells(self, texts: Mapping[int, str]) -> Source:
        """The same notebook with these Python cells: their text, as stored in the notebook, by their number."""
        ended = [f"{text}\n" for text in texts.values()]
        starts = itertools.accumulate(map(len, ended), initial=0)
        cells = tuple(Cell(start, number) for start, number in zip(starts, texts, strict=False))
        return dataclasses.replace(self, text="".join(ended), cells=cells)

    def encode(self) -> bytes:
        """The bytes of the file: what `decode` read, when the text is the same.

        Raises UnicodeEncodeError when the text contains what the file's encoding cannot represent.
        """
        text = self.text
        if self.document is not None:
            from panicguard import notebook

            text = notebook.write(self.document, self.cell_texts)
        return (codecs.BOM_UTF8 if self.bom else b"") + text.encode(self.encoding)

    @functools.cached_property
    def cell_texts(self) -> dict[int, str]:
        """The text of each Python cell of a notebook, as stored in the notebook, by the cell's number."""
        ends = [*(cell.start for cell in self.cells[1:]), len(self.text)]
        return {
            cell.number: self.text[cell.start : end].removesuffix("\n")
            for cell, end in zip(self.cells, ends, strict=False)
        }

    @functools.cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line starts."""
        lines = self.text.replace("\r\n", " \n").replace("\r", "\n").split("\n")
        return [0, *itertools.accumulate(len(line) + 1 for line in lines[:-1])]

    @functools.cached_property
    def newline(self) -> str:
        """The newline an inserted line ends in: that of the first line."""
        first = _NEWLINE.search(self.text)
        return first[0] if first else "\n"

    def location(self, offset: int) -> tuple[int, int]:
        """The 1-based row and column (in code points) of an offset."""
        row = bisect.bisect_right(self.line_starts, offset)
        return row, offset - self.line_starts[row - 1] + 1

    def cell(self, offset: int) -> tuple[int | None, int, int]:
        """The number of the cell at an offset, and where its text starts and ends; all of a file that has no cells."""
        at = bisect.bisect_right(self.cells, offset, key=lambda cell: cell.start) - 1
        if at < 0:
            return None, 0, len(self.text)
        start, number = self.cells[at]
        return number, start, self.cells[at + 1].start if at + 1 < len(self.cells) else len(self.text)

    def place(self, offset: int) -> Place:
        """Where a report shows an offset to be."""
        number, start, _ = self.cell(offset)
        row, column = self.location(offset)
        return Place(number, row - self.location(start)[0] + 1, column)

    def offset(self, row: int, column: int) -> int:
        """The offset of a 1-based row and column, kept within the text."""
        start = self.line_starts[min(row, len(self.line_starts)) - 1]
        return min(start + column - 1, len(self.text))

    def line(self, row: int) -> str:
        """The text of a 1-based row without its newline."""
        start = self.line_starts[row - 1]
        end = self.line_starts[row] if row < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")
