"""Which of many texts occur in a file: all of them are sought at once."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ahocorasick_rs import BytesAhoCorasick

MOST = 64
"""Texts in one search: with more of them it takes five times as long."""


def found_in(file: str | bytes, texts: tuple[str, ...]) -> set[str]:
    """Those of the texts that occur in a file, be it a part of another one. Of two that overlap otherwise, which none
    of them does where it is a whole word, only the first is found."""
    if isinstance(file, str):
        file = file.encode(errors="replace")  # an editor's text may have half of a pair of surrogates
    searches = _searches(texts)
    return {
        text
        for search, meant in searches
        for index in {index for index, _, _ in search.find_matches_as_indexes(file)}
        for text in meant[index]
    }


@functools.lru_cache(maxsize=64)
def _searches(texts: tuple[str, ...]) -> Iterable[tuple[BytesAhoCorasick, Sequence[Sequence[str]]]]:
    """What searches for a part of the texts each, and what else occurs where one of them is found."""
    from ahocorasick_rs import BytesAhoCorasick, MatchKind

    longest_first = sorted(set(texts), key=len, reverse=True)
    parts = [longest_first[at : at + MOST] for at in range(0, len(longest_first), MOST)]
    return [
        (
            BytesAhoCorasick([text.encode() for text in part], MatchKind.LeftmostFirst),
            [[other for other in longest_first if other in text] for text in part],
        )
        for part in parts
    ]
