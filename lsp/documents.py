"""The open documents: the texts in the editor, which take precedence over the files on the disk.

A document is one text, or a notebook: then its Python cells are the parts of one source."""

from __future__ import annotations

import bisect
import itertools
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_LINES = re.compile(r"(?:[^\r\n]*(?:\r\n|\r|\n)?){0,2}")


class Part(NamedTuple):
    """A text, or a cell of a notebook. `start` is the offset (code points) in the document's source where it starts."""

    uri: str
    start: int


class Cell(NamedTuple):
    """A cell of a notebook in the editor."""

    uri: str
    language: str
    text: str


@dataclass(frozen=True)
class Document:
    """One version of an open document. `version` is the number from the editor; None for a file on the disk.

    `parts` make up the source: the text, or those of the notebook's `cells` that are Python.
    """

    uri: str
    version: int | None
    source: Source
    parts: tuple[Part, ...]
    cells: tuple[Cell, ...] = ()

    @property
    def uris(self) -> list[str]:
        """The URIs of all texts of the document in the editor."""
        return [cell.uri for cell in self.cells] if self.is_notebook else [part.uri for part in self.parts]

    @property
    def is_notebook(self) -> bool:
        return self.source.document is not None

    def part(self, offset: int) -> Part:
        """The part that contains an offset of the source."""
        return self.parts[bisect.bisect_right(self.parts, offset, key=lambda part: part.start) - 1]

    def text(self, uri: str) -> tuple[int, str] | None:
        """The offset in the source and the text of the part with a URI; None without such a part."""
        return next(
            ((part.start, text) for part, text in zip(self.parts, _texts(self.source), strict=True) if part.uri == uri),
            None,
        )


def document(uri: str, path: str, version: int | None, text: str, language: str) -> Document:
    """The document of a single text; `language` is that of its source."""
    return Document(uri, version, _source(path, text, language), (Part(uri, 0),))


def _source(path: str, text: str, language: str) -> Source:
    """The source of a text in the editor, with the encoding that a file of this text would be read with."""
    head = _LINES.match(text)
    try:
        decoded = Source.decode(path, head[0].encode("ascii", "replace") if head else b"", language=language)
    except (UnicodeError, LookupError):
        return Source(path, text, language)
    return Source(path, text, language, decoded.encoding)


def notebook(uri: str, path: str, version: int, cells: Sequence[Cell]) -> Document:
    """The document of a notebook with these cells."""
    code_cells = [
        {"cell_type": "code", "metadata": {"vscode": {"languageId": cell.language}}, "source": cell.text}
        for cell in cells
    ]
    document = json.dumps({"cells": code_cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    try:
        whole = Source.decode(path, document.encode(), notebook=True)
    except ValueError:  # a text has half a surrogate pair
        return Document(uri, version, Source(path, "", document=document), (), tuple(cells))
    parts = tuple(Part(cells[cell.number - 1].uri, cell.start) for cell in whole.cells)
    return Document(uri, version, whole, parts, tuple(cells))


def with_cells(
    document: Document, version: int, start: int, removed: int, added: Sequence[Cell], texts: Mapping[str, str]
) -> Document:
    """A notebook after `removed` cells from index `start` on were replaced by others, and then some texts changed."""
    cells = [*document.cells[:start], *added, *document.cells[start + removed :]]
    cells = [cell._replace(text=texts.get(cell.uri, cell.text)) for cell in cells]
    return notebook(document.uri, document.source.path, version, cells)


def _texts(source: Source) -> Iterable[str]:
    """The text of each part."""
    return source.cell_texts.values() if source.document is not None else (source.text,)


def replaced(before: Source, after: Source, document: Document) -> list[tuple[Part, int, int, str]]:
    """The smallest run of whole lines to replace in each part that differs: the part, the start and end offsets in the
    source, and the new text."""
    changes = []
    for part, (old, new) in zip(document.parts, zip(_texts(before), _texts(after), strict=True), strict=True):
        if old == new:
            continue
        old_lines, new_lines = old.splitlines(keepends=True), new.splitlines(keepends=True)
        first = _common(old_lines, new_lines)
        last = min(_common(old_lines[::-1], new_lines[::-1]), len(old_lines) - first, len(new_lines) - first)
        start = part.start + len("".join(old_lines[:first]))
        end = part.start + len("".join(old_lines[: len(old_lines) - last]))
        changes.append((part, start, end, "".join(new_lines[first : len(new_lines) - last])))
    return changes


def _common(left: Sequence[str], right: Sequence[str]) -> int:
    """The number of lines that two texts have in common at their start."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
