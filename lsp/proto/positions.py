"""Positions in the client's encoding, and offsets.

A position counts lines from 0 and, within its line, code units of the encoding; an offset counts code points.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from panicguard.source import Source

    from ..documents import Document, Part

ENCODINGS = ("utf-8", "utf-16", "utf-32")
_NEWLINE = re.compile(r"\r\n|\r|\n")


def position(source: Source, offset: int, encoding: str, start: int = 0) -> types.Position:
    """The position of an offset of `source`, in the part of it that starts at the offset `start`."""
    row, column = source.location(offset)
    before = source.text[offset - column + 1 : offset]
    return types.Position(line=row - source.location(start)[0], character=_units(before, encoding))


def range_in(document: Document, part: Part, start: int, end: int, encoding: str) -> types.Range:
    """The range, in a part of a document, between two offsets of the document's source."""
    source = document.source
    return types.Range(
        position(source, start, encoding, part.start), position(source, max(start, end), encoding, part.start)
    )


def offset(text: str, position: types.Position, encoding: str) -> int:
    """The offset of a position in a text. A position past the end of its line, or of the text, means that end."""
    start = _line_start(text, position.line)
    newline = _NEWLINE.search(text, start)
    line = text[start : newline.start() if newline else len(text)]
    if line.isascii() or encoding == "utf-32":
        return start + min(position.character, len(line))
    units = 0
    for column, char in enumerate(line):
        units += _units(char, encoding)
        if units > position.character:
            return start + column
    return start + len(line)


def source_offset(document: Document, uri: str, position: types.Position, encoding: str) -> int | None:
    """The offset, in the source of a document, of a position in the part with this URI; None without such a part."""
    part = document.text(uri)
    return None if part is None else part[0] + offset(part[1], position, encoding)


def _line_start(text: str, line: int) -> int:
    if "\r" not in text:
        start = 0
        for _ in range(line):
            start = text.find("\n", start) + 1
            if not start:
                return len(text)
        return start
    starts = [0, *(newline.end() for newline in _NEWLINE.finditer(text))]
    return starts[line] if line < len(starts) else len(text)


def _units(text: str, encoding: str) -> int:
    """The number of code units of a text."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    return len(text.encode("utf-8" if encoding == "utf-8" else "utf-16-le", "surrogatepass")) // (
        1 if encoding == "utf-8" else 2
    )
