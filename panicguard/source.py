"""One file's text, and the only place that turns offsets into lines and columns or text into bytes.

Offsets count code points of `text`, which holds the file's characters exactly (every newline as it
stands) without the byte order mark.
"""

from __future__ import annotations

import bisect
import codecs
import functools
import itertools
import re
from dataclasses import dataclass
from typing import NamedTuple

_COOKIE = re.compile(rb"\A(?:[^\r\n]*(?:\r\n|\r|\n))?[ \t\f]*#[^\r\n]*?coding[:=][ \t]*([-\w.]+)")
_FIRST_LINE_IS_CODE = re.compile(rb"\A[ \t\f]*[^#\s\\]")
_NEWLINE = re.compile(r"\r\n|\r|\n")


class Place(NamedTuple):
    """Where an offset is shown to be: the cell of a notebook, the row and the column (in code points), 1-based."""

    cell: int | None
    row: int
    column: int


@dataclass(frozen=True)
class Source:
    """A decoded file. `language` is a key of the engine's table of front ends."""

    path: str
    text: str
    language: str = "python"
    encoding: str = "utf-8"
    bom: bool = False

    @classmethod
    def decode(cls, path: str, data: bytes) -> Source:
        """The source in `data`: UTF-8, or what its PEP 263 cookie says.

        Raises UnicodeDecodeError when the bytes do not fit the encoding and LookupError when the
        encoding is unknown.
        """
        bom = data.startswith(codecs.BOM_UTF8)
        if bom:
            data = data[len(codecs.BOM_UTF8) :]
        encoding = "utf-8"
        cookie = _COOKIE.match(data) if b"coding" in data[:2000] else None
        if cookie and not (cookie.start(1) > data.find(b"\n") >= 0 and _FIRST_LINE_IS_CODE.match(data)):
            encoding = codecs.lookup(cookie[1].decode("ascii")).name
        return cls(path, data.decode(encoding), encoding=encoding, bom=bom)

    def encode(self) -> bytes:
        """The bytes of the file: what `decode` read, when the text is the same.

        Raises UnicodeEncodeError when the text holds what the file's encoding cannot say.
        """
        return (codecs.BOM_UTF8 if self.bom else b"") + self.text.encode(self.encoding)

    @functools.cached_property
    def line_starts(self) -> list[int]:
        """The offset at which each line starts."""
        if "\r" in self.text:
            return [0, *(m.end() for m in _NEWLINE.finditer(self.text))]
        lengths = (len(line) + 1 for line in self.text.split("\n"))
        return [0, *itertools.accumulate(lengths)][:-1]

    @functools.cached_property
    def newline(self) -> str:
        """The newline an inserted line ends in: that of the first line."""
        first = _NEWLINE.search(self.text)
        return first[0] if first else "\n"

    def location(self, offset: int) -> tuple[int, int]:
        """The 1-based row and column (in code points) of an offset."""
        row = bisect.bisect_right(self.line_starts, offset)
        return row, offset - self.line_starts[row - 1] + 1

    def place(self, offset: int) -> Place:
        """Where a report says that an offset is."""
        return Place(None, *self.location(offset))

    def offset(self, row: int, column: int) -> int:
        """The offset of a 1-based row and column, kept within the text."""
        start = self.line_starts[min(row, len(self.line_starts)) - 1]
        return min(start + column - 1, len(self.text))

    def line(self, row: int) -> str:
        """The text of a 1-based row without its newline."""
        start = self.line_starts[row - 1]
        end = self.line_starts[row] if row < len(self.line_starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")
