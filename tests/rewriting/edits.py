"""Edits of a text, and where what stood in it stands after them."""

from __future__ import annotations

import bisect
import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Edit(NamedTuple):
    """`new` in the place of `text[start:end]`."""

    start: int
    end: int
    new: str


@dataclasses.dataclass(frozen=True)
class Rewriting:
    """A way to write the same thing. `same_tree` says that the parsed module is equal; `same_comments` that comments
    stand where they stood, so that suppressions hold."""

    name: str
    edits: Callable[[Any], Iterable[Edit]]
    same_tree: bool = True
    same_comments: bool = False


@dataclasses.dataclass(frozen=True)
class Rewritten:
    text: str
    _ends: list[int]
    _shifts: list[int]
    """How far what stands behind each edit moved."""

    def moved(self, offset: int) -> int:
        """Where what started at an offset starts now: behind what was inserted there."""
        at = bisect.bisect_right(self._ends, offset)
        return offset + (self._shifts[at - 1] if at else 0)


def apply(text: str, edits: Iterable[Edit]) -> Rewritten:
    pieces, ends, shifts = [], [], []
    done = shift = 0
    for start, end, new in sorted(edits):
        if start < done:
            raise ValueError(f"edits overlap at {start}: {text[start - 20 : end + 20]!r}")
        pieces += (text[done:start], new)
        shift += len(new) - (end - start)
        ends.append(end)
        shifts.append(shift)
        done = end
    return Rewritten("".join((*pieces, text[done:])), ends, shifts)


def insert(at: int, new: str) -> Edit:
    return Edit(at, at, new)
