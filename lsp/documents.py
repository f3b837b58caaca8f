"""The open documents: what the editor shows, which wins over what is on the disk.

A document is a text of its own or a notebook, whose cells are the parts of one source."""

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
    """What has a URI of its own: a text, or the cell of a notebook, whose text in the source starts at an offset."""

    uri: str
    start: int


class Cell(NamedTuple):
    """A cell of a notebook as the editor has it."""

    uri: str
    language: str
    text: str


@dataclass(frozen=True)
class Document:
    """An open document as of one version. `version` is the editor's number; None for a file on the disk.

    `parts` are what the source is made of; of the `cells` of a notebook, those that are Python.
    """

    uri: str
    version: int | None
    source: Source
    parts: tuple[Part, ...]
    cells: tuple[Cell, ...] = ()

    @property
    def uris(self) -> list[str]:
        """The URIs of all texts that the document has for the editor."""
        return [cell.uri for cell in self.cells] if self.is_notebook else [part.uri for part in self.parts]

    @property
    def is_notebook(self) -> bool:
        return self.source.document is not None

    def part(self, offset: int) -> Part:
        """The part that an offset of the source is in."""
        return self.parts[bisect.bisect_right(self.parts, offset, key=lambda part: part.start) - 1]

    def text(self, uri: str) -> tuple[int, str] | None:
        """Where the text of a part starts, and the text; None where there is no such part."""
        return next(
            ((part.start, text) for part, text in zip(self.parts, _texts(self.source), strict=True) if part.uri == uri),
            None,
        )


def document(uri: str, path: str, version: int | None, text: str, language: str) -> Document:
    """The document of one text; `language` is that of its source."""
    return Document(uri, version, _source(path, text, language), (Part(uri, 0),))


def _source(path: str, text: str, language: str) -> Source:
    """The source of a text that is on no disk; its encoding is the one that it would be read with."""
    head = _LINES.match(text)
    try:
        read = Source.decode(path, head[0].encode("ascii", "replace") if head else b"", language=language)
    except (UnicodeError, LookupError):
        return Source(path, text, language)
    return Source(path, text, language, read.encoding)


def notebook(uri: str, path: str, version: int, cells: Sequence[Cell]) -> Document:
    """The document of a notebook, whose cells are what the editor has synchronized."""
    kept = [
        {"cell_type": "code", "metadata": {"vscode": {"languageId": cell.language}}, "source": cell.text}
        for cell in cells
    ]
    document = json.dumps({"cells": kept, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    try:
        whole = Source.decode(path, document.encode(), notebook=True)
    except ValueError:  # half a surrogate pair
        return Document(uri, version, Source(path, "", document=document), (), tuple(cells))
    parts = tuple(Part(cells[cell.number - 1].uri, cell.start) for cell in whole.cells)
    return Document(uri, version, whole, parts, tuple(cells))


def with_cells(
    document: Document, version: int, start: int, removed: int, added: Sequence[Cell], texts: Mapping[str, str]
) -> Document:
    """A notebook after some cells were replaced by others, and then the text of some changed."""
    cells = [*document.cells[:start], *added, *document.cells[start + removed :]]
    cells = [cell._replace(text=texts.get(cell.uri, cell.text)) for cell in cells]
    return notebook(document.uri, document.source.path, version, cells)


def _texts(source: Source) -> Iterable[str]:
    """The text of each part."""
    return source.cell_texts.values() if source.document is not None else (source.text,)


def replaced(before: Source, after: Source, document: Document) -> list[tuple[Part, int, int, str]]:
    """The smallest run of whole lines to replace in each part that differs: the part, start and end, the new text."""
    changes = []
    for part, (old, new) in zip(document.parts, zip(_texts(before), _texts(after), strict=True), strict=True):
        if old == new:
            continue
        olds, news = old.splitlines(keepends=True), new.splitlines(keepends=True)
        first = _common(olds, news)
        last = min(_common(olds[::-1], news[::-1]), len(olds) - first, len(news) - first)
        start = part.start + len("".join(olds[:first]))
        end = part.start + len("".join(olds[: len(olds) - last]))
        changes.append((part, start, end, "".join(news[first : len(news) - last])))
    return changes


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
