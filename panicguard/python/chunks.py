"""A long text in chunks, each of which Python can read by itself: at the next keystroke in it all but one are known."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

T = TypeVar("T")

LONG = 40_000
"""Code points from which a text is worth it."""
_START = re.compile(r"(?<=\n\n)(?=@|(?:async )?def |class )")
"""Where a definition outside of others begins: or a row of a string, and then neither of its parts can be read."""


@functools.lru_cache(maxsize=2)
def split(text: str) -> Sequence[str]:
    """The chunks of a text, newlines all `\\n`; of one that is not long, one."""
    starts = [at.start() for at in _START.finditer(text)] if len(text) >= LONG else []
    return [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]


class ByChunk(Generic[T]):
    """What a function makes of each chunk of a text: remembered until the next long text."""

    def __init__(self, function: Callable[[str], T]) -> None:
        self._function = function
        self._known: dict[tuple[str, int], T] = {}

    def __call__(self, chunks: Sequence[str]) -> list[T]:
        known, self._known = self._known, {}
        for chunk in chunks:
            twin = 0  # what is made of a chunk is not shared with another of the same text
            while (chunk, twin) in self._known:
                twin += 1
            key = chunk, twin
            self._known[key] = known[key] if key in known else self._function(chunk)
        return list(self._known.values())
