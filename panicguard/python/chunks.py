"""A long text in chunks, each of which Python can read by itself: at the next keystroke in it all but one are known.

Only a process that reads the same texts again and again has something of it: it calls `remember`.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

LONG = 2_000
"""Code points from which a text is worth it."""
HEADER = "class _:\n"
"""The row that stands for the class around a method."""
_START = re.compile(r"\n\n(?=@|(?:async )?def |class )")
"""Where a definition outside of others begins: or a row of a string, and then neither of its parts can be read."""
_METHOD = re.compile(r"\n\n(?=    (?:@|(?:async )?def |class ))")
"""The same in a class."""


_least = math.inf
"""Code points from which a text is split in this process."""


def remember() -> None:
    """From now on, remember what was made of the chunks of the last long text."""
    global _least
    _least = LONG


class Chunk(NamedTuple):
    """Rows of a text, with a row in front of them where they are methods of the class before."""

    text: str
    is_inner: bool = False

    @property
    def whole(self) -> str:
        return HEADER + self.text if self.is_inner else self.text


def split(text: str) -> Sequence[Chunk]:
    """The chunks of a text, newlines all `\n`; of one that is not long, one."""
    if len(text) < _least:
        return [Chunk(text)]
    found: list[Chunk] = []
    for definition in _cut(text, _START):
        first, *methods = _cut(definition, _METHOD) if definition.startswith("class ") else [definition]
        found += (Chunk(first), *(Chunk(method, True) for method in methods))
    return found


def _cut(text: str, where: re.Pattern[str]) -> Sequence[str]:
    starts = [at.end() for at in where.finditer(text)]
    return [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]


class ByChunk(Generic[T]):
    """What a function makes of each chunk of a text: remembered until the next long text."""

    def __init__(self, function: Callable[[Chunk], T]) -> None:
        self._function = function
        self._known: dict[Chunk, T] = {}

    def __call__(self, chunks: Sequence[Chunk]) -> list[T]:
        known = self._known
        self._known = {chunk: known[chunk] if chunk in known else self._function(chunk) for chunk in chunks}
        return [self._known[chunk] for chunk in chunks]
