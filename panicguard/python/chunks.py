"""A long text in chunks, each of which Python can read by itself: at the next keystroke in it all but one are known."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

LONG = 40_000
"""Code points from which a text is worth it."""
_START = re.compile(r"(?<=\n\n)(?=@|(?:async )?def |class )")
"""Where a definition outside of others begins: or a row of a string, and then neither of its parts can be read."""


class Chunk(NamedTuple):
    """Rows of a text, `blank` rows from its beginning."""

    blank: int
    text: str

    @property
    def in_place(self) -> str:
        """The chunk behind as many blank rows as there are rows before it."""
        return "\n" * self.blank + self.text


@functools.lru_cache(maxsize=2)
def split(text: str) -> Sequence[Chunk]:
    """The chunks of a text, newlines all `\\n`; of one that is not long, one."""
    starts = [0, *(at.start() for at in _START.finditer(text))] if len(text) >= LONG else [0]
    found: list[Chunk] = []
    blank = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        found.append(Chunk(blank, text[start:end]))
        blank += text.count("\n", start, end)
    return found


class ByChunk(Generic[T]):
    """What a function makes of each chunk of a text: remembered until the next long text."""

    def __init__(self, function: Callable[[Chunk], T]) -> None:
        self._function = function
        self._known: dict[Chunk, T] = {}

    def __call__(self, chunks: Sequence[Chunk]) -> list[T]:
        known = self._known
        self._known = {chunk: known[chunk] if chunk in known else self._function(chunk) for chunk in chunks}
        return list(self._known.values())
