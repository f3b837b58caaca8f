"""Which files have nothing to say, by their bytes alone: of a project, most are never decoded, let alone parsed."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from panicguard.engine import words_for
from panicguard.rule import rule_names
from panicguard.settings import FRONT_ENDS, language
from panicguard.source import declared_encoding
from panicguard.suppression import match

if TYPE_CHECKING:
    from ahocorasick_rs import BytesAhoCorasick

    from panicguard.settings import Settings

MOST = 64
"""Words in one search: with more of them it takes five times as long."""


def is_silent(path: str, data: bytes, settings: Settings) -> bool:
    """Whether the bytes of a file are certainly text, and none of it a word of the rules, of suppressions or of the
    project's own spawners."""
    kind = language(settings, path)
    if kind == "ipynb" or b"\0" in data:
        return False
    known = FRONT_ENDS[kind]
    if declared_encoding(data, known) != "utf-8" or not (data.isascii() or _is_utf_8(data)):
        return False
    words = words_for(settings, known)
    return not any(matcher.find_matches_as_indexes(data) for matcher in _matchers(words))


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@functools.lru_cache(maxsize=64)
def _matchers(words: tuple[str, ...]) -> tuple[BytesAhoCorasick, ...]:
    from ahocorasick_rs import BytesAhoCorasick, MatchKind

    sought = [word.encode() for word in (*words, *match.marks(rule_names()))]
    return tuple(
        BytesAhoCorasick(sought[at : at + MOST], MatchKind.LeftmostFirst) for at in range(0, len(sought), MOST)
    )
