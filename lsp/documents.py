"""The open documents: what the editor shows, which wins over what is on the disk.

A document is a text of its own or a notebook, whose cells are the parts of one source."""

from __future__ import annotations

import bisect
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from panicguard.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

_LINES = re.compile(r"(?:[^\r\n]*(?:\r\n|\r|\n)?){0,2}")


class Part(NamedTuple):
    """What has a URI of its own: a text, or the cell of a notebook, whose text in the source starts at an offset."""

    uri: str
    start: int


@dataclass(frozen=True)
class Document:
    """An open document as of one version. `version` is the editor's number; None for a file on the disk."""

    uri: str
    version: int | None
    source: Source
    parts: tuple[Part, ...]

    def part(self, offset: int) -> Part:
        """The part that an offset of the source is in."""
        return self.parts[bisect.bisect_right(self.parts, offset, key=lambda part: part.start) - 1]

    def text(self, uri: str) -> tuple[int, str] | None:
        """Where the text of a part starts, and the text; None where there is no such part."""
        ends = [*(part.start for part in self.parts[1:]), len(self.source.text)]
        return next(
            ((p.start, self.source.text[p.start : e]) for p, e in zip(self.parts, ends, strict=False) if p.uri == uri),
            None,
        )


def document(uri: str, path: str, version: int | None, text: str) -> Document:
    """The document of one text."""
    return Document(uri, version, source(path, text), (Part(uri, 0),))


def source(path: str, text: str) -> Source:
    """The source of a text that is on no disk; its encoding is the one that it would be read with."""
    head = _LINES.match(text)
    try:
        encoding = Source.decode(path, head[0].encode("ascii", "replace")).encoding if head else "utf-8"
    except (UnicodeError, LookupError):
        encoding = "utf-8"
    return Source(path, text, encoding=encoding)


def replaced(before: Source, after: Source, document: Document) -> list[tuple[Part, int, int, str]]:
    """The smallest run of whole lines to replace in each part that differs: the part, start and end, the new text."""
    changes = []
    for part, (old, new) in zip(document.parts, [(before.text, after.text)], strict=True):
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
